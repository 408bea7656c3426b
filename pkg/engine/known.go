package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/rule"
)

// knownRules refuses names of rules and reasons that do not exist: a misspelt exemption
// would excuse nothing and a misspelt mode would change nothing.
func knownRules(c *config.Guard, rules []rule.Rule) error {
	for _, id := range slices.Sorted(maps.Keys(c.Rules)) {
		r, err := known("rules["+id+"]", findingID{rule: id}, rules)
		if err != nil {
			return err
		}
		conf := c.Rules[id]
		for _, reason := range slices.Sorted(maps.Keys(conf.Reasons)) {
			if _, err := known("rules["+id+"].reasons["+reason+"]", findingID{id, reason}, rules); err != nil {
				return err
			}
		}
		if err := retired(r, conf.Params); err != nil {
			return err
		}
	}
	for i, o := range c.Overrides {
		for j, id := range o.Rules {
			if _, err := known(fmt.Sprintf("overrides[%d].rules[%d]", i, j), parseID(id), rules); err != nil {
				return err
			}
		}
	}
	for i, x := range c.Exemptions {
		if _, err := known(fmt.Sprintf("exemptions[%d].rule", i), parseID(x.Rule), rules); err != nil {
			return err
		}
	}
	return nil
}

// known returns the rule of an id, or an error that names the field of the configuration.
func known(path string, id findingID, rules []rule.Rule) (*rule.Rule, error) {
	i := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.ID == id.rule })
	if i < 0 {
		return nil, fmt.Errorf("%s: there is no rule %q; `emrguard rules` lists them", path, id.rule)
	}
	r := &rules[i]
	if id.reason != "" && !slices.ContainsFunc(r.Reasons, func(reason *rule.Reason) bool { return reason.Name == id.reason }) {
		return nil, fmt.Errorf("%s: the rule %s has no reason %q; `emrguard rules %s` lists them", path, r.ID, id.reason, r.ID)
	}
	return r, nil
}

// retired refuses parameters that older versions had, and names what took their place.
func retired(r *rule.Rule, params json.RawMessage) error {
	var given map[string]json.RawMessage
	if len(r.Retired) == 0 || len(params) == 0 {
		return nil
	}
	if err := json.Unmarshal(params, &given); err != nil {
		return fmt.Errorf("rules[%s].params: %w", r.ID, err)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if instead, ok := r.Retired[name]; ok {
			return fmt.Errorf("rules[%s].params.%s: there is no such parameter any more; use %s", r.ID, name, instead)
		}
	}
	return nil
}
