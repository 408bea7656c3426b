package main

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

// row is one request of the demonstration, and the answer that it must get.
type row struct {
	who, what string
	// clause is the clause of the EMR on EKS guide that is at stake.
	clause string
	// want is the verdict with the rules' own modes.
	want harness.Verdict
	// rule must be named in a denial or warning, and no other may be; several are
	// separated by spaces. A plus stands before one that finds what only warn mode
	// has let in before.
	rule string
	// inWarnMode is the verdict in warn mode where it is not the usual one:
	// what is allowed stays so, anything else is a warning.
	inWarnMode harness.Verdict
	send       send
}

// The clauses of the guide, as the table names them.
const (
	podCredentials  = "Pod credentials"
	rbacPermissions = "RBAC permissions"
	untrustedCode   = "Untrusted code"
	customImages    = "Custom images"
	jobsGoOn        = "EMR's own work"
	scopeIsNarrow   = "not EMR's"
	endpoints       = "Endpoints"
)

// legend explains the table.
const legend = `
Pod credentials   "Restrict pod credential access": IRSA is the one supported way to credentials; kube2iam, kiam
                  and the instance profile of the node are not supported.
RBAC permissions  "Role-based access control (RBAC) permissions": who submits jobs must not write ConfigMaps, exec
                  into pods, create pods, deploy mutating webhooks or read Secrets in EMR's namespace, and the
                  names of the managed ServiceAccounts must not be changed. The acts themselves are refused, so
                  that older grants are worth nothing; and so is every change of RBAC that would grant them anew.
Untrusted code    "Isolate untrusted application code": execution roles of different privilege belong into virtual
                  clusters, and namespaces, of their own.
Endpoints         "Access control list for endpoints": what can be reached from elsewhere must not face the
                  internet, and must be limited to known sources.
Custom images     "Get the latest security updates for custom images": images come from registries that somebody
                  answers for, are of a release that is patched, and are named by their digest.
Node credentials  "Restrict access to node group IAM role or instance profile credentials": pods must not reach the metadata
                  service of their node.
Least privilege   "Apply principle of least privilege": an execution role may do what its jobs need, and only its own accounts
                  may assume it.
EMR's own work    What EMR on EKS creates for a job must pass without a word.
passed            The guard let it pass; kubectl then failed, because there is no kubelet here. kubectl shows no
                  warnings of connections, the API server's audit log has them.
`

// people introduces them.
const people = `
alice is a data scientist: her group data-scientists was bound to the ClusterRole admin of emr-jobs, and more, before
emrguard came. ben is an administrator, of a group that the configuration knows. olga is on call and may break the glass.
`

const (
	allowed = harness.Allowed
	warned  = harness.Warned
	denied  = harness.Denied
)

// rows returns the requests in the order in which they are sent.
func rows() []row {
	var all []row
	all = append(all, jobRows()...)
	all = append(all, podRows()...)
	all = append(all, templateRows()...)
	all = append(all, accountRows()...)
	all = append(all, actRows()...)
	all = append(all, grantRows()...)
	all = append(all, platformRows()...)
	all = append(all, webhookRows()...)
	all = append(all, isolationRows()...)
	all = append(all, endpointRows()...)
	all = append(all, imageRows()...)
	all = append(all, nodeRows()...)
	return append(all, endRows()...)
}

// jobRows is one complete EMR job, each part by its real creator.
func jobRows() []row {
	objects := createJobPart
	return []row{
		{
			"emr-containers", "3 ServiceAccounts of JobExecutionRole: client, driver, executor", jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return j.ServiceAccounts }),
		},
		{
			"emr-containers", "2 Roles and 2 RoleBindings for client and driver", jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return j.RBAC }),
		},
		{
			"emr-containers", "3 ConfigMaps: spark-defaults, podtemplate, fluentd", jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return j.ConfigMaps }),
		},
		{
			"emr-containers", "Secret emr-containers-s3-…", jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return j.Secrets }),
		},
		{
			"emr-containers", "Job " + harness.JobID, jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return []*unstructured.Unstructured{j.Job} }),
		},
		{"job-controller", "the Job's Pod, the submitter", jobsGoOn, allowed, "", "", waitForJobPod},
		{"spark-client SA", "driver Pod: fluentd sidecar, :latest images, hostPath /mnt/k8s-disks/0/spark", jobsGoOn, allowed, "", "", createJobDriver},
		{"spark-driver SA", "2 executor Pods", jobsGoOn, allowed, "", "", createExecutors},
		{
			"emr-containers", "a managed endpoint: ServiceAccount, Deployment, Service, Ingress", jobsGoOn, allowed, "", "",
			objects(func(j *harness.EMRJob) []*unstructured.Unstructured { return j.Endpoint }),
		},
		{"replicaset-ctrl.", "its Pod, the gateway of the notebooks", jobsGoOn, allowed, "", "", waitForEndpointPod},
		{
			"ben", "a label on the driver Pod (an UPDATE)", jobsGoOn, allowed, "", "",
			patch(ben, named("Pod", emrNamespace, "spark-"+harness.JobID+"-driver"),
				"metadata: {labels: {team: orders}}", "metadata: {labels: {team: null}}"),
		},
		{"alice", "a Pod in namespace analytics", scopeIsNarrow, allowed, "", "", createFile(alice, "pod-elsewhere.yaml")},
		{"ben", "a Pod in emr-jobs with nothing wrong in it", podCredentials, allowed, "", "", createFile(ben, "pod-clean.yaml")},
	}
}

// podRows are Pods that get AWS credentials in a way other than IRSA.
func podRows() []row {
	return []row{
		{
			"ben", "Pod annotated iam.amazonaws.com/role", podCredentials, denied, "kube2iam-kiam-annotation", "",
			createFile(ben, "pod-kube2iam.yaml"),
		},
		{
			"ben", "the same, as a server-side dry run", podCredentials, denied, "kube2iam-kiam-annotation", "",
			createFile(ben, "pod-kube2iam.yaml", harness.DryRun),
		},
		{
			"alice", "Namespace emr-jobs annotated iam.amazonaws.com/allowed-roles", podCredentials, denied, "kube2iam-kiam-annotation", "",
			patch(alice, named("Namespace", "", emrNamespace),
				`metadata: {annotations: {iam.amazonaws.com/allowed-roles: '["*"]'}}`,
				`metadata: {annotations: {iam.amazonaws.com/allowed-roles: null}}`),
		},
		{
			"spark-client SA", "driver with AWS_ACCESS_KEY_ID, by spark.kubernetes.driverEnv", podCredentials, denied, "static-aws-credentials", "",
			createDriver("driver-static-keys", "driver-static-keys.patch.yaml"),
		},
		{
			"ben", "Pod that takes a key from a Secret, under another name", podCredentials, denied, "static-aws-credentials", "",
			createFile(ben, "pod-secret-key.yaml"),
		},
		{
			"ben", "Pod with a key in its arguments", podCredentials, denied, "static-aws-credentials", "",
			createFile(ben, "pod-key-in-args.yaml"),
		},
		{
			"ben", "Pod with a Secret at /home/hadoop/.aws", podCredentials, denied, "static-aws-credentials", "",
			createFile(ben, "pod-aws-folder.yaml"),
		},
		{
			"ben", "kubectl debug of an executor, with static keys", podCredentials, denied, "static-aws-credentials", "",
			debug(ben, 1, "--env=AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
				"--env=AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
		},
		{
			"ben", "Pod with hostNetwork", podCredentials, denied, "instance-profile-access", "",
			createFile(ben, "pod-host-network.yaml"),
		},
		{
			"spark-client SA", "driver with hostPath /var/lib/kubelet", podCredentials, denied, "instance-profile-access", "",
			createDriver("driver-kubelet-folder", "driver-kubelet-folder.patch.yaml"),
		},
		{
			"ben", "Pod with hostPath /var//lib/./kubelet/pods", podCredentials, denied, "instance-profile-access", "",
			createFile(ben, "pod-kubelet-path.yaml"),
		},
		{
			"spark-client SA", "driver with the AWS_ROLE_ARN of another role", podCredentials, denied, "role-arn-override irsa-credentials", "",
			createDriver("driver-other-role", "driver-other-role.patch.yaml"),
		},
		{
			"spark-client SA", "driver that imitates the injection, with another role", podCredentials, denied, "irsa-credentials", "",
			createDriver("driver-imitation", "driver-imitation.patch.yaml"),
		},
		{
			"ben", "Pod with a token for sts.amazonaws.com", podCredentials, denied, "role-arn-override", "",
			createFile(ben, "pod-sts-token.yaml"),
		},
		{
			"spark-client SA", "driver that opts out of IRSA: label skip-pod-identity-webhook", podCredentials, denied, "irsa-credentials", "",
			createDriver("driver-skip-irsa", "driver-skip-irsa.patch.yaml"),
		},
	}
}

// templateRows are objects from which such Pods would come.
func templateRows() []row {
	return []row{
		{
			"ben", "DaemonSet kube2iam in namespace tools", podCredentials, warned, "kube2iam-kiam-daemonset", "",
			createFile(ben, "kube2iam.yaml"),
		},
		{
			"ben", "Deployment with iam.amazonaws.com/role in its template", podCredentials, warned, "kube2iam-kiam-annotation", "",
			createDeployment,
		},
		{
			"replicaset-ctrl.", "the Pod of that Deployment", podCredentials, denied, "kube2iam-kiam-annotation", allowed,
			deploymentPod,
		},
		{
			"ben", "SparkApplication with static keys", podCredentials, warned, "static-aws-credentials", "",
			createFile(ben, "sparkapplication-static-keys.yaml"),
		},
		{
			"ben", "FlinkDeployment with kubernetes.hostnetwork.enabled", podCredentials, warned, "instance-profile-access", "",
			createFile(ben, "flinkdeployment-host-network.yaml"),
		},
	}
}

// accountRows tamper with the accounts that carry execution roles.
func accountRows() []row {
	driver := named("ServiceAccount", emrNamespace, harness.ManagedAccount("driver"))
	return []row{
		{
			"alice", "ServiceAccount emr-containers-sa-… of DataLakeAdmin", rbacPermissions, denied, "managed-service-account", "",
			createFile(alice, "managed-account.yaml"),
		},
		{
			"alice", "another role-arn on the driver's ServiceAccount", rbacPermissions, denied, "managed-service-account +service-account-hijack", "",
			patch(alice, driver,
				"metadata: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::123456789012:role/DataLakeAdmin'}}",
				"metadata: {annotations: {eks.amazonaws.com/role-arn: '"+harness.JobRoleARN+"'}}"),
		},
		{
			"alice", "a role-arn on the ServiceAccount default", rbacPermissions, denied, "managed-service-account", "",
			patch(alice, named("ServiceAccount", emrNamespace, "default"),
				"metadata: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::123456789012:role/DataLakeAdmin'}}",
				"metadata: {annotations: {eks.amazonaws.com/role-arn: null}}"),
		},
		{
			"ben", "ServiceAccount named for ReportingRole, annotated DataLakeAdmin", rbacPermissions, denied, "managed-service-account", "",
			createFile(ben, "managed-account-contradiction.yaml"),
		},
		{
			"ben", "ServiceAccount named as in AWS's own, mistaken example", rbacPermissions, denied, "managed-service-account", "",
			createFile(ben, "managed-account-newline.yaml"),
		},
	}
}

// endRows end the job.
func endRows() []row {
	return []row{
		{"emr-containers", "deletes the Job", jobsGoOn, allowed, "", "", deleteJob},
		{"garbage collector", "deletes the Job's Pod", jobsGoOn, allowed, "", "", jobPodGone},
	}
}
