package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/manifest"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Files are the objects that files hold, decoded.
type Files struct {
	world   World
	objects []fileObject
	skipped int
	rbac    bool // there are roles or bindings
	// Problems are what cannot be read.
	Problems []report.Problem
	// notes say what the input lacks, blank where nothing stands.
	notes, blank []string
	// Namespaces that the objects name or are, sorted.
	Namespaces []string
}

type fileObject struct {
	resource object.Resource
	object   *object.Object
	place    Place
}

// ReadFiles decodes what was read from files. Objects of a namespace that name none
// are in the given one.
func ReadFiles(in *manifest.Input, namespace string) *Files {
	f := &Files{skipped: in.Foreign, blank: in.Blank}
	for _, p := range in.Problems {
		f.Problems = append(f.Problems, report.Problem{File: p.File, Line: p.Line, Message: p.Err.Error()})
	}
	for i := range in.Objects {
		f.read(&in.Objects[i], cmp.Or(namespace, metav1.NamespaceDefault))
	}
	slices.Sort(f.Namespaces)
	f.Namespaces = slices.Compact(f.Namespaces)
	return f
}

func (f *Files) read(source *manifest.Object, namespace string) {
	res, ok := object.FindKind(source.GVK.GroupKind())
	if source.GVK == podKind && source.Nameless() {
		f.readTemplate(source, namespace)
		return
	}
	if !ok || strings.Contains(res.Resource, "/") { // what is posted to a subresource stands in no file
		f.skipped++
		return
	}
	o, err := object.Decode(res, source.JSON)
	if err == nil && o.Meta.Name == "" && o.Meta.GenerateName == "" {
		err = errors.New("metadata.name is missing")
	}
	if err == nil && strings.Contains(o.Meta.Name+o.Meta.GenerateName+o.Meta.Namespace, "{{") {
		err = errors.New("it is a template: render it first (helm template … | emrguard check -)")
	}
	if err != nil {
		f.Problems = append(f.Problems, report.Problem{File: source.File, Line: source.Line(""), Message: err.Error()})
		return
	}
	switch {
	case o.GVK.Kind == "Namespace":
		f.Namespaces = append(f.Namespaces, o.Meta.Name)
		fallthrough
	case res.Cluster:
		o.Meta.Namespace = ""
	default:
		o.Meta.Namespace = cmp.Or(o.Meta.Namespace, namespace)
		f.Namespaces = append(f.Namespaces, o.Meta.Namespace)
	}
	f.rbac = f.rbac || o.RBAC() != nil
	f.world.Add(o)
	f.world.snapshot.SetObject(o) // what is small enough for a file may be looked up, whatever it is
	f.objects = append(f.objects, fileObject{res, o, Place{File: source.File, Line: source.Line}})
}

// AddRoles adds the IAM roles of an AWS account, as
// `aws iam get-account-authorization-details` prints them.
func (f *Files) AddRoles(file string, in io.Reader) error {
	roles, err := iam.ReadAccountDetails(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	res, ok := object.FindKind(schema.GroupKind{Group: "iam.services.k8s.aws", Kind: "Role"})
	if !ok {
		return errors.New("no rule reads IAM roles")
	}
	for _, role := range roles {
		o, err := object.Decode(res, role.JSON)
		if err != nil {
			return fmt.Errorf("read %s: role %s: %w", file, role.ARN, err)
		}
		f.objects = append(f.objects, fileObject{res, o, Place{File: file}})
		for _, missing := range role.Missing {
			f.notes = append(f.notes, fmt.Sprintf("The document of policy %s, which role %s has, is not in %s: leave out --filter.", missing, role.Name, file))
		}
	}
	return nil
}

// Judge judges everything as one state. Findings are in the order of the input.
func (f *Files) Judge(ctx context.Context, c *config.Guard, e *engine.Engine, list []rule.Rule, o Options) (*report.Report, error) {
	if f.rbac && !o.WithoutDefaults {
		if err := f.world.addDefaults(); err != nil {
			return nil, err
		}
	}
	a, err := New(e, list, &f.world, o)
	if err != nil {
		return nil, err
	}
	a.report.Problems, a.report.Skipped = f.Problems, f.skipped
	for i := range f.objects {
		if isBinding(f.objects[i].object) {
			f.world.forgets(f.objects[i].object) // a default of that name
		}
	}
	parts := make([]report.Report, len(f.objects))
	bindings := false
	for _, i := range asOneState(len(f.objects), func(i int) *object.Object { return f.objects[i].object }) {
		x, r := &f.objects[i], a.report
		if isBinding(x.object) && !bindings {
			bindings = true
			f.world.mergeRoles(f.objects)
		}
		findings, exempted, problems := len(r.Findings), len(r.Exempted), len(r.Problems)
		a.Judge(ctx, x.resource, x.object, x.place)
		if !isBinding(x.object) {
			f.world.grants(x.object)
		}
		parts[i] = report.Report{Findings: r.Findings[findings:], Exempted: r.Exempted[exempted:], Problems: r.Problems[problems:]}
	}
	inOrder(a.report, f.Problems, parts)
	f.note(a, c)
	reason := a.nothing()
	if reason != "" && len(f.objects) == 0 && len(f.blank) > 0 {
		reason = strings.Join(f.blank, "; ")
	}
	a.refuseEmpty(reason)
	return a.Report(), nil
}

// inOrder puts what was found of each object where the object stands in the input.
func inOrder(r *report.Report, problems []report.Problem, parts []report.Report) {
	r.Problems = slices.Clone(problems)
	findings, exempted := make([]report.Finding, 0, len(r.Findings)), make([]report.Exempted, 0, len(r.Exempted))
	for i := range parts {
		findings, exempted = append(findings, parts[i].Findings...), append(exempted, parts[i].Exempted...)
		r.Problems = append(r.Problems, parts[i].Problems...)
	}
	r.Findings, r.Exempted = findings, exempted
}

// note says what was not looked at, where that is not plain.
func (f *Files) note(a *Auditor, c *config.Guard) {
	a.report.Notes = append(a.report.Notes, f.notes...)
	if len(f.objects) > 0 {
		a.report.Notes = append(a.report.Notes, f.blank...)
	}
	if len(a.looked.who) > 0 {
		slices.Sort(a.looked.who)
		a.report.Notes = append(a.report.Notes, "Nobody asks for these objects. Somebody who is neither an administrator nor EMR itself would be stopped or warned by "+
			strings.Join(a.looked.who, ", ")+": --as says who will apply them.")
	}
	if len(a.managed) == 0 && len(f.Namespaces) > 0 {
		a.report.Notes = append(a.report.Notes, "No namespace of the input is EMR's by this configuration; only the rules for every namespace were asked.")
	}
	if c.Mode != "" {
		a.report.Notes = append(a.report.Notes, fmt.Sprintf("The mode is %q: nothing is denied.", c.Mode))
	}
}

// Snapshot returns what was read, with all roles and bindings counting, beside those
// that every cluster has.
func (f *Files) Snapshot(withoutDefaults bool) (*cluster.Snapshot, error) {
	if !withoutDefaults {
		if err := f.world.addDefaults(); err != nil {
			return nil, err
		}
	}
	for i := range f.objects {
		f.world.grants(f.objects[i].object)
	}
	f.world.mergeRoles(f.objects)
	return &f.world.snapshot, nil
}

// HasRBAC reports whether there are roles or bindings.
func (f *Files) HasRBAC() bool { return f.rbac }

// Blank says of which paths of the input nothing stands.
func (f *Files) Blank() []string { return f.blank }
