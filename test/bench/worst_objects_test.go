package bench_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// objectMillis is how long decoding and all rules may take for the largest object that
// etcd takes: what admission gives the rules before it calls it over budget.
const objectMillis = int(limit.Evaluation / time.Millisecond)

// largest is how many bytes etcd takes.
const largest = 1_500_000

// objectBytes is how large the objects are made: as large as etcd takes, or half of it.
var objectBytes = largest

// halved makes something of half the size.
func halved[T any](build func() T) T {
	objectBytes = largest / 2
	defer func() { objectBytes = largest }()
	return build()
}

// first are at most so many of a list, and of half the size at most half as many.
func first(n int, list []any) []any { return list[:min(n*objectBytes/largest, len(list))] }

type m = map[string]any

// filled makes as many elements as fit into an object.
func filled(element func(i int) any) []any {
	var list []any
	for size := 0; size < objectBytes; {
		e := element(len(list))
		raw, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		size += len(raw) + 1
		list = append(list, e)
	}
	return list
}

// pairs makes a map of as many entries as fit.
func pairs(entry func(i int) (key, value string)) m {
	out := m{}
	for size := 0; size < objectBytes; {
		k, v := entry(len(out))
		size += len(k) + len(v) + 6
		out[k] = v
	}
	return out
}

func text(part func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < objectBytes; i++ {
		b.WriteString(part(i))
	}
	return b.String()
}

// keyShaped is a different access key id for every number.
func keyShaped(i int) string {
	return "AKIA2" + strings.Map(func(r rune) rune { return 'A' + r%26 }, fmt.Sprintf("%015d", i))
}

func containerPod(c m, more m) m {
	c["name"], c["image"] = "main", "busybox"
	spec := m{"serviceAccountName": "reader", "containers": []any{c}}
	maps.Copy(spec, more)
	return m{"apiVersion": "v1", "kind": "Pod", "metadata": m{"name": "x", "namespace": "emr-jobs"}, "spec": spec}
}

func custom(group, version, kind string, spec m) m {
	return m{"apiVersion": group + "/" + version, "kind": kind, "metadata": m{"name": "x", "namespace": "emr-jobs"}, "spec": spec}
}

// manyServices are all actions of a thousand services each.
func manyServices(i int) []any {
	list := make([]any, 1000)
	for k := range list {
		list[k] = fmt.Sprintf("a%d-%d:*", i, k)
	}
	return list
}

// executionRole is a role that EMR's accounts may assume, with as many policies as fit,
// each about as long as one that is read.
func executionRole(statement func(i int) any) m {
	document := func(statements []any) string {
		raw, err := json.Marshal(m{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			panic(err)
		}
		return string(raw)
	}
	policies, size := m{}, 0
	for n := 0; size < objectBytes-2*iam.MaxDocument; {
		var list []any
		for part := 0; part < iam.MaxDocument-4096; n++ {
			list = append(list, statement(n))
			part += len(document(list[len(list)-1:]))
		}
		policies[fmt.Sprintf("p%d", len(policies))] = document(list)
		size += iam.MaxDocument
	}
	return custom("iam.services.k8s.aws", "v1alpha1", "Role", m{
		"name": "JobExecutionRole", "inlinePolicies": policies,
		"assumeRolePolicyDocument": document([]any{m{
			"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
			"Principal": m{"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"},
			"Condition": m{"StringLike": m{"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:emr-jobs:emr-containers-sa-*"}},
		}}),
	})
}

// worstObjects are as large as etcd takes, and shaped to cost as much as they can.
func worstObjects() map[string]m {
	env := func(i int) any {
		return m{"name": fmt.Sprintf("V%d", i), "value": fmt.Sprintf("$(V%d)$(V%d)", i-1, i/2)}
	}
	conf := func(i int) (string, string) { return fmt.Sprintf("spark.executorEnv.V%d", i), keyShaped(i) }
	flat := func(i int) string { return fmt.Sprintf("kubernetes.pod.x%d: %s\n", i, keyShaped(i)) }
	return map[string]m{
		"Pod/args of keys":   containerPod(m{"args": filled(func(i int) any { return keyShaped(i) })}, nil),
		"Pod/env of refs":    containerPod(m{"env": filled(env)}, nil),
		"Pod/env of keys":    containerPod(m{"env": filled(func(i int) any { return m{"name": fmt.Sprintf("V%d", i), "value": keyShaped(i)} })}, nil),
		"Pod/env of secrets": containerPod(m{"env": filled(func(i int) any { return m{"name": "AWS_SECRET_ACCESS_KEY", "value": strconv.Itoa(i)} })}, nil),
		"Pod/confs":          containerPod(m{"args": filled(func(i int) any { return fmt.Sprintf("--conf=spark.kubernetes.driver.annotation.a%d=x", i) })}, nil),
		"Pod/one argument":   containerPod(m{"args": []any{text(func(i int) string { return fmt.Sprintf("--conf spark.driverEnv.V%d=%s ", i, keyShaped(i)) })}}, nil),
		"Pod/one shell text": containerPod(m{"command": []any{"sh", "-c", text(func(i int) string { return "$(A)-Daws.accessKeyId=" + keyShaped(i) + " " })}}, nil),
		"Pod/volumes and mounts": containerPod(m{"volumeMounts": first(8000, filled(func(i int) any { return m{"name": fmt.Sprintf("v%d", i%5000), "mountPath": fmt.Sprintf("/m/%d", i)} }))},
			m{"volumes": first(5000, filled(func(i int) any {
				return m{"name": fmt.Sprintf("v%d", i), "hostPath": m{"path": fmt.Sprintf("/var/lib/kubelet/%d", i)}}
			}))}),
		"Pod/containers": containerPod(m{}, m{"initContainers": filled(func(i int) any {
			return m{"name": fmt.Sprintf("c%d", i), "image": fmt.Sprintf("busybox:%d", i), "securityContext": m{"privileged": true}}
		})}),
		"Pod/host aliases": containerPod(m{}, m{"hostAliases": filled(func(i int) any { return m{"ip": "169.254.169.254", "hostnames": []any{fmt.Sprintf("h%d", i)}} })}),
		"ConfigMap/values": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": m{"name": "x", "namespace": "emr-jobs"}, "data": pairs(func(i int) (string, string) { return fmt.Sprintf("k%d", i), keyShaped(i) })},
		"ConfigMap/spark-defaults": {
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": m{"name": "x", "namespace": "emr-jobs", "labels": m{"emr-containers.amazonaws.com/job.configuration": "spark-defaults"}},
			"data": m{"spark-defaults.conf": text(func(i int) string { return fmt.Sprintf("spark.kubernetes.driver.annotation.a%d %s\n", i, keyShaped(i)) })},
		},
		"SparkApplication/confs":      custom("sparkoperator.k8s.io", "v1beta2", "SparkApplication", m{"sparkConf": pairs(conf)}),
		"SparkApplication/hadoop":     custom("sparkoperator.k8s.io", "v1beta2", "SparkApplication", m{"hadoopConf": pairs(func(i int) (string, string) { return fmt.Sprintf("fs.s3a.bucket.b%d.access.key", i), keyShaped(i) })}),
		"FlinkDeployment/flat":        custom("flink.apache.org", "v1beta1", "FlinkDeployment", m{"flinkConfiguration": pairs(func(i int) (string, string) { return fmt.Sprintf("containerized.master.env.V%d", i), keyShaped(i) })}),
		"FlinkDeployment/text":        custom("flink.apache.org", "v1beta1", "FlinkDeployment", m{"flinkConfiguration": m{"x": text(flat)}}),
		"JobRun/parameters":           custom("emrcontainers.services.k8s.aws", "v1alpha1", "JobRun", m{"jobDriver": m{"sparkSubmitJobDriver": m{"sparkSubmitParameters": text(func(i int) string { return fmt.Sprintf("--conf spark.driverEnv.V%d=%s ", i, keyShaped(i)) })}}}),
		"JobRun/overrides":            custom("emrcontainers.services.k8s.aws", "v1alpha1", "JobRun", m{"configurationOverrides": "ApplicationConfiguration:\n- classification: spark-defaults\n  properties:\n" + text(func(i int) string { return fmt.Sprintf("    spark.driverEnv.V%d: %s\n", i, keyShaped(i)) })}),
		"JobRun/overrides of aliases": custom("emrcontainers.services.k8s.aws", "v1alpha1", "JobRun", m{"configurationOverrides": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"}),
		"NetworkPolicy/rules": custom("networking.k8s.io", "v1", "NetworkPolicy", m{"podSelector": m{}, "policyTypes": []any{"Egress"}, "egress": filled(func(i int) any {
			return m{"to": []any{m{"ipBlock": m{"cidr": "0.0.0.0/0", "except": []any{fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256)}}}}}
		})}),
		"NetworkPolicy/except": custom("networking.k8s.io", "v1", "NetworkPolicy", m{"podSelector": m{}, "policyTypes": []any{"Egress"}, "egress": []any{m{"to": []any{m{"ipBlock": m{"cidr": "0.0.0.0/0", "except": filled(func(i int) any {
			return fmt.Sprintf("10.%d.%d.%d/32", i/65536%256, i/256%256, i%256)
		})}}}}}}),
		"Ingress/rules": custom("networking.k8s.io", "v1", "Ingress", m{"ingressClassName": "alb", "rules": filled(func(i int) any { return m{"host": fmt.Sprintf("h%d.example.com", i)} })}),
		"Service/ranges": {"apiVersion": "v1", "kind": "Service", "metadata": m{"name": "x", "namespace": "emr-jobs"}, "spec": m{"type": "LoadBalancer", "loadBalancerSourceRanges": filled(func(i int) any {
			return fmt.Sprintf("10.%d.%d.%d/32", i/65536%256, i/256%256, i%256)
		})}},
		"NetworkPolicy/ports": custom("networking.k8s.io", "v1", "NetworkPolicy", m{"podSelector": m{}, "policyTypes": []any{"Egress"}, "egress": []any{m{"ports": filled(func(i int) any {
			return m{"protocol": "TCP", "port": 1024 + i%60_000, "endPort": 65_535}
		})}}}),
		"Gateway/listeners": custom("gateway.networking.k8s.io", "v1", "Gateway", m{"gatewayClassName": "none", "listeners": filled(func(i int) any {
			return m{"name": fmt.Sprintf("l%d", i), "port": 1 + i%65_535, "protocol": "HTTP", "hostname": fmt.Sprintf("h%d.example.com", i)}
		})}),
		"LoadBalancerConfiguration/ranges": custom("gateway.k8s.aws", "v1beta1", "LoadBalancerConfiguration", m{"scheme": "internal", "sourceRanges": filled(func(i int) any {
			return fmt.Sprintf("10.%d.%d.%d/32", i/65536%256, i/256%256, i%256)
		})}),
		"Secret/annotations": {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": m{"name": "x", "namespace": "emr-jobs", "annotations": pairs(func(i int) (string, string) {
			return fmt.Sprintf("kubernetes.io/a%d", i), keyShaped(i)
		})}},
		"Pod/tolerations": containerPod(m{}, m{"tolerations": filled(func(i int) any { return m{"key": fmt.Sprintf("k%d", i), "operator": "Exists"} })}),
		"Pod/probes": containerPod(m{}, m{"initContainers": filled(func(i int) any {
			ask := m{"exec": m{"command": []any{"curl", fmt.Sprintf("http://169.254.%d.254/", i%256)}}}
			return m{"name": fmt.Sprintf("c%d", i), "image": "busybox", "livenessProbe": ask, "readinessProbe": ask, "startupProbe": ask, "lifecycle": m{"preStop": ask}}
		})}),
		"Pod/probe command": containerPod(m{"livenessProbe": m{"exec": m{"command": []any{"sh", "-c", text(func(i int) string { return fmt.Sprintf("curl 0x%08x:80 ", i) })}}}}, nil),
		"Pod/image volumes": containerPod(m{}, m{"volumes": filled(func(i int) any {
			return m{"name": fmt.Sprintf("v%d", i), "image": m{"reference": fmt.Sprintf("busybox:%d", i)}}
		})}),
		"FlinkDeployment/tree": custom("flink.apache.org", "v1beta1", "FlinkDeployment", m{"flinkConfiguration": m{"x": strings.Repeat("a: {", 2000) + "b: c" + strings.Repeat("}", 2000)}, "podTemplate": m{"spec": m{"containers": filled(func(i int) any {
			return m{"name": "flink-main-container", "env": []any{m{"name": fmt.Sprintf("V%d", i), "value": keyShaped(i)}}}
		})}}}),
		"Namespace/labels":      {"apiVersion": "v1", "kind": "Namespace", "metadata": m{"name": "emr-jobs", "labels": pairs(func(i int) (string, string) { return fmt.Sprintf("l%d", i), "x" })}},
		"ServiceAccount/labels": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": m{"name": "x", "namespace": "emr-jobs", "annotations": pairs(func(i int) (string, string) { return fmt.Sprintf("eks.amazonaws.com/a%d", i), "x" })}},
		"IAM Role/services":     executionRole(func(i int) any { return m{"Effect": "Allow", "Resource": "*", "Action": manyServices(i)} }),
		"IAM Role/statements": executionRole(func(i int) any {
			return m{"Effect": "Allow", "Action": []any{"s3:*", "iam:Pass*"}, "Resource": fmt.Sprintf("arn:aws:s3:::b%d*", i)}
		}),
	}
}

// reversed is a list from its end.
func reversed(list []any) []any {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// deleting is a ConfigMap that is being deleted.
func deleting(finalizers []any) m {
	return m{"apiVersion": "v1", "kind": "ConfigMap", "metadata": m{
		"name": "x", "namespace": "emr-jobs", "deletionTimestamp": "2026-11-24T12:00:00Z", "finalizers": finalizers,
	}}
}

func boundUsers(subjects []any) m {
	return m{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": m{"name": "x", "namespace": "emr-jobs"},
		"roleRef": m{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}, "subjects": subjects,
	}
}

// worstUpdates are objects and what becomes of them, shaped so that whoever compares
// each with each pays for it.
func worstUpdates() map[string][2]m {
	user := func(name string) any {
		return m{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
	}
	emrs := filled(func(int) any { return user("emr-containers") })
	others := filled(func(i int) any { return user(fmt.Sprintf("u%d", i)) })
	finalizers := filled(func(i int) any { return fmt.Sprintf("a.b/%d", i) })
	keys := filled(func(i int) any { return keyShaped(i) })
	half := slices.Clone(keys)
	for i := range len(half) / 2 {
		half[i] = keyShaped(1_000_000 + i)
	}
	mounts := make([]any, 5000)
	for i := range mounts {
		mounts[i] = m{"name": fmt.Sprintf("v%d", i), "emptyDir": m{}}
	}
	containers := containerPod(m{}, m{"volumes": mounts, "initContainers": filled(func(i int) any {
		return m{"name": fmt.Sprintf("c%d", i), "image": "busybox", "volumeMounts": []any{m{"name": "aws-iam-token", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount"}}, "env": []any{
			m{"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::123456789012:role/r"},
			m{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
		}}
	})[:3500]})
	accounts := containerPod(m{"args": filled(func(i int) any {
		return fmt.Sprintf("--conf=spark.kubernetes.authenticate.driver.serviceAccountName=a%d", i)
	})}, nil)
	return map[string][2]m{
		"RoleBinding/taken from EMR":    {boundUsers(emrs), boundUsers(others)},
		"ConfigMap/finalizers reversed": {deleting(finalizers), deleting(reversed(finalizers)[1:])},
		"Pod/half of the keys changed":  {containerPod(m{"args": keys}, nil), containerPod(m{"args": half}, nil)},
		"Pod/keys reversed":             {containerPod(m{"args": keys}, nil), containerPod(m{"args": reversed(keys)}, nil)},
		"Pod/tokens and volumes":        {containers, containers},
		"Pod/accounts":                  {accounts, accounts},
	}
}

// inTime fails the benchmark when one review took too long.
func inTime(b *testing.B) {
	b.Helper()
	millis := float64(b.Elapsed().Milliseconds()) / float64(b.N)
	b.ReportMetric(millis, "ms/op")
	if millis > float64(objectMillis) {
		b.Errorf("%.0f ms, at most %d are allowed", millis, objectMillis)
	}
}

// tooMuchGrowth is what makes the cost of twice the size suspect: what compares each
// element with each costs four times as much. It takes some time to be more than noise.
const (
	tooMuchGrowth = 3.5
	noise         = 50 * time.Millisecond
)

// growth compares with an object of half the size, and fails when the cost grows faster
// than the size.
func growth(b *testing.B, half func()) {
	b.Helper()
	whole := b.Elapsed() / time.Duration(b.N)
	start, runs := time.Now(), max(b.N, 3)
	for range runs {
		half()
	}
	times := float64(whole) / float64(time.Since(start)/time.Duration(runs))
	b.ReportMetric(times, "x-half")
	if times > tooMuchGrowth && whole > noise {
		b.Errorf("twice the size costs %.1f times as much", times)
	}
}

// BenchmarkWorstUpdates is decoding and all rules on updates of the largest objects
// that etcd takes, the new one unlike the old. It fails when one takes too long.
func BenchmarkWorstUpdates(b *testing.B) {
	f := load(b)
	for name, update := range worstUpdates() {
		before, err := json.Marshal(update[0])
		if err != nil {
			b.Fatal(err)
		}
		after, err := json.Marshal(update[1])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				reviewUpdate(b, f, before, after, rule.Update)
			}
			inTime(b)
		})
	}
}

// BenchmarkWorstObjects is all rules on the largest objects that etcd takes, decoding
// included, created and updated. It fails when one takes too long, or much more than twice
// as long as one of half the size.
func BenchmarkWorstObjects(b *testing.B) {
	f := load(b)
	halves := halved(worstObjects)
	for name, object := range worstObjects() {
		raw, err := json.Marshal(object)
		if err != nil {
			b.Fatal(err)
		}
		half, err := json.Marshal(halves[name])
		if err != nil {
			b.Fatal(err)
		}
		for _, op := range []rule.Operation{rule.Create, rule.Update} {
			b.Run(strings.ReplaceAll(name, " ", "-")+"/"+string(op), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					reviewLargest(b, f, raw, op)
				}
				inTime(b)
				growth(b, func() { reviewLargest(b, f, half, op) })
			})
		}
	}
}

func reviewLargest(b *testing.B, f *fixture, raw []byte, op rule.Operation) {
	b.Helper()
	reviewUpdate(b, f, raw, raw, op)
}

func reviewUpdate(b *testing.B, f *fixture, before, raw []byte, op rule.Operation) {
	b.Helper()
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		b.Fatal(err)
	}
	gv, err := schema.ParseGroupVersion(head.APIVersion)
	if err != nil {
		b.Fatal(err)
	}
	res, ok := object.FindKind(gv.WithKind(head.Kind).GroupKind())
	if !ok {
		b.Fatalf("no rule reads %s", head.Kind)
	}
	o, err := object.Decode(res, raw)
	if err != nil {
		b.Fatal(err)
	}
	r := f.engine.Existing(res, o, f.facts)
	r.Operation, r.Requester = op, f.engine.Classify("alice", nil, r.Namespace)
	f.engine.Review(b.Context(), r, func() (*object.Object, error) { return object.Decode(res, before) })
}
