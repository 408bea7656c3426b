package integration

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/emrguard/emrguard/test/harness"
)

// definitionWriters may write CustomResourceDefinitions, and nothing else.
const definitionWriters = "integration-definition-writers"

func definition(name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion("apiextensions.k8s.io/v1")
	obj.SetKind("CustomResourceDefinition")
	obj.SetName(name)
	return obj
}

// Who may change how custom resources that are judged are converted and defaulted:
// their operators read the result. The definition that is changed here has one version,
// so nothing is ever converted.
func TestDefinitionsOfJudgedResources(t *testing.T) {
	const bypassers = "integration-definition-bypassers"
	grant(t, cp, definitionWriters, rbacv1.PolicyRule{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	grant(t, cp, bypassers, rbacv1.PolicyRule{APIGroups: []string{"emrguard.dev"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"bypass"}})
	const (
		convert = `{"spec": {"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/convert"}}}}}`
		noMore  = `{"spec": {"conversion": {"strategy": "None", "webhook": null}}}`
		move    = `{"spec": {"conversion": {"webhook": {"clientConfig": {"url": "https://127.0.0.1:2/convert"}}}}}`
		// Any PEM block of a certificate will do.
		inject   = `{"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "CA"}}}}}`
		labelled = `{"metadata": {"labels": {"a": "b"}}}`
		defaults = `[{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties", "value": {"serviceAccount": {"type": "string", "default": "somebody-elses"}}}]`
	)
	judged, converted, others := definition("sparkapplications.sparkoperator.k8s.io"), definition("podidentityassociations.eks.services.k8s.aws"), definition("widgets.example.com")
	others.Object["spec"] = map[string]any{
		"group": "example.com", "scope": "Namespaced", "names": map[string]any{"kind": "Widget", "plural": "widgets"},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}}}},
	}
	setup := planter(t)
	a, _ := setup.Patch(t.Context(), converted, types.MergePatchType, convert)
	must(t, "have a conversion", a)
	t.Cleanup(func() {
		a, _ := setup.Patch(context.WithoutCancel(t.Context()), converted, types.MergePatchType, noMore)
		must(t, "bring the definition back", a)
	})
	a, _ = setup.Create(t.Context(), others)
	must(t, "define something else", a)
	t.Cleanup(func() { must(t, "remove it", setup.Delete(context.WithoutCancel(t.Context()), others)) })
	patch := func(user, group string, obj *unstructured.Unstructured, patch string) harness.Answer {
		c, err := cp.As(user, group, definitionWriters)
		if err != nil {
			t.Fatal(err)
		}
		kind := types.MergePatchType
		if strings.HasPrefix(patch, "[") {
			kind = types.JSONPatchType
		}
		ca := cp.AdminConfig().CAData
		patch = strings.ReplaceAll(patch, `"CA"`, `"`+base64.StdEncoding.EncodeToString(ca)+`"`)
		a, _ := c.Patch(t.Context(), obj, kind, patch, harness.DryRun)
		return a
	}
	err := harness.WaitFor(t.Context(), "the chart's policies", patience, func(context.Context) error {
		if a := patch(harness.Submitter, "x", judged, convert); a.Verdict != harness.Denied {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		user, group string
		object      *unstructured.Unstructured
		patch       string
		want        harness.Verdict
	}{
		"a conversion":                     {harness.Submitter, "x", judged, convert, harness.Denied},
		"a default":                        {harness.Submitter, "x", judged, defaults, harness.Denied},
		"another address":                  {harness.Submitter, "x", converted, move, harness.Denied},
		"no conversion any more":           {harness.Submitter, "x", converted, noMore, harness.Denied},
		"a caBundle":                       {harness.Submitter, "x", converted, inject, harness.Allowed},
		"labels":                           {harness.Submitter, "x", judged, labelled, harness.Allowed},
		"EMR is no administrator":          {harness.EMRUser, "x", judged, convert, harness.Denied},
		"an administrator":                 {author, "system:masters", judged, convert, harness.Allowed},
		"EKS installs an add-on":           {"eks:addon-manager", "x", judged, defaults, harness.Allowed},
		"on call":                          {harness.OnCall, harness.BreakGlassGroup, judged, convert, harness.Warned},
		"who may bypass":                   {"bea", bypassers, judged, convert, harness.Allowed},
		"who may do everything":            {"carl", everything, judged, defaults, harness.Allowed},
		"what no rule reads is converted":  {harness.Submitter, "x", others, convert, harness.Allowed},
		"cert-manager injects into others": {"system:serviceaccount:cert-manager:cert-manager-cainjector", "x", converted, inject, harness.Allowed},
	} {
		a := patch(c.user, c.group, c.object, c.patch)
		want(t, name, a, c.want)
		if text := a.Text(); c.want != harness.Allowed && !strings.Contains(text, `[mutating-webhook] spec: "`+c.user+`" may not change how `+c.object.GetName()) {
			t.Errorf("%s: the answer is %s", name, text)
		}
	}
}
