// Package targets lists the API resources that several rules have to see.
package targets

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rule"
)

// New is a resource of a namespace.
func New(group, version, resource string, operations ...rule.Operation) rule.Target {
	return rule.Target{Group: group, Version: version, Resource: resource, Operations: operations}
}

// Pods are Pods themselves. `pods` in a webhook configuration does not
// match the subresource by which kubectl debug adds a container.
func Pods() []rule.Target {
	return []rule.Target{
		New("", "v1", "pods", rule.Create, rule.Update),
		New("", "v1", "pods/ephemeralcontainers", rule.Update),
	}
}

// PodMetadata are the other ways in which the labels and annotations of a pod
// change: those that a Binding brings, and those that a kubelet may write along with
// the status. `pods/resize` and `pods/ephemeralcontainers` take none.
func PodMetadata() []rule.Target {
	return []rule.Target{
		Metadata("", "pods/status", rule.Update),
		Metadata("", "pods/binding", rule.Create),
		Metadata("", "bindings", rule.Create),
	}
}

// Metadata is a subresource of which only changed labels and annotations matter.
func Metadata(group, resource string, operation rule.Operation) rule.Target {
	t := New(group, "v1", resource, operation)
	t.Metadata = true
	return t
}

// NamespaceMetadata are the subresources of a Namespace that take its labels and
// annotations.
func NamespaceMetadata() []rule.Target {
	list := []rule.Target{Metadata("", "namespaces/status", rule.Update), Metadata("", "namespaces/finalize", rule.Update)}
	for i := range list {
		list[i].Cluster = true
	}
	return list
}

// Workloads are the eight kinds with a pod template.
func Workloads() []rule.Target {
	return []rule.Target{
		New("", "v1", "podtemplates", rule.Create, rule.Update),
		New("", "v1", "replicationcontrollers", rule.Create, rule.Update),
		New("apps", "v1", "replicasets", rule.Create, rule.Update),
		New("apps", "v1", "deployments", rule.Create, rule.Update),
		New("apps", "v1", "statefulsets", rule.Create, rule.Update),
		New("apps", "v1", "daemonsets", rule.Create, rule.Update),
		New("batch", "v1", "jobs", rule.Create, rule.Update),
		New("batch", "v1", "cronjobs", rule.Create, rule.Update),
	}
}

// CustomResources are the custom resources from which operators make pods.
func CustomResources() []rule.Target {
	return []rule.Target{
		New("sparkoperator.k8s.io", "v1beta2", "sparkapplications", rule.Create, rule.Update),
		New("sparkoperator.k8s.io", "v1beta2", "scheduledsparkapplications", rule.Create, rule.Update),
		New("sparkoperator.k8s.io", "v1alpha1", "sparkconnects", rule.Create, rule.Update),
		New("spark.apache.org", "v1", "sparkapplications", rule.Create, rule.Update),
		New("spark.apache.org", "v1", "sparkclusters", rule.Create, rule.Update),
		New("flink.apache.org", "v1beta1", "flinkdeployments", rule.Create, rule.Update),
		New("flink.apache.org", "v1beta1", "flinkbluegreendeployments", rule.Create, rule.Update),
		New("emrcontainers.services.k8s.aws", "v1alpha1", "jobruns", rule.Create, rule.Update),
	}
}

// ConfigMaps are the ConfigMaps with Spark properties.
func ConfigMaps() []rule.Target {
	return []rule.Target{New("", "v1", "configmaps", rule.Create, rule.Update)}
}

// Namespaces are Namespaces themselves, and the subresources that take their labels.
func Namespaces() []rule.Target {
	t := New("", "v1", "namespaces", rule.Create, rule.Update)
	t.Cluster = true
	return append([]rule.Target{t}, NamespaceMetadata()...)
}

// PodSpecs is everything that carries a pod spec or describes a pod.
func PodSpecs() []rule.Target {
	return slices.Concat(Pods(), Workloads(), CustomResources(), ConfigMaps())
}

// SessionJobs are Flink jobs in a session cluster, which is in their namespace.
func SessionJobs() []rule.Target {
	return []rule.Target{New("flink.apache.org", "v1beta1", "flinksessionjobs", rule.Create, rule.Update)}
}
