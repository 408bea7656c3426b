package accounts

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed pod-template-configmap.md
var podTemplateConfigMapDoc string

// PodTemplateConfigMap is the rule pod-template-configmap.
//
// Guide, "Role-based access control (RBAC) permissions": "Amazon EMR on EKS uses
// Kubernetes ConfigMaps to generate managed pod templates, which contain the managed
// service account name. This attribute must not be changed."
//
// Fields: metadata.labels and metadata.name of ConfigMaps.
func PodTemplateConfigMap() rule.Rule {
	return rule.Rule{
		ID:          "pod-template-configmap",
		Title:       "EMR's ConfigMaps made, changed or removed by a submitter or a job",
		Doc:         podTemplateConfigMapDoc,
		Remediation: "leave EMR's ConfigMaps to EMR; use another name for your own",
		Guide:       guide.RBAC,
		Default:     rule.Deny,
		Requester:   true,
		Targets:     []rule.Target{targets.New("", "v1", "configmaps", rule.Create, rule.Update, rule.Delete)},
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("pod-template-configmap", &struct{}{}); err != nil {
				return nil, err
			}
			return checkPodTemplateConfigMap, nil
		},
	}
}

func checkPodTemplateConfigMap(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if !r.Requester.Untrusted() || !isEMRConfigMap(r.Object) && (r.Old == nil || !isEMRConfigMap(r.Old)) {
		return nil
	}
	verb := map[rule.Operation]string{rule.Create: "create", rule.Update: "change", rule.Delete: "delete"}[r.Operation]
	rep.Add(rule.Finding{
		Path:    "metadata.name",
		Message: fmt.Sprintf("%s may not %s EMR's ConfigMap %q", wording.Requester(r.Requester), verb, r.Object.Meta.Name),
		Act:     true,
	})
	return nil
}

func isEMRConfigMap(o *object.Object) bool {
	_, labelled := o.Meta.Labels[emr.LabelJobConfiguration]
	return labelled || emr.IsConfigMapName(o.Meta.Name)
}
