package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// ParseSubject reads a subject as people write it: `user:alice`, `group:team-a`,
// `serviceaccount:ns/name`, the form of messages (`User alice`), or the user name of a
// ServiceAccount. A bare name is an error: it could be a user or a group, and a guess
// that is wrong would say that nobody holds anything.
func ParseSubject(s string) (rbac.Subject, error) {
	kind, name, ok := strings.Cut(s, " ")
	if !ok {
		kind, name, ok = strings.Cut(s, ":")
	}
	if ok {
		switch kind = strings.ToLower(kind); kind {
		case "user", "group":
			if name == "" {
				return rbac.Subject{}, fmt.Errorf("%q names nobody: write %s:<name>", s, kind)
			}
			if kind == "user" {
				return rbac.User(name), nil
			}
			return rbac.Group(name), nil
		case "serviceaccount", "sa":
			namespace, account, found := strings.Cut(name, "/")
			if !found || namespace == "" || account == "" {
				return rbac.Subject{}, errors.New("write a ServiceAccount as serviceaccount:<namespace>/<name>")
			}
			return rbac.ServiceAccount(namespace, account), nil
		}
	}
	if rest, ok := strings.CutPrefix(s, "system:serviceaccount:"); ok {
		if namespace, name, found := strings.Cut(rest, ":"); found && namespace != "" && name != "" {
			return rbac.User(s), nil
		}
	}
	return rbac.Subject{}, fmt.Errorf("%q is no subject: write user:<name>, group:<name> or serviceaccount:<namespace>/<name>", s)
}
