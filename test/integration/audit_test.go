package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/emrguard/emrguard/test/harness"
)

// idPattern finds the rules in a refusal, in warnings and in audit annotations.
var idPattern = regexp.MustCompile(`(?m)^\[([a-z0-9-]+)(?:/[a-z0-9-]+)?\] `)

// idsIn are the rules that a text names at the beginning of a line, sorted.
func idsIn(texts ...string) []string {
	var ids []string
	for _, text := range texts {
		for _, m := range idPattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(ids, m[1]) {
				ids = append(ids, m[1])
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// told are the warnings of emrguard, without those of the API server itself.
func told(a harness.Answer) []string {
	var list []string
	for _, w := range a.Warnings {
		if idPattern.MatchString(w) || strings.HasPrefix(w, "emrguard") {
			list = append(list, w)
		}
	}
	return list
}

// recorded are the annotations that emrguard left in an audit event, by their
// names without the name of the webhook, and the name of that webhook.
func recorded(e *auditv1.Event) (annotations map[string]string, webhook string) {
	annotations = map[string]string{}
	for key, value := range e.Annotations {
		if prefix, name, ok := strings.Cut(key, "/"); ok && strings.HasSuffix(prefix, ".emrguard.dev") {
			annotations[name], webhook = value, prefix
		}
	}
	return annotations, webhook
}

// namespaceOf is the namespace that an event is about.
func namespaceOf(e *auditv1.Event) string {
	switch {
	case e.ObjectRef == nil:
		return ""
	case e.ObjectRef.Resource == "namespaces":
		return e.ObjectRef.Name
	}
	return e.ObjectRef.Namespace
}

// userOf is who acted, after impersonation.
func userOf(e *auditv1.Event) string {
	if e.ImpersonatedUser != nil {
		return e.ImpersonatedUser.Username
	}
	return e.User.Username
}

// auditEvent waits for the one event that matches: the API server writes it
// when the answer is on its way already.
func auditEvent(t *testing.T, what string, match func(*auditv1.Event) bool) *auditv1.Event {
	t.Helper()
	var found []auditv1.Event
	err := harness.WaitFor(t.Context(), "the audit event of "+what, patience, func(context.Context) (err error) {
		if found, err = cp.AuditEvents(match); err == nil && len(found) != 1 {
			err = fmt.Errorf("there are %d", len(found))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return &found[0]
}

// about matches the events of a user's requests for one object.
func about(user, verb, namespace, name string) func(*auditv1.Event) bool {
	return func(e *auditv1.Event) bool {
		return userOf(e) == user && e.Verb == verb && namespaceOf(e) == namespace && e.ObjectRef.Name == name
	}
}
