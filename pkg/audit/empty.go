package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// looked counts what was looked at, so that a report never says that all is well
// when it has seen nothing.
type looked struct {
	// managed counts the objects that a rule has read in a managed namespace, or
	// that have none.
	managed int
	// account counts those that are in no cluster at all, such as roles of IAM, and
	// the submitters about whom the API server was asked.
	account int
	// reads remembers whether a rule that was asked reads a resource.
	reads map[readKey]bool
	// who are the rules that would hinder an ordinary user.
	who []string
}

type readKey struct {
	schema.GroupResource
	managed bool
}

// look takes note of an object that is judged.
func (a *Auditor) look(res object.Resource, r *rule.Request) {
	outside := !r.Managed && r.Namespace != ""
	if outside {
		a.report.Outside++
	}
	key := readKey{r.Resource, r.Managed}
	read, known := a.looked.reads[key]
	if !known {
		read = a.engine.Concerns(r.Resource, "", rule.Create, r.Managed) && slices.ContainsFunc(a.report.Rules, func(x rule.Rule) bool {
			return (r.Managed || x.Everywhere) && reads(&x, r.Resource)
		})
		if a.looked.reads == nil {
			a.looked.reads = map[readKey]bool{}
		}
		a.looked.reads[key] = read
	}
	switch {
	case !read, outside:
	case r.Namespace == "" && !res.Cluster:
		a.looked.account++
	default:
		a.looked.managed++
	}
}

func reads(x *rule.Rule, resource schema.GroupResource) bool {
	return slices.ContainsFunc(x.Targets, func(t rule.Target) bool {
		return t.Group == resource.Group && t.Resource == resource.Resource && slices.Contains(t.Operations, rule.Create)
	})
}

// somebody is a user of whom the configuration says nothing.
const somebody = "somebody"

// ask notes which rules that judge who asks would hinder an ordinary user who applies
// the object.
func (a *Auditor) ask(ctx context.Context, res object.Resource, o *object.Object) {
	r := a.request(res, o)
	if !a.asksWho(r) {
		return
	}
	r.File = true
	r.Requester = a.engine.Classify(somebody, groupsOfAll, r.Namespace)
	v := a.engine.Review(ctx, r, nil)
	for _, x := range slices.Concat(v.Denied, v.Warned) {
		if a.rules[x.Rule].Requester && a.asks(x.Rule) && !slices.Contains(a.looked.who, x.Rule) {
			a.looked.who = append(a.looked.who, x.Rule)
		}
	}
}

var groupsOfAll = []string{"system:authenticated"}

// asksWho reports whether a rule that judges who asks reads such a request and has
// said nothing yet.
func (a *Auditor) asksWho(r *rule.Request) bool {
	return slices.ContainsFunc(a.report.Rules, func(x rule.Rule) bool {
		return x.Requester && (r.Managed || x.Everywhere) && !slices.Contains(a.looked.who, x.ID) && reads(&x, r.Resource)
	})
}

// nothing says why nothing was judged; it is empty when something was. What was
// found proves that something was judged, wherever it is.
func (a *Auditor) nothing() string {
	switch {
	case len(a.report.Findings)+len(a.report.Exempted)+a.report.Dropped.Total()+a.report.Dropped.Exempted+a.looked.account > 0:
		return ""
	case a.report.Judged == 0:
		return "there is no object of a kind that a rule reads (`emrguard rules -o json` lists the kinds)"
	case len(a.managed) == 0 && a.engine.Config().EMR.NamespaceSelector != nil:
		return "no namespace is managed: the configuration selects namespaces by label, and of none here the labels fit; of files, add the Namespace to them"
	case len(a.managed) == 0:
		return "no namespace is managed, and what is forbidden is forbidden there: name one by -n, or in a configuration (--config)"
	case a.report.Outside == a.report.Judged:
		return "no object is in a managed namespace; managed are " + names(a.managed)
	case a.looked.managed == 0:
		return "no rule that was asked reads an object of these kinds in these namespaces"
	}
	return ""
}

// maxNamed bounds the names in a message.
const maxNamed = 10

func names(list []string) string {
	if len(list) <= maxNamed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNamed], ", "), len(list)-maxNamed)
}

// refuseEmpty makes a report of nothing one that says so, and a problem unless the
// options allow it.
func (a *Auditor) refuseEmpty(reason string) {
	if reason == "" || len(a.report.Problems)+a.report.Dropped.Problems > 0 {
		return
	}
	a.report.Empty = reason
	if a.options.RefuseEmpty {
		a.report.Problems = append(a.report.Problems, report.Problem{
			Message: "Nothing was judged: " + reason + ". --allow-empty lets that pass.",
		})
	}
}
