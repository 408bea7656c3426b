package iam

import (
	"errors"
	"fmt"
	"strings"
)

// Condition is one key of a Condition element with its operator.
type Condition struct {
	// Operator without prefix and suffix, in lower case: "stringlike".
	Operator string
	// ForAllValues is true with the prefix of that name: the condition then also
	// holds when the request has no such key.
	ForAllValues bool
	// IfExists is true with the suffix of that name: the same.
	IfExists bool
	// Key as it is written. Keys are not distinguished by case.
	Key string
	// Values of which one has to fit.
	Values []string
}

func readConditions(value any) ([]Condition, error) {
	operators, ok := value.(members)
	if !ok {
		return nil, errors.New("Condition: it is no map of operators")
	}
	var list []Condition
	for _, op := range operators {
		path := "Condition." + op.key
		keys, ok := op.value.(members)
		if !ok {
			return nil, fmt.Errorf("%s: it is no map of keys", path)
		}
		c := readOperator(op.key)
		for _, key := range keys {
			values, err := scalars(key.value, path+"."+key.key)
			if err != nil {
				return nil, err
			}
			c.Key, c.Values = key.key, values
			list = append(list, c)
		}
	}
	return list, nil
}

// readOperator takes an operator apart. Which there are is IAM's business: one that
// is not known proves nothing.
func readOperator(s string) Condition {
	c := Condition{Operator: strings.ToLower(s)}
	if rest, ok := strings.CutPrefix(c.Operator, "forallvalues:"); ok {
		c.Operator, c.ForAllValues = rest, true
	}
	c.Operator = strings.TrimPrefix(c.Operator, "foranyvalue:")
	c.Operator, c.IfExists = strings.CutSuffix(c.Operator, "ifexists")
	return c
}

// Confines reports whether the condition holds only for requests that have the key
// with one of the values. Negated operators, …IfExists and ForAllValues also hold
// for requests without the key, and so confine nothing.
func (c *Condition) Confines() bool {
	if c.ForAllValues || c.IfExists {
		return false
	}
	switch c.Operator {
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike":
		return true
	}
	return false
}

// Patterns returns the values as patterns in which `*` and `?` are wildcards.
// Values that no name of AWS or Kubernetes can equal, because their operator takes
// a wildcard as it is written, are left out. A policy variable (`${…}`) may become
// anything and is a wildcard.
func (c *Condition) Patterns() []string {
	var list []string
	for _, v := range c.Values {
		if !c.takesWildcards() && HasWildcard(v) {
			continue
		}
		v = withoutVariables(v)
		if c.Operator == "stringequalsignorecase" {
			v = strings.ToLower(v) // as names in Kubernetes are
		}
		list = append(list, v)
	}
	return list
}

func (c *Condition) takesWildcards() bool {
	return c.Operator == "stringlike" || strings.HasPrefix(c.Operator, "arn")
}

func withoutVariables(s string) string {
	var b strings.Builder
	for {
		from := strings.Index(s, "${")
		if from < 0 {
			break
		}
		to := strings.IndexByte(s[from:], '}')
		if to < 0 {
			break
		}
		b.WriteString(s[:from] + "*")
		s = s[from+to+1:]
	}
	return b.String() + s
}
