package accounts

import (
	"context"
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed pod-template-configmap.md
var podTemplateConfigMapDoc string

const otherConfigMap = "leave EMR's ConfigMaps to EMR; use another name for your own"

var (
	configMapChanged = rule.Reason{Name: "changed", Severity: rule.Critical, SkipOldComparison: true, Message: "%[1]s may not change EMR's ConfigMap %[2]q", Remedy: otherConfigMap}
	configMapCreated = rule.Reason{Name: "created", Severity: rule.High, SkipOldComparison: true, Message: "%[1]s may not create EMR's ConfigMap %[2]q", Remedy: otherConfigMap}
	configMapDeleted = rule.Reason{Name: "deleted", Severity: rule.High, SkipOldComparison: true, Message: "%[1]s may not delete EMR's ConfigMap %[2]q", Remedy: otherConfigMap}
)

// PodTemplateConfigMap is the rule pod-template-configmap.
//
// Guide, "Role-based access control (RBAC) permissions": "Amazon EMR on EKS uses
// Kubernetes ConfigMaps to generate managed pod templates, which contain the managed
// service account name. This attribute must not be changed."
//
// Fields: metadata.labels and metadata.name of ConfigMaps.
func PodTemplateConfigMap() rule.Rule {
	return rule.Rule{
		ID:        "pod-template-configmap",
		Title:     "EMR's ConfigMaps made, changed or removed by a submitter or a job",
		Doc:       podTemplateConfigMapDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&configMapChanged, &configMapCreated, &configMapDeleted},
		Requester: true,
		Targets:   rule.On("configmaps", rule.Create, rule.Update, rule.Delete),
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
	reason := &configMapChanged
	switch r.Operation {
	case rule.Create:
		reason = &configMapCreated
	case rule.Delete:
		reason = &configMapDeleted
	case rule.Update, rule.Connect:
	}
	rep.Add(rule.Finding{Reason: reason, Path: "metadata.name", Args: rule.Args(wording.Requester(r.Requester), r.Object.Meta.Name)})
	return nil
}

func isEMRConfigMap(o *object.Object) bool {
	_, labelled := o.Meta.Labels[emr.LabelJobConfiguration]
	return labelled || emr.IsConfigMapName(o.Meta.Name)
}
