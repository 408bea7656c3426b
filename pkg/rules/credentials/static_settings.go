package credentials

import (
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
)

func staticInSetting(rep *rule.Report, s *jobconf.Setting) {
	switch {
	case isStaticSetting(s.Key):
		rep.Add(rule.Finding{Reason: &keySetting, Path: s.Path(), Args: rule.Args(s.Key), Key: accesskey.Mark(s.Value)})
	case s.Open && mayBecomeStatic(s.Key):
		rep.Add(rule.Finding{Reason: &openSetting, Path: s.Path(), Args: rule.Args(s.Key)})
	case strings.EqualFold(s.Key, "hadoop.security.credential.provider.path"):
		rep.Add(rule.Finding{Reason: &secretsFile, Path: s.Path(), Args: rule.Args(s.Key), Key: accesskey.Mark(s.Value)})
	case !isEnvSetting(s.Key) && !rep.Has(s.Path()):
		for _, id := range accesskey.Find(s.Value, s.Key, false) {
			rep.Add(rule.Finding{Reason: &keyID, Path: s.Path(), Args: rule.Args("the setting " + s.Key), Key: accesskey.Mark(id)})
		}
	}
}

// isEnvSetting leaves variables to the check of the pods that are made of them.
func isEnvSetting(key string) bool {
	return strings.HasPrefix(key, "spark.kubernetes.driverEnv.") || strings.HasPrefix(key, "spark.executorEnv.") || strings.HasPrefix(key, "containerized.")
}

// staticTails are how the names of settings with keys end, without dots and dashes.
var staticTails = []string{"accesskey", "secretkey", "accesskeyid", "secretaccesskey", "sessiontoken"}

// staticSettings are further settings that name a profile or a file with keys.
var staticSettings = []string{
	"aws.profile", "aws.sharedcredentialsfile", "aws.configfile", "aws.credentialsfile", // SDKs for Java
	"aws.credentials.provider.profile.name", "aws.credentials.provider.profile.path", // Flink's connectors
}

// isStaticSetting knows the settings with which AWS keys are given: of EMRFS
// (fs.s3.awsAccessKeyId), Hadoop's S3A (fs.s3a.access.key, also per bucket), Flink's
// S3 file systems and connectors (s3.access-key, aws.credentials.provider.basic.…),
// Iceberg (s3.secret-access-key below spark.sql.catalog), Presto, Trino and Hive
// (hive.s3.aws-access-key), DynamoDB and Glue, and the system properties of the SDKs
// for Java. They share how they end, and that a part of them names AWS or S3.
func isStaticSetting(key string) bool {
	k := strings.ToLower(key)
	if slices.Contains(staticSettings, k) {
		return true
	}
	if !isSettingOfAWS(k) {
		return false
	}
	plain := withoutSeparators(k)
	return strings.HasSuffix(plain, "securitycredentialproviderpath") || // a file of keys for S3A alone
		slices.ContainsFunc(staticTails, func(tail string) bool { return strings.HasSuffix(plain, tail) })
}

// isSettingOfAWS reports whether a part of a key in lower case names AWS, S3 or
// another of its services. Settings that describe pods are none: the pods that they
// make are judged.
func isSettingOfAWS(key string) bool {
	for _, prefix := range []string{"spark.kubernetes.", "spark.executorenv.", "kubernetes.", "containerized.", "jobsubmitter."} {
		if strings.HasPrefix(key, prefix) {
			return false
		}
	}
	for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '.' || r == '-' || r == '_' || r == '/' }) {
		switch {
		case strings.HasPrefix(part, "aws"), strings.HasPrefix(part, "s3"), part == "dynamodb", part == "glue", part == "kinesis", part == "amazonaws":
			return true
		}
	}
	return false
}

var separators = strings.NewReplacer("-", "", ".", "", "_", "", "/", "")

func withoutSeparators(s string) string { return separators.Replace(s) }

// staticHeads are how the names of settings that give or lead to keys begin.
var staticHeads = []string{
	"aws.", "com.amazonaws.", "containerized.", "dynamodb.", "env.java.", "flink.", "fs.s3", "hive.", "kubernetes.", "presto.", "s3", "trino.",
	"spark.driver.", "spark.executor.", "spark.executorEnv.", "spark.hadoop.", "spark.kubernetes.", "spark.sql.catalog.",
}

// mayBecomeStatic reports whether a key of which only the part before "$(" is known
// can become one of a setting with keys.
func mayBecomeStatic(key string) bool {
	head, _, _ := strings.Cut(key, "$(")
	return slices.ContainsFunc(staticHeads, func(s string) bool { return strings.HasPrefix(s, head) || strings.HasPrefix(head, s) })
}
