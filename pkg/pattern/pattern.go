// Package pattern matches names against the patterns of the configuration.
package pattern

import (
	"fmt"
	"strings"
)

// Pattern is a literal in which `*` stands for any run of characters. In a
// pattern that begins with "arn:" a `*` stops at ':' and '/', so that it never
// reaches into another part of the ARN.
type Pattern struct {
	parts []string // literals between the wildcards; one part means no wildcard
	arn   bool
}

// Parse reads a pattern. An empty one is an error: it would match nothing and
// was surely meant otherwise.
func Parse(s string) (Pattern, error) {
	if s == "" {
		return Pattern{}, fmt.Errorf("the pattern is empty: name something, or use %q for everything", "*")
	}
	return Pattern{parts: strings.Split(s, "*"), arn: strings.HasPrefix(s, "arn:")}, nil
}

// Match reports whether the whole of s fits the pattern.
func (p Pattern) Match(s string) bool {
	if len(p.parts) == 0 {
		return false
	}
	rest, ok := strings.CutPrefix(s, p.parts[0])
	if !ok {
		return false
	}
	if len(p.parts) == 1 {
		return rest == ""
	}
	return p.match(rest, p.parts[1:])
}

// match reports whether s is a wildcard, then parts[0], a wildcard, parts[1] …
// to the end. Patterns have a handful of wildcards and names are short, so the
// plain recursion stays cheap; without the ARN limit the leftmost place for a
// part is always as good as a later one, and nothing is tried twice.
func (p Pattern) match(s string, parts []string) bool {
	last := len(parts) == 1
	if last {
		i := len(s) - len(parts[0])
		return i >= 0 && s[i:] == parts[0] && p.spans(s[:i])
	}
	for from := 0; ; {
		i := strings.Index(s[from:], parts[0])
		if i < 0 || !p.spans(s[:from+i]) {
			return false
		}
		from += i
		if p.match(s[from+len(parts[0]):], parts[1:]) {
			return true
		}
		if !p.arn {
			return false
		}
		from++
	}
}

// spans reports whether one wildcard may stand for s.
func (p Pattern) spans(s string) bool { return !p.arn || !strings.ContainsAny(s, ":/") }

// Set is a list of patterns of which one has to match.
type Set []Pattern

// ParseSet reads a list of patterns; the error names the position.
func ParseSet(list []string) (Set, error) {
	set := make(Set, 0, len(list))
	for i, s := range list {
		p, err := Parse(s)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		set = append(set, p)
	}
	return set, nil
}

// Match reports whether one of the patterns fits s.
func (set Set) Match(s string) bool {
	for _, p := range set {
		if p.Match(s) {
			return true
		}
	}
	return false
}
