package rules

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// MetadataConditions are the matchConditions of the entries for the subresources of
// which only changed labels and annotations matter. The API server evaluates them
// itself, so the status that kubelets and controllers write costs no call. They have no
// way to fail: every field that may be missing is asked for as an optional one.
//
// The scheduler binds without annotations; the labels of the topology are the API
// server's own (its plugin PodTopologyLabels).
func MetadataConditions() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{{
		Name: "metadata-changes",
		Expression: `request.operation == "UPDATE" ?
  (object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({}) ||
   object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})) :
  (object.metadata.?annotations.orValue({}).size() > 0 ||
   object.metadata.?labels.orValue({}).exists(k, !(k in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"])))`,
	}}
}
