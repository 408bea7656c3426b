package access

import (
	"errors"
	"strings"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// ParseSubject reads a subject as people write it: `user:alice`, `group:team-a`,
// `serviceaccount:ns/name`, the form of messages (`User alice`), a user name of a
// ServiceAccount, or a bare name, which is a user.
func ParseSubject(s string) (rbac.Subject, error) {
	kind, name, ok := strings.Cut(s, " ")
	if !ok {
		kind, name, ok = strings.Cut(s, ":")
	}
	if ok {
		switch strings.ToLower(kind) {
		case "user":
			return rbac.User(name), nil
		case "group":
			return rbac.Group(name), nil
		case "serviceaccount", "sa":
			namespace, account, found := strings.Cut(name, "/")
			if !found || namespace == "" || account == "" {
				return rbac.Subject{}, errors.New("write a ServiceAccount as serviceaccount:<namespace>/<name>")
			}
			return rbac.ServiceAccount(namespace, account), nil
		}
	}
	return rbac.User(s), nil
}
