package audit

import (
	"cmp"
	"errors"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/manifest"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/report"
)

var podKind = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}

// readTemplate reads a Pod without a name, as Spark's podTemplateFile and EMR's
// podTemplateConfiguration take it. The Pods that Spark makes of it are judged when
// they come; here it is judged as a template that has the name of its file.
func (f *Files) readTemplate(source *manifest.Object, namespace string) {
	pods, _ := object.Find(schema.GroupResource{Resource: "pods"})
	templates, ok := object.Find(schema.GroupResource{Resource: "podtemplates"})
	o, err := object.Decode(pods, source.JSON)
	if err == nil && !ok {
		err = errors.New("no rule reads pod templates")
	}
	if err != nil {
		f.Problems = append(f.Problems, report.Problem{File: source.File, Line: source.Line(""), Message: err.Error()})
		return
	}
	o.Meta.Namespace = cmp.Or(o.Meta.Namespace, namespace)
	o.Meta.Name = templateName(source.File)
	for i := range o.Pods {
		o.Pods[i].Template = true
	}
	f.Namespaces = append(f.Namespaces, o.Meta.Namespace)
	f.objects = append(f.objects, fileObject{templates, o, Place{File: source.File, Line: source.Line}})
}

func templateName(file string) string {
	if file == manifest.Stdin {
		return "stdin"
	}
	base := filepath.Base(file)
	return cmp.Or(strings.TrimSuffix(base, filepath.Ext(base)), base)
}
