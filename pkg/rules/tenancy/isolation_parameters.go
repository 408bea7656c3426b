package tenancy

import (
	"errors"
	"fmt"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

type isolation struct {
	namespaces []allowedNamespaces
	groups     []roleGroup
	maxRoles   int
	cluster    string // AWS account of the cluster, or empty
}

type allowedNamespaces struct {
	namespaces pattern.Set
	roles      []emr.RolePattern
}

type roleGroup struct {
	name  string
	roles []emr.RolePattern
}

func newRoleIsolation(s rule.Settings) (rule.Check, error) {
	var p struct {
		Namespaces []struct {
			Namespaces []string `json:"namespaces" syntax:"pattern" minItems:"1"`
			Roles      []string `json:"roles" syntax:"role"`
		} `json:"namespaces"`
		Groups []struct {
			Name  string   `json:"name" syntax:"pattern"`
			Roles []string `json:"roles" syntax:"role" minItems:"1"`
		} `json:"groups"`
		MaxRoles *int `json:"maxRoles" min:"1"`
	}
	if err := s.Decode(isolationID, &p); err != nil {
		return nil, err
	}
	c := isolation{maxRoles: defaultMaxRoles, cluster: s.Account}
	var errs []error
	for i, n := range p.Namespaces {
		at := fmt.Sprintf("namespaces[%d]", i)
		set, err := pattern.ParseSet(n.Namespaces)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.namespaces%w", at, err))
		}
		if len(n.Namespaces) == 0 {
			errs = append(errs, errors.New(at+`.namespaces is empty: name namespaces, or "*" for all`))
		}
		roles, err := rolePatterns(n.Roles)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.roles%w", at, err))
		}
		c.namespaces = append(c.namespaces, allowedNamespaces{set, roles})
	}
	for i, g := range p.Groups {
		at := fmt.Sprintf("groups[%d]", i)
		roles, err := rolePatterns(g.Roles)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s.roles%w", at, err))
		case g.Name == "":
			errs = append(errs, errors.New(at+".name is empty: messages name the group"))
		case len(g.Roles) == 0:
			errs = append(errs, errors.New(at+".roles is empty: name the roles of the group"))
		}
		c.groups = append(c.groups, roleGroup{g.Name, roles})
	}
	if n := p.MaxRoles; n != nil {
		if c.maxRoles = *n; *n < 1 {
			errs = append(errs, errors.New("maxRoles is less than 1"))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, rule.ParameterError(isolationID, err)
	}
	return c.check, nil
}

func rolePatterns(list []string) ([]emr.RolePattern, error) {
	patterns := make([]emr.RolePattern, 0, len(list))
	for i, text := range list {
		p, err := emr.ParseRolePattern(text)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}
