// Package targets lists the API resources that several rules have to see.
package targets

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rule"
)

// New is one resource, as kubectl writes it: "deployments.apps", "pods/exec". The table of
// package object has its version and scope.
func New(resource string, operations ...rule.Operation) rule.Target {
	return rule.On(resource, operations...)[0]
}

// Pods are Pods themselves. `pods` in a webhook configuration does not
// match the subresource by which kubectl debug adds a container.
func Pods() []rule.Target {
	return []rule.Target{
		New("pods", rule.Create, rule.Update),
		New("pods/ephemeralcontainers", rule.Update),
	}
}

// PodMetadata are the other ways in which the labels and annotations of a pod
// change: those that a Binding brings, and those that a kubelet may write along with
// the status. `pods/resize` and `pods/ephemeralcontainers` take none.
func PodMetadata() []rule.Target {
	return []rule.Target{
		Metadata("pods/status", rule.Update),
		Metadata("pods/binding", rule.Create),
		Metadata("bindings", rule.Create),
	}
}

// Metadata is a subresource of which only changed labels and annotations matter.
func Metadata(resource string, operation rule.Operation) rule.Target {
	t := New(resource, operation)
	t.Metadata = true
	return t
}

// NamespaceMetadata are the subresources of a Namespace that take its labels and
// annotations.
func NamespaceMetadata() []rule.Target {
	return []rule.Target{Metadata("namespaces/status", rule.Update), Metadata("namespaces/finalize", rule.Update)}
}

// Workloads are the eight kinds with a pod template.
func Workloads() []rule.Target {
	return []rule.Target{
		New("podtemplates", rule.Create, rule.Update),
		New("replicationcontrollers", rule.Create, rule.Update),
		New("replicasets.apps", rule.Create, rule.Update),
		New("deployments.apps", rule.Create, rule.Update),
		New("statefulsets.apps", rule.Create, rule.Update),
		New("daemonsets.apps", rule.Create, rule.Update),
		New("jobs.batch", rule.Create, rule.Update),
		New("cronjobs.batch", rule.Create, rule.Update),
	}
}

// CustomResources are the custom resources from which operators make pods.
func CustomResources() []rule.Target {
	return []rule.Target{
		New("sparkapplications.sparkoperator.k8s.io", rule.Create, rule.Update),
		New("scheduledsparkapplications.sparkoperator.k8s.io", rule.Create, rule.Update),
		New("sparkconnects.sparkoperator.k8s.io", rule.Create, rule.Update),
		New("sparkapplications.spark.apache.org", rule.Create, rule.Update),
		New("sparkclusters.spark.apache.org", rule.Create, rule.Update),
		New("flinkdeployments.flink.apache.org", rule.Create, rule.Update),
		New("flinkbluegreendeployments.flink.apache.org", rule.Create, rule.Update),
		New("jobruns.emrcontainers.services.k8s.aws", rule.Create, rule.Update),
	}
}

// ConfigMaps are the ConfigMaps with Spark properties.
func ConfigMaps() []rule.Target {
	return rule.On("configmaps", rule.Create, rule.Update)
}

// Namespaces are Namespaces themselves, and the subresources that take their labels.
func Namespaces() []rule.Target {
	return append(rule.On("namespaces", rule.Create, rule.Update), NamespaceMetadata()...)
}

// PodSpecs is everything that carries a pod spec or describes a pod.
func PodSpecs() []rule.Target {
	return slices.Concat(Pods(), Workloads(), CustomResources(), ConfigMaps())
}

// SessionJobs are Flink jobs in a session cluster, which is in their namespace.
func SessionJobs() []rule.Target {
	return rule.On("flinksessionjobs.flink.apache.org", rule.Create, rule.Update)
}
