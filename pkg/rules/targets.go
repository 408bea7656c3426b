package rules

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rule"
)

func target(group, version, resource string, operations ...rule.Operation) rule.Target {
	return rule.Target{Group: group, Version: version, Resource: resource, Operations: operations}
}

// podTargets are Pods themselves. `pods` in a webhook configuration does not
// match the subresource by which kubectl debug adds a container.
func podTargets() []rule.Target {
	return []rule.Target{
		target("", "v1", "pods", rule.Create, rule.Update),
		target("", "v1", "pods/ephemeralcontainers", rule.Update),
	}
}

// podMetadataTargets are the other ways in which the labels and annotations of a pod
// change: those that a Binding brings, and those that a kubelet may write along with
// the status. `pods/resize` and `pods/ephemeralcontainers` take none.
func podMetadataTargets() []rule.Target {
	return []rule.Target{
		metadataTarget("", "pods/status", rule.Update),
		metadataTarget("", "pods/binding", rule.Create),
		metadataTarget("", "bindings", rule.Create),
	}
}

// metadataTarget is a subresource of which only changed labels and annotations matter.
func metadataTarget(group, resource string, operation rule.Operation) rule.Target {
	t := target(group, "v1", resource, operation)
	t.Metadata = true
	return t
}

// namespaceMetadataTargets are the subresources of a Namespace that take its labels and
// annotations.
func namespaceMetadataTargets() []rule.Target {
	list := []rule.Target{metadataTarget("", "namespaces/status", rule.Update), metadataTarget("", "namespaces/finalize", rule.Update)}
	for i := range list {
		list[i].Cluster = true
	}
	return list
}

// workloadTargets are the eight kinds with a pod template.
func workloadTargets() []rule.Target {
	return []rule.Target{
		target("", "v1", "podtemplates", rule.Create, rule.Update),
		target("", "v1", "replicationcontrollers", rule.Create, rule.Update),
		target("apps", "v1", "replicasets", rule.Create, rule.Update),
		target("apps", "v1", "deployments", rule.Create, rule.Update),
		target("apps", "v1", "statefulsets", rule.Create, rule.Update),
		target("apps", "v1", "daemonsets", rule.Create, rule.Update),
		target("batch", "v1", "jobs", rule.Create, rule.Update),
		target("batch", "v1", "cronjobs", rule.Create, rule.Update),
	}
}

// customTargets are the custom resources from which operators make pods.
func customTargets() []rule.Target {
	return []rule.Target{
		target("sparkoperator.k8s.io", "v1beta2", "sparkapplications", rule.Create, rule.Update),
		target("sparkoperator.k8s.io", "v1beta2", "scheduledsparkapplications", rule.Create, rule.Update),
		target("sparkoperator.k8s.io", "v1alpha1", "sparkconnects", rule.Create, rule.Update),
		target("spark.apache.org", "v1", "sparkapplications", rule.Create, rule.Update),
		target("spark.apache.org", "v1", "sparkclusters", rule.Create, rule.Update),
		target("flink.apache.org", "v1beta1", "flinkdeployments", rule.Create, rule.Update),
		target("flink.apache.org", "v1beta1", "flinkbluegreendeployments", rule.Create, rule.Update),
		target("emrcontainers.services.k8s.aws", "v1alpha1", "jobruns", rule.Create, rule.Update),
	}
}

// configMapTargets are the ConfigMaps with Spark properties.
func configMapTargets() []rule.Target {
	return []rule.Target{target("", "v1", "configmaps", rule.Create, rule.Update)}
}

func namespaceTargets() []rule.Target {
	t := target("", "v1", "namespaces", rule.Create, rule.Update)
	t.Cluster = true
	return append([]rule.Target{t}, namespaceMetadataTargets()...)
}

// specTargets is everything that carries a pod spec or describes a pod.
func specTargets() []rule.Target {
	return slices.Concat(podTargets(), workloadTargets(), customTargets(), configMapTargets())
}
