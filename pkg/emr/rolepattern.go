package emr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/pattern"
)

// RolePattern is a pattern of role ARNs that roles can be compared with of which
// only a managed name tells.
type RolePattern struct {
	arn pattern.Pattern
	// bare matches the ARN in partition aws and without path. Nil when the pattern
	// needs the path to tell roles apart.
	bare *pattern.Pattern
}

// ParseRolePattern reads a pattern: a role's ARN, in which a * stands for any run
// of characters but ':' and '/', or * alone for every role.
func ParseRolePattern(s string) (RolePattern, error) {
	p, err := pattern.Parse(s)
	if err != nil {
		return RolePattern{}, err
	}
	if s == "*" {
		return RolePattern{p, &p}, nil
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || !strings.HasPrefix(parts[5], "role/") {
		return RolePattern{}, fmt.Errorf("%q is no pattern of role ARNs: write arn:aws:iam::<account id>:role/<name>, with * for any part", s)
	}
	r := RolePattern{arn: p}
	resource := parts[5]
	slash := strings.LastIndexByte(resource, '/')
	path, name := resource[:slash+1], resource[slash+1:]
	if name == "" {
		return RolePattern{}, errors.New("the pattern " + s + " ends in a path: write the name of the role, or *")
	}
	// Role names are unique in an account: a name in full needs no path.
	if path == "role/" || !strings.Contains(name, "*") {
		bare, err := pattern.Parse("arn:aws:iam::" + parts[4] + ":role/" + name)
		if err != nil {
			return RolePattern{}, err
		}
		r.bare = &bare
	}
	return r, nil
}

// Match reports whether the role fits the pattern. Of a role that only a managed
// name tells of, a pattern with a path and a wildcard in the name cannot tell: it
// does not fit. cluster is the AWS account of the cluster, or empty; roles in
// managed names of the older form are its.
func (p RolePattern) Match(r Role, cluster string) bool {
	if r.ARN != "" {
		return p.arn.Match(r.ARN)
	}
	account := r.AccountID
	if account == "" {
		account = cluster
	}
	return p.bare != nil && p.bare.Match("arn:aws:iam::"+account+":role/"+r.Name)
}
