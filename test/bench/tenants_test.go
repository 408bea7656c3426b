package bench_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/test/harness"
)

// perTenant is how many objects tenant makes of one namespace, without the
// namespace.
const perTenant = 40

// tenant is a namespace that teams work in: what they deploy and what EMR runs, in
// the order in which an API server takes it. One object in twenty breaks a rule.
func tenant(tb testing.TB, i int) []client.Object {
	tb.Helper()
	ns := fmt.Sprintf("tenant-%d", i)
	meta := func(format string, args ...any) metav1.ObjectMeta {
		name := fmt.Sprintf(format, args...)
		return metav1.ObjectMeta{
			Namespace: ns, Name: name,
			Labels:      map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": ns, "team": fmt.Sprintf("team-%d", i%37)},
			Annotations: map[string]string{"example.com/owner": "team@example.com", "example.com/description": strings.Repeat("what this is for ", 4)},
		}
	}
	account := func(name string) *corev1.ServiceAccount {
		sa := &corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: meta("%s", name)}
		sa.Annotations["eks.amazonaws.com/role-arn"] = "arn:aws:iam::123456789012:role/" + ns
		return sa
	}
	list := []client.Object{
		&corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"emr": "yes"}}},
		account("default"), account("app"),
	}
	for n := range 2 {
		list = append(list,
			&rbacv1.Role{
				TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"}, ObjectMeta: meta("reader-%d", n),
				Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods", "pods/log", "services"}, Verbs: []string{"get", "list", "watch"}}},
			},
			&rbacv1.RoleBinding{
				TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"}, ObjectMeta: meta("reader-%d", n),
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: fmt.Sprintf("reader-%d", n)},
				Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: "app"}, {APIGroup: rbacv1.GroupName, Kind: "Group", Name: fmt.Sprintf("team-%d", i%37)}},
			})
	}
	for n := range 6 {
		list = append(list, &corev1.ConfigMap{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: meta("settings-%d", n),
			Data: map[string]string{"application.yaml": strings.Repeat("key: value of a setting that somebody wrote\n", 50)},
		})
	}
	for n := range 4 {
		list = append(list, &corev1.Service{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta("app-%d", n),
			Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": fmt.Sprintf("app-%d", n)}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}},
		})
	}
	for n := range 5 {
		list = append(list, &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: meta("pod-%d", n), Spec: pod(n == 0 && i%2 == 0)})
	}
	list = append(list, drivers(tb, ns, 3)...)
	for n := range 6 {
		selector := map[string]string{"app": fmt.Sprintf("app-%d", n)}
		list = append(list, &appsv1.Deployment{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta("app-%d", n),
			Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: selector}, Spec: pod(n == 0)}},
		})
	}
	for n := range 2 {
		selector := map[string]string{"app": fmt.Sprintf("store-%d", n)}
		list = append(list, &appsv1.StatefulSet{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: meta("store-%d", n),
			Spec: appsv1.StatefulSetSpec{ServiceName: "store", Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: selector}, Spec: pod(false)}},
		})
	}
	once := pod(false)
	once.RestartPolicy = corev1.RestartPolicyNever
	for n := range 3 {
		list = append(list, &batchv1.Job{TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, ObjectMeta: meta("once-%d", n), Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: once}}})
	}
	for n := range 2 {
		list = append(list, &batchv1.CronJob{
			TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}, ObjectMeta: meta("nightly-%d", n),
			Spec: batchv1.CronJobSpec{Schedule: "0 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: once}}}},
		})
	}
	list = append(list,
		&networkingv1.NetworkPolicy{TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}, ObjectMeta: meta("deny-all"), Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{"Ingress", "Egress"}}},
		&policyv1.PodDisruptionBudget{TypeMeta: metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}, ObjectMeta: meta("app"), Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "app-0"}}}},
		&corev1.LimitRange{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "LimitRange"}, ObjectMeta: meta("limits")},
	)
	if len(list) != perTenant+1 {
		tb.Fatalf("a tenant has %d objects, not %d", len(list)-1, perTenant)
	}
	return list
}

// pod is an ordinary pod of a service; a bad one is on the host network.
func pod(bad bool) corev1.PodSpec {
	container := func(name string) corev1.Container {
		c := corev1.Container{
			Name: name, Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/" + name + ":1.4.2", Args: []string{"--config=/etc/app/application.yaml", "--log-format=json"},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app"}, {Name: "scratch", MountPath: "/tmp"}},
		}
		for n := range 12 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", n), Value: fmt.Sprintf("value-of-%d", n)})
		}
		return c
	}
	return corev1.PodSpec{
		ServiceAccountName: "app", HostNetwork: bad,
		InitContainers: []corev1.Container{container("migrate")},
		Containers:     []corev1.Container{container("app"), container("proxy")},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings-0"}}}},
			{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
}

// drivers are driver pods of EMR jobs, as they are written, before any webhook
// mutated them, with an account that is there.
func drivers(tb testing.TB, ns string, n int) []client.Object {
	tb.Helper()
	job, err := harness.LoadEMRJob(ns)
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]client.Object, 0, n)
	for i := range n {
		d, err := job.DriverPod()
		if err != nil {
			tb.Fatal(err)
		}
		d.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		d.Namespace, d.Name, d.GenerateName, d.OwnerReferences = ns, fmt.Sprintf("driver-%d", i), "", nil
		d.UID, d.ResourceVersion = "", ""
		d.Spec.ServiceAccountName, d.Spec.DeprecatedServiceAccount, d.Spec.NodeName = "app", "", ""
		list = append(list, d)
	}
	return list
}
