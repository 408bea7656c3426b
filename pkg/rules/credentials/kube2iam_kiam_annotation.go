// Package credentials holds the rules on how pods get AWS credentials, and on what
// execution roles may do.
package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed kube2iam-kiam-annotation.md
var kube2IAMAnnotationDoc string

var (
	podAnnotation = rule.Reason{
		Name: "pod-annotation", Severity: rule.High,
		Message: "the annotation %[1]s asks kube2iam or kiam for credentials",
		Remedy:  "remove it; give the role to the pod's ServiceAccount by IRSA",
	}
	namespaceAnnotation = rule.Reason{
		Name: "namespace-annotation", Severity: rule.High,
		Message: "the namespace lets kube2iam or kiam hand out roles by the annotation %[1]s",
		Remedy:  "remove it; give roles to ServiceAccounts by IRSA",
	}
)

// Kube2IAMAnnotation is the rule kube2iam-kiam-annotation.
//
// Guide, "Restrict pod credential access": "Other methods, such as kube2iam, kiam and
// the instance profile of the EC2 instances of the cluster, are not supported."
//
// Fields: metadata.annotations of Pods and pod templates, the annotations that
// Spark, Flink and the EMR job submitter are configured to set, and
// metadata.annotations of Namespaces.
//
// Allowed: absent. An empty value is a finding too: kiam's namespace key with an
// empty regular expression permits every role.
func Kube2IAMAnnotation() rule.Rule {
	return rule.Rule{
		ID:      "kube2iam-kiam-annotation",
		Title:   "annotations by which kube2iam or kiam hand out an IAM role",
		Doc:     kube2IAMAnnotationDoc,
		Clauses: []guide.Clause{emr.ClausePodCredentials},
		Reasons: []*rule.Reason{&podAnnotation, &namespaceAnnotation},
		Targets: slices.Concat(targets.PodSpecs(), targets.PodMetadata(), targets.Namespaces()),
		Parameters: []rule.Parameter{
			{Name: "podKeys", Type: "list of strings", Doc: "Further annotation keys on pods (kube2iam's `--iam-role-key`, `--iam-external-id`)."},
			{Name: "namespaceKeys", Type: "list of strings", Doc: "Further annotation keys on Namespaces (kube2iam's `--namespace-key`)."},
		},
		New: newKube2iamAnnotation,
	}
}

func newKube2iamAnnotation(s rule.Settings) (rule.Check, error) {
	var p struct {
		PodKeys       []string `json:"podKeys"`
		NamespaceKeys []string `json:"namespaceKeys"`
	}
	if err := s.Decode("kube2iam-kiam-annotation", &p); err != nil {
		return nil, err
	}
	podKeys := append([]string{"iam.amazonaws.com/role", "iam.amazonaws.com/external-id", "iam.amazonaws.com/session-name"}, p.PodKeys...)
	namespaceKeys := append([]string{"iam.amazonaws.com/allowed-roles", "iam.amazonaws.com/permitted"}, p.NamespaceKeys...)

	return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
		if r.Resource.Resource == "namespaces" {
			for _, key := range namespaceKeys {
				if value, ok := r.Object.Meta.Annotations[key]; ok {
					rep.Add(rule.Finding{Reason: &namespaceAnnotation, Path: fieldpath.Key("metadata.annotations", key), Args: rule.Args(key), Key: value})
				}
			}
			return nil
		}
		for i := range r.Object.Pods {
			pod := &r.Object.Pods[i]
			for _, key := range podKeys {
				if value, ok := pod.Meta.Annotations[key]; ok {
					rep.Add(rule.Finding{Reason: &podAnnotation, Path: pod.AnnotationPath(key), Args: rule.Args(key), Key: pod.Role + "/" + value})
				}
			}
		}
		return nil
	}, nil
}
