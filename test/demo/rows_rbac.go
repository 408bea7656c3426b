package main

import (
	"github.com/emrguard/emrguard/test/harness"
)

// everything is what the ClusterRole edit gives of what the guide forbids.
const everything = "rbac-configmap-write rbac-pod-exec rbac-pod-create rbac-secret-read rbac-escalation"

// actRows are the acts that the guide does not want to be possible, by people and
// jobs whom RBAC allows them.
func actRows() []row {
	hub := named("Deployment", emrNamespace, "notebook-hub")
	hub.SetAPIVersion("apps/v1")
	podTemplate := named("ConfigMap", emrNamespace, "podtemplate-"+harness.JobID)
	return []row{
		{
			"alice", "Pod that runs as the driver's ServiceAccount", rbacPermissions, denied, "service-account-hijack", "",
			createFile(alice, "pod-managed-account.yaml"),
		},
		{
			"alice", "Deployment whose Pod would", rbacPermissions, denied, "service-account-hijack", "",
			createFile(alice, "deployment-managed-account.yaml"),
		},
		{
			"olga, on call", "the Pod, with --as-group=emrguard:break-glass", rbacPermissions, warned, "service-account-hijack", "",
			breakGlass("pod-managed-account.yaml"),
		},
		{
			"alice", "SparkApplication that runs as it (emr.roleUsers is empty)", rbacPermissions, warned, "service-account-hijack", "",
			createFile(alice, "sparkapplication-managed-account.yaml"),
		},
		{
			"spark-driver SA", "code in the driver: a Pod as the driver of PayrollRole", rbacPermissions, denied, "service-account-hijack", "",
			createFile(sparkDriver, "pod-other-role.yaml"),
		},
		{
			"alice", "kubectl exec into an executor", rbacPermissions, denied, "pod-exec", allowed,
			connect("exec", 0, "--", "cat", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
		},
		{
			"alice", "kubectl port-forward to an executor", rbacPermissions, denied, "pod-exec", allowed,
			connect("port-forward", 0, ":4040"),
		},
		{
			"alice", "kubectl debug of an executor", rbacPermissions, denied, "pod-exec", "",
			debug(alice, 0),
		},
		{
			"alice", "kubectl create token of the driver's ServiceAccount", rbacPermissions, denied, "token-request", "",
			kubectl(alice, "create", "token", harness.ManagedAccount("driver"), "--audience=sts.amazonaws.com"),
		},
		{
			"alice", "kubectl patch of EMR's ConfigMap podtemplate-…", rbacPermissions, denied, "pod-template-configmap", "",
			undoing(podTemplate, "data: {added: null}",
				kubectl(alice, "patch", "configmap", podTemplate.GetName(), "--type=merge", `--patch={"data":{"executor":"serviceAccountName: other"}}`)),
		},
		{
			"alice", "kubectl label ns emr-jobs pod-security.kubernetes.io/enforce-", rbacPermissions, denied, "managed-namespace-scope", "",
			lowerPodSecurity,
		},
		{
			"alice", "kubectl rollout restart of a Deployment that was there before", rbacPermissions, allowed, "", "",
			kubectl(alice, "rollout", "restart", "deployment/"+hub.GetName()),
		},
		{
			"alice", "kubectl set image of the same", rbacPermissions, denied, "service-account-hijack", "",
			undoing(hub, "spec: {template: {spec: {containers: [{name: hub, image: '"+hubImage+"'}]}}}",
				kubectl(alice, "set", "image", "deployment/"+hub.GetName(), "hub=public.ecr.aws/emr-on-eks/notebook-spark/emr-7.13.0:latest")),
		},
	}
}

// grantRows are changes of RBAC by which somebody would be able to do it.
func grantRows() []row {
	readLogs := named("Role", emrNamespace, "read-logs")
	readLogs.SetAPIVersion("rbac.authorization.k8s.io/v1")
	const (
		logs = "{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list, watch]}"
		exec = "{apiGroups: [''], resources: [pods/exec], verbs: [create]}"
	)
	return []row{
		{
			"ben", "RoleBinding of group analysts to ClusterRole edit", rbacPermissions, denied, everything, "",
			createFile(ben, "binding-edit.yaml"),
		},
		{
			"ben", "the same for group data-scientists, who hold admin since before emrguard: no gain", rbacPermissions, allowed, "", "",
			createFile(ben, "binding-edit-again.yaml"),
		},
		{
			"ben", "Role read-logs, bound to group analysts", rbacPermissions, allowed, "", "",
			createAndKeep(ben, "role-logs.yaml"),
		},
		{
			"ben", "the Role, bound now, widened with pods/exec", rbacPermissions, denied, "rbac-pod-exec", "",
			patch(ben, readLogs, "rules: ["+logs+", "+exec+"]", "rules: ["+logs+"]"),
		},
		{
			"ben", "ClusterRole kubectl-debug that joins admin by its label aggregate-to-admin", rbacPermissions, denied, "rbac-pod-exec", "",
			createFile(ben, "clusterrole-aggregated.yaml"),
		},
		{
			"ben", "RoleBinding of group analysts to a Role that does not exist", rbacPermissions, warned, "rbac-latent-grant", "",
			createFile(ben, "binding-latent.yaml"),
		},
		{
			"ben", "ClusterRole that writes mutating webhooks, and its binding to group analysts", rbacPermissions, denied, "rbac-mutating-webhook", "",
			createFile(ben, "webhook-writer.yaml"),
		},
	}
}

// platformRows are the grants that controllers and EMR's operators are installed
// with: nothing may stop them.
func platformRows() []row {
	return []row{
		{
			"ben", "ClusterRoleBinding of Argo CD's controller to cluster-admin", rbacPermissions, warned,
			everything + " rbac-mutating-webhook", "",
			createFile(ben, "argocd.yaml"),
		},
		{
			"ben", "EMR's Spark operator: ClusterRole and binding", rbacPermissions, warned,
			"rbac-configmap-write rbac-pod-create rbac-secret-read rbac-mutating-webhook rbac-escalation", "",
			createFile(ben, "spark-operator.yaml"),
		},
		{
			"ben", "its jobs' account emr-containers-sa-spark: Role and binding", jobsGoOn, allowed, "", "",
			createFile(ben, "spark-operator-jobs.yaml"),
		},
		{
			"ben", "Livy's server: Role and binding", rbacPermissions, warned,
			"rbac-configmap-write rbac-pod-create rbac-secret-read rbac-escalation", "",
			createFile(ben, "livy.yaml"),
		},
		{
			"ben", "Livy's sessions, emr-containers-sa-spark-livy: Role and binding", rbacPermissions, warned,
			"rbac-pod-exec rbac-secret-read rbac-escalation", "",
			createFile(ben, "livy-sessions.yaml"),
		},
		{
			"ben", "EMR's Flink operator: ClusterRole and binding", rbacPermissions, warned,
			"rbac-configmap-write rbac-pod-create rbac-secret-read rbac-escalation", "",
			createFile(ben, "flink-operator.yaml"),
		},
		{
			"ben", "its jobs' account emr-containers-sa-flink: Role and binding", jobsGoOn, allowed, "", "",
			createFile(ben, "flink-operator-jobs.yaml"),
		},
	}
}
