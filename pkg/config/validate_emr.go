package config

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/emrguard/emrguard/pkg/emr"
)

func (e *EMR) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	bad := func(p *field.Path, value any, why string) { errs = append(errs, field.Invalid(p, value, why)) }

	for i, ns := range e.Namespaces {
		for _, why := range validation.IsDNS1123Label(ns) {
			bad(p.Child("namespaces").Index(i), ns, why+" (a namespace by its name, not a pattern; use namespaceSelector for several)")
		}
	}
	if _, err := metav1.LabelSelectorAsSelector(e.NamespaceSelector); err != nil {
		bad(p.Child("namespaceSelector"), e.NamespaceSelector, err.Error())
	}
	if a := e.Account; a != "" {
		if _, err := emr.ParseRoleARN("arn:aws:iam::" + a + ":role/x"); err != nil {
			bad(p.Child("account"), a, "an AWS account id is twelve digits; put it in quotes")
		}
	}
	errs = append(errs, patterns(p.Child("principals", "users"), e.Principals.Users)...)
	for i, name := range e.Principals.Operators {
		if parts := strings.Split(name, ":"); len(parts) != 4 || !strings.HasPrefix(name, "system:serviceaccount:") || slices.Contains(parts, "") {
			bad(p.Child("principals", "operators").Index(i), name, "write system:serviceaccount:<namespace>:<name>")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.VirtualClusters)) {
		p, ns := p.Child("virtualClusters").Key(id), e.VirtualClusters[id]
		if id == "" {
			errs = append(errs, field.Required(p, "name the id of a virtual cluster"))
		}
		if ns != "" {
			for _, why := range validation.IsDNS1123Label(ns) {
				bad(p, ns, why+` (the namespace of the virtual cluster; "" when it is of another EKS cluster)`)
			}
		}
	}
	jobAccounts := p.Child("principals", "jobAccounts")
	errs = append(errs, patterns(jobAccounts, e.Principals.JobAccounts)...)
	for i, name := range e.Principals.JobAccounts {
		if why := validation.IsDNS1123Subdomain(strings.ReplaceAll(name, "*", "x")); name != "" && len(why) > 0 {
			bad(jobAccounts.Index(i), name, "write the name of a ServiceAccount, without its namespace; patterns are allowed")
		}
		if strings.Trim(name, "*") == "" && name != "" {
			bad(jobAccounts.Index(i), name, "it makes every ServiceAccount a job account; name those that run jobs")
		}
	}
	for i, u := range e.RoleUsers {
		p := p.Child("roleUsers").Index(i)
		errs = append(errs, patterns(p.Child("users"), u.Users)...)
		errs = append(errs, patterns(p.Child("roles"), u.Roles)...)
		if len(u.Users)+len(u.Groups) == 0 {
			errs = append(errs, field.Required(p, "name users or groups"))
		}
		if len(u.Roles) == 0 {
			errs = append(errs, field.Required(p.Child("roles"), "name role ARNs; patterns are allowed"))
		}
	}
	return errs
}
