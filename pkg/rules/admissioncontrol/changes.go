package admissioncontrol

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// isPlatformAdministrator reports whether the requester is a configured
// administrator, also when EMR or an operator is, too. A job account never is: one with
// a managed name in any namespace, one with a configured name in a managed one.
func isPlatformAdministrator(s rule.Settings, r *rule.Request) bool {
	if account, ok := strings.CutPrefix(r.Requester.User, "system:serviceaccount:"); ok && !slices.Contains(s.Operators, r.Requester.User) {
		namespace, name, _ := strings.Cut(account, ":")
		if emr.IsManagedName(name) || s.JobAccounts.Has(name) && r.IsManaged(namespace) {
			return false
		}
	}
	return s.Administrators.Match(r.Requester.User) || slices.ContainsFunc(s.AdminGroups, func(g string) bool { return slices.Contains(r.Requester.Groups, g) })
}

// act is what the requester does, as people call it.
func act(r *rule.Request) string {
	switch r.Operation {
	case rule.Create:
		return "create"
	case rule.Delete:
		return "delete"
	case rule.Update, rule.Connect:
	}
	return "change"
}

// oldOf is the object before an UPDATE, nil when there is none.
func oldOf[T any](r *rule.Request) (*T, bool) {
	if r.Operation != rule.Update || r.Old == nil {
		return nil, false
	}
	old, ok := r.Old.Typed.(*T)
	return old, ok
}

// sameWebhooks reports whether both lists are the same but for their caBundles and
// their order.
func sameWebhooks(a, b []admissionregistrationv1.MutatingWebhook) bool {
	if len(a) != len(b) {
		return false
	}
	named := make(map[string]int, len(b)) // the API server has every name once
	for k := range b {
		named[b[k].Name] = k
	}
	for i := range a {
		k, there := named[a[i].Name]
		if !there {
			return false
		}
		before, after := a[i], b[k]
		before.ClientConfig.CABundle, after.ClientConfig.CABundle = nil, nil
		if !reflect.DeepEqual(before, after) {
			return false
		}
	}
	return true
}

// gainsOwner reports whether an owner was added: who deletes that one, or names one
// that does not exist, has the garbage collector delete the object.
func gainsOwner(before, after []metav1.OwnerReference) bool {
	had := make(map[reference]bool, len(before))
	for i := range before {
		had[referenceOf(&before[i])] = true
	}
	return slices.ContainsFunc(after, func(o metav1.OwnerReference) bool { return !had[referenceOf(&o)] })
}

// reference is an OwnerReference that can be compared.
type reference struct {
	apiVersion, kind, name string
	uid                    types.UID
	controller, block      string // "" when unset
}

func referenceOf(o *metav1.OwnerReference) reference {
	told := func(b *bool) string {
		if b == nil {
			return ""
		}
		return strconv.FormatBool(*b)
	}
	return reference{o.APIVersion, o.Kind, o.Name, o.UID, told(o.Controller), told(o.BlockOwnerDeletion)}
}
