package policies

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/cel/environment"

	"github.com/emrguard/emrguard/pkg/policy"
)

// The versions of Kubernetes that the chart supports: Chart.yaml says the oldest, and
// the newest is that of k8s.io/apiserver in go.mod.
const (
	oldestMinor = 30
	newestMinor = 37
)

// compiled is a policy as the API server has it in memory.
type compiled struct {
	validating.Validator
	conditions  matchconditions.Matcher
	validations cel.ConditionEvaluator
	messages    cel.ConditionEvaluator
}

// compile compiles a policy as an API server of that version does when the policy is
// created: with nothing that an older one does not know.
func compile(p *policy.Policy, values map[string]any, minor uint) (*compiled, []error) {
	spec, err := p.Fill(values)
	if err != nil {
		return nil, []error{err}
	}
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, minor)))
	if err != nil {
		return nil, []error{err}
	}
	const mode = environment.NewExpressions
	withAuthorizer := cel.OptionalVariableDeclarations{HasParams: spec.ParamKind != nil, HasAuthorizer: true}
	without := cel.OptionalVariableDeclarations{HasParams: spec.ParamKind != nil}
	var errs []error
	for _, v := range spec.Variables {
		if result := compiler.CompileAndStoreVariable(&validating.Variable{Name: v.Name, Expression: v.Expression}, withAuthorizer, mode); result.Error != nil {
			errs = append(errs, fmt.Errorf("variable %s: %w", v.Name, result.Error))
		}
	}
	var conditions, validations, messages []cel.ExpressionAccessor
	for i := range spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&spec.MatchConditions[i]))
	}
	for _, v := range spec.Validations {
		validations = append(validations, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
	}
	c := &compiled{
		validations: compiler.CompileCondition(validations, withAuthorizer, mode),
		messages:    compiler.CompileCondition(messages, without, mode),
	}
	// In conditions the API server knows no variables.
	plain := cel.NewConditionCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, minor))).CompileCondition(conditions, withAuthorizer, mode)
	for _, evaluator := range []cel.ConditionEvaluator{plain, c.validations, c.messages} {
		errs = append(errs, evaluator.CompilationErrors()...)
	}
	c.conditions = matchconditions.NewMatcher(plain, spec.FailurePolicy, "policy", "validate", p.Name)
	c.Validator = validating.NewValidator(c.validations, c.conditions, compiler.CompileCondition(nil, withAuthorizer, mode), c.messages, spec.FailurePolicy, nil)
	return c, errs
}

// known are the policies that mustCompile has compiled, by path and values: few
// fixtures have a configuration of their own.
var known sync.Map

// mustCompile compiles a policy for the newest version.
func mustCompile(t *testing.T, p *policy.Policy, values map[string]any) *compiled {
	t.Helper()
	key, err := json.Marshal([]any{p.Path(), values})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := known.Load(string(key)); ok {
		return c.(*compiled)
	}
	c, errs := compile(p, values, newestMinor)
	for _, err := range errs {
		t.Fatalf("policy %s: %v", p.Name, err)
	}
	known.Store(string(key), c)
	return c
}

// request is what somebody asks of the API server.
type request struct {
	user        string
	groups      []string
	operation   admission.Operation
	resource    schema.GroupVersionResource
	object, old *unstructured.Unstructured // nil when there is none
	mayBypass   bool
}

func (r *request) attributes() *admission.VersionedAttributes {
	named := r.object
	var object, old runtime.Object
	if r.object != nil {
		object = r.object
	} else {
		named = r.old
	}
	if r.old != nil {
		old = r.old
	}
	kind := named.GroupVersionKind()
	return &admission.VersionedAttributes{
		Attributes: admission.NewAttributesRecord(object, old, kind, "", named.GetName(), r.resource, "", r.operation, nil, false,
			&user.DefaultInfo{Name: r.user, Groups: r.groups}),
		VersionedObject: admission.NewLazyObject(object), VersionedOldObject: admission.NewLazyObject(old), VersionedKind: kind,
	}
}

func (r *request) authorizer() authorizer.Authorizer {
	if r.mayBypass {
		return authorizerfactory.NewAlwaysAllowAuthorizer()
	}
	return authorizerfactory.NewAlwaysDenyAuthorizer()
}

// concerns reports whether the API server asks the policy about a request.
func concerns(p *policy.Policy, r *request) bool {
	for _, rule := range p.Spec.MatchConstraints.ResourceRules {
		if has(rule.APIGroups, r.resource.Group) && has(rule.Resources, r.resource.Resource) &&
			has(rule.Operations, admissionregistrationv1.OperationType(r.operation)) {
			return true
		}
	}
	return false
}

func has[T comparable](list []T, value T) bool {
	for _, x := range list {
		if x == value {
			return true
		}
	}
	return false
}

// ask returns what the policy finds: its messages. params is nil for a policy without
// parameters. An expression that fails is a failure of the test, as it would refuse
// what is harmless.
func (c *compiled) ask(t *testing.T, r *request, params *corev1.Namespace) (findings []string) {
	t.Helper()
	var object runtime.Object
	if params != nil {
		object = params
	}
	result := c.Validate(t.Context(), r.resource, r.attributes(), object, nil, celconfig.RuntimeCELCostBudget, r.authorizer())
	for _, d := range result.Decisions {
		switch {
		case d.Evaluation == validating.EvalError:
			t.Fatalf("an expression fails: %s", d.Message)
		case d.Action == validating.ActionDeny:
			findings = append(findings, d.Message)
		}
	}
	return findings
}
