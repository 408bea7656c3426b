package admissioncontrol

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

// DeletionConditions are the matchConditions of all other entries. Pods are deleted all
// the time, by the kubelet, by controllers, by people. Rules look at those alone that an
// account of the pod's own namespace deletes, and not at an account's own pods, nor at
// those of the same managed role: drivers delete their executors. The expression must
// not fail for any request: the failure policy would answer it.
func DeletionConditions() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{{
		Name: "pods-are-deleted-by-accounts-of-their-namespace",
		Expression: `request.operation != "DELETE" || request.resource.resource != "pods" || request.resource.group != "" ||
oldObject == null || (
  request.userInfo.username.startsWith("system:serviceaccount:" + request.namespace + ":") &&
  [oldObject.?spec.?serviceAccountName.orValue("")].exists(account,
    !request.userInfo.username.endsWith(":" + account) &&
    !(account.startsWith("emr-containers-sa-") && request.userInfo.username.contains(":emr-containers-sa-") &&
      account.matches("-[0-9]{12}-[0-9a-z]+$") &&
      request.userInfo.username.endsWith(account.find("-[0-9]{12}-[0-9a-z]+$")))))`,
	}}
}
