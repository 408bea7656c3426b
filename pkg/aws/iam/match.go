package iam

import (
	"slices"
	"strings"
)

// HasWildcard reports whether s holds `*` or `?`.
func HasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// IsWildcard reports whether s is nothing but wildcards, with at least one `*`.
func IsWildcard(s string) bool { return strings.Contains(s, "*") && strings.Trim(s, "*?") == "" }

// Match reports whether all of s fits the pattern, in which `*` stands for any run
// of characters and `?` for one. Case counts.
func Match(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last `*`, and how much of s it has taken
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Covers reports whether the statement is about an action, such as
// "iam:PassRole", whatever its effect. Actions are not distinguished by case.
func (s *Statement) Covers(action string) bool {
	fits := func(pattern string) bool { return Match(strings.ToLower(pattern), strings.ToLower(action)) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, fits)
	}
	return slices.ContainsFunc(s.Actions, fits)
}
