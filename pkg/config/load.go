package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

// DefaultBreakGlassGroup is the group whose members turn denials into warnings.
const DefaultBreakGlassGroup = "emrguard:break-glass"

// mastersGroup is who may do everything, and the only administrator by default.
const mastersGroup = "system:masters"

// The credential providers.
const (
	IRSA        = "irsa"
	PodIdentity = "pod-identity"
)

// Default returns the configuration of an empty file, with every default
// written out.
func Default() *Guard {
	c := &Guard{APIVersion: APIVersion, Kind: Kind}
	c.setDefaults()
	return c
}

// Load reads and checks a configuration file.
func Load(path string) (*Guard, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a configuration, fills the defaults in and validates it. An
// unknown field, a field of a wrong type or given twice, and a value that cannot
// be are errors that name the field.
func Parse(raw []byte) (*Guard, error) {
	asJSON, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		return nil, err
	}
	c := &Guard{}
	strict, err := json.UnmarshalStrict(asJSON, c)
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, err
	}
	if c.APIVersion != APIVersion || c.Kind != Kind {
		return nil, fmt.Errorf("apiVersion, kind: they are %q and %q, this version of emrguard reads %q and %q", c.APIVersion, c.Kind, APIVersion, Kind)
	}
	c.setDefaults()
	if err := c.validate().ToAggregate(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Guard) setDefaults() {
	c.Profiles.EMR = cmp.Or(c.Profiles.EMR, rule.Strict)
	c.Profiles.EKS = cmp.Or(c.Profiles.EKS, rule.Baseline)
	if c.SystemNamespaces == nil {
		c.SystemNamespaces = []string{metav1.NamespaceSystem, metav1.NamespacePublic, "kube-node-lease"}
	}
	if c.EMR.Discover == nil {
		yes := true
		c.EMR.Discover = &yes
	}
	if c.EMR.Principals.Users == nil {
		c.EMR.Principals.Users = emr.DefaultUsers()
	}
	if c.Administrators.Groups == nil {
		c.Administrators.Groups = []string{mastersGroup}
	}
	if c.BreakGlass.Groups == nil {
		c.BreakGlass.Groups = []string{DefaultBreakGlassGroup}
	}
	if c.CredentialProviders == nil {
		c.CredentialProviders = []string{IRSA}
	}
}

func (c *Guard) validate() field.ErrorList {
	var errs field.ErrorList
	bad := func(p *field.Path, value any, why string) { errs = append(errs, field.Invalid(p, value, why)) }

	if c.Mode != "" && c.Mode != rule.Warn && c.Mode != rule.Audit {
		errs = append(errs, field.NotSupported(field.NewPath("mode"), c.Mode, []rule.Action{"", rule.Warn, rule.Audit}))
	}
	errs = append(errs, c.EMR.validate(field.NewPath("emr"))...)
	errs = append(errs, patterns(field.NewPath("administrators", "users"), c.Administrators.Users)...)
	errs = append(errs, names(field.NewPath("administrators", "groups"), c.Administrators.Groups)...)
	errs = append(errs, c.BreakGlass.validate(field.NewPath("breakGlass"))...)
	errs = append(errs, patterns(field.NewPath("trustedSubjects"), c.TrustedSubjects)...)
	for i, provider := range c.CredentialProviders {
		if provider != IRSA && provider != PodIdentity {
			errs = append(errs, field.NotSupported(field.NewPath("credentialProviders").Index(i), provider, []string{IRSA, PodIdentity}))
		}
	}
	if len(c.CredentialProviders) == 0 {
		errs = append(errs, field.Required(field.NewPath("credentialProviders"), "without a provider no pod could have credentials"))
	}
	if d := c.Documentation; d != "" && d != "none" && !strings.HasPrefix(d, "https://") && !strings.HasPrefix(d, "http://") {
		bad(field.NewPath("documentation"), d, `write an address such as "https://wiki.example.com/emrguard/{rule}", or none`)
	}
	errs = append(errs, c.validateProfiles()...)
	errs = append(errs, c.validateRules()...)
	return append(errs, c.validateExemptions()...)
}

func (b *BreakGlass) validate(p *field.Path) field.ErrorList {
	errs := slices.Concat(names(p.Child("groups"), b.Groups), patterns(p.Child("users"), b.Users), names(p.Child("userGroups"), b.UserGroups))
	for i, name := range b.Users {
		if name != "" && strings.Trim(name, "*") == "" {
			errs = append(errs, field.Invalid(p.Child("users").Index(i), name, "it lets everybody break the glass; name the people"))
		}
	}
	for i, name := range b.UserGroups {
		if name == "system:authenticated" || name == "system:unauthenticated" || strings.HasPrefix(name, "system:serviceaccounts") {
			errs = append(errs, field.Invalid(p.Child("userGroups").Index(i), name, "it lets everybody break the glass; name a group of people"))
		}
	}
	return errs
}

func (c *Guard) validateProfiles() field.ErrorList {
	known := func(p *field.Path, profile rule.Profile) field.ErrorList {
		if slices.Contains(rule.Profiles(), profile) {
			return nil
		}
		return field.ErrorList{field.NotSupported(p, profile, rule.Profiles())}
	}
	path := field.NewPath("profiles")
	errs := slices.Concat(known(path.Child("emr"), c.Profiles.EMR), known(path.Child("eks"), c.Profiles.EKS),
		patterns(field.NewPath("systemNamespaces"), c.SystemNamespaces))
	for i, t := range c.Tenants {
		p := field.NewPath("tenants").Index(i)
		errs = append(errs, patterns(p.Child("namespaces"), t.Namespaces)...)
		errs = append(errs, known(p.Child("profile"), t.Profile)...)
		if _, err := metav1.LabelSelectorAsSelector(t.NamespaceSelector); err != nil {
			errs = append(errs, field.Invalid(p.Child("namespaceSelector"), t.NamespaceSelector, err.Error()))
		}
		if s := t.NamespaceSelector; len(t.Namespaces) == 0 && (s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0) {
			errs = append(errs, field.Required(p.Child("namespaces"), "name namespaces, or select them by label"))
		}
	}
	return errs
}

func (c *Guard) validateRules() field.ErrorList {
	var errs field.ErrorList
	for id, r := range c.Rules {
		p := field.NewPath("rules").Key(id)
		if r.Mode != "" {
			errs = append(errs, action(p.Child("mode"), r.Mode, rule.Deny, rule.Warn, rule.Audit, rule.Off)...)
		}
		if r.OnError != "" {
			errs = append(errs, action(p.Child("onError"), r.OnError, rule.Deny, rule.Warn, rule.Audit)...)
		}
		for name, reason := range r.Reasons {
			errs = append(errs, action(p.Child("reasons").Key(name).Child("mode"), reason.Mode, rule.Deny, rule.Warn, rule.Audit, rule.Off)...)
		}
	}
	for i, o := range c.Overrides {
		p := field.NewPath("overrides").Index(i)
		if len(o.Namespaces) == 0 {
			errs = append(errs, field.Required(p.Child("namespaces"), "name namespaces; patterns are allowed"))
		}
		errs = append(errs, patterns(p.Child("namespaces"), o.Namespaces)...)
		errs = append(errs, action(p.Child("mode"), o.Mode, rule.Deny, rule.Warn, rule.Audit, rule.Off)...)
	}
	return errs
}

// validateExemptions says nothing of dates that have passed: a process must be
// able to start with the file with which it ran yesterday.
func (c *Guard) validateExemptions() field.ErrorList {
	var errs field.ErrorList
	for i, e := range c.Exemptions {
		p := field.NewPath("exemptions").Index(i)
		if e.Rule == "" {
			errs = append(errs, field.Required(p.Child("rule"), "name the rule that it excuses"))
		}
		if strings.TrimSpace(e.Reason) == "" {
			errs = append(errs, field.Required(p.Child("reason"), "say why"))
		}
		if e.Expires != nil && e.Expires.IsZero() {
			errs = append(errs, field.Invalid(p.Child("expires"), "", `write a date like "2027-01-31T00:00:00Z"`))
		}
	}
	return errs
}

func action(p *field.Path, a rule.Action, allowed ...rule.Action) field.ErrorList {
	if slices.Contains(allowed, a) {
		return nil
	}
	return field.ErrorList{field.NotSupported(p, a, allowed)}
}

func patterns(p *field.Path, list []string) field.ErrorList {
	var errs field.ErrorList
	for i, s := range list {
		if _, err := pattern.Parse(s); err != nil {
			errs = append(errs, field.Invalid(p.Index(i), s, err.Error()))
		}
	}
	return errs
}

func names(p *field.Path, list []string) field.ErrorList {
	var errs field.ErrorList
	for i, s := range list {
		if s == "" {
			errs = append(errs, field.Required(p.Index(i), "an empty name matches nobody"))
		}
		if strings.Contains(s, "*") {
			errs = append(errs, field.Invalid(p.Index(i), s, "groups are names, not patterns"))
		}
	}
	return errs
}
