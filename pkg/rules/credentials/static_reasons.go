package credentials

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
)

const useExecutionRole = "remove it and use the execution role of the pod's ServiceAccount (IRSA)"

// The reasons of static-aws-credentials. No argument is a value that may be a secret.
var (
	keyVariable = rule.Reason{
		Name: "variable", Severity: rule.High, Remedy: useExecutionRole,
		Message: "container %[1]q sets %[2]s",
	}
	keyReference = rule.Reason{
		Name: "referenced-key", Severity: rule.High, Remedy: useExecutionRole,
		Message: "container %[1]q takes %[2]s from a %[3]s into %[4]s",
	}
	keyPrefix = rule.Reason{Name: "variable-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}
	keyID     = rule.Reason{
		Name: "access-key-id", Severity: rule.High, Remedy: useExecutionRole,
		Message: "%[1]s holds an AWS access key id",
	}
	credentialsMount = rule.Reason{
		Name: "credentials-mount", Severity: rule.High, Remedy: useExecutionRole,
		Message: "container %[1]q mounts AWS credentials or profiles: volume %[2]q at %[3]q",
	}
	credentialsVolume = rule.Reason{
		Name: "credentials-volume", Severity: rule.High, Remedy: useExecutionRole,
		Message: "the volume %[1]q puts files into a directory .aws",
	}
	keySetting = rule.Reason{
		Name: "setting", Severity: rule.High, Remedy: useExecutionRole,
		Message: "the setting %[1]s holds AWS keys",
	}
	openSetting = rule.Reason{
		Name: "unresolved-setting", Severity: rule.High,
		Message: "the name of the setting %[1]s is known only when the container starts, so it can be one that holds AWS keys",
		Remedy:  "write the name of the setting out, or take it from a variable with a value",
	}
	secretsFile = rule.Reason{
		Name: "secrets-file", Severity: rule.Medium,
		Message: "the setting %[1]s names a file of secrets, from which Hadoop takes AWS keys too",
		Remedy:  "see that the file holds no AWS keys; an exemption says so",
	}
	keyInConfigMap = rule.Reason{
		Name: "configmap-key", Severity: rule.High, Remedy: useExecutionRole,
		Message: "the ConfigMap's key %[1]q becomes the variable of AWS keys in every pod that takes the ConfigMap by envFrom",
	}
	// A profile or a file, which may lead to a role.
	profileInConfigMap = rule.Reason{
		Name: "configmap-profile", Severity: rule.Medium, Remedy: useExecutionRole,
		Message: keyInConfigMap.Message,
	}

	staticReasons = []*rule.Reason{
		&keyVariable, &keyReference, &keyPrefix, &keyID, &credentialsMount, &credentialsVolume,
		&keySetting, &openSetting, &secretsFile, &keyInConfigMap, &profileInConfigMap,
	}
)
