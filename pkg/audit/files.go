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

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/iam"
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
	// Problems are what cannot be read.
	Problems []report.Problem
	// notes say what the input lacks.
	notes []string
	// Namespaces that the objects name, sorted.
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
	f := &Files{skipped: in.Foreign}
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
	if !ok || strings.Contains(res.Resource, "/") { // what is posted to a subresource stands in no file
		f.skipped++
		return
	}
	o, err := object.Decode(res, source.JSON)
	if err == nil && o.Meta.Name == "" && o.Meta.GenerateName == "" {
		err = errors.New("metadata.name is missing")
	}
	if err != nil {
		f.Problems = append(f.Problems, report.Problem{File: source.File, Line: source.Line(""), Message: err.Error()})
		return
	}
	if res.Cluster {
		o.Meta.Namespace = ""
	} else {
		o.Meta.Namespace = cmp.Or(o.Meta.Namespace, namespace)
		f.Namespaces = append(f.Namespaces, o.Meta.Namespace)
	}
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

// Judge judges everything in the order of the input.
func (f *Files) Judge(ctx context.Context, c *config.Guard, e *engine.Engine, list []rule.Rule, o Options) (*report.Report, error) {
	a, err := New(e, list, &f.world, o)
	if err != nil {
		return nil, err
	}
	a.report.Problems, a.report.Skipped = f.Problems, f.skipped
	for i := range f.objects {
		x := &f.objects[i]
		a.Judge(ctx, x.resource, x.object, x.place)
	}
	a.report.Notes = append(a.report.Notes, f.notes...)
	if len(a.managed) == 0 && len(f.Namespaces) > 0 {
		a.report.Notes = append(a.report.Notes, "No namespace of the input is EMR's by this configuration; only the rules for every namespace were asked.")
	}
	if c.Mode != "" {
		a.report.Notes = append(a.report.Notes, fmt.Sprintf("The mode is %q: nothing is denied.", c.Mode))
	}
	return a.Report(), nil
}

// Snapshot returns what was read, with all roles and bindings counting.
func (f *Files) Snapshot() *cluster.Snapshot {
	for i := range f.objects {
		f.world.count(f.objects[i].object)
	}
	return &f.world.snapshot
}
