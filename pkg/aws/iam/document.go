// Package iam reads the policy documents of AWS IAM: what a role may do and who
// may assume it. It follows the grammar of the JSON policy language and decides
// nothing; package rules judges what it returns.
//
// Source: AWS IAM User Guide, "Grammar of the IAM JSON policy language" and
// "IAM JSON policy elements: Condition operators".
package iam

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// MaxDocument bounds the text of a document in bytes. IAM allows a role's trust
// policy 8192 characters and its inline policies 10240, not counting blanks.
const MaxDocument = 64 << 10

// Document is a policy document.
type Document struct {
	// Version is "2012-10-17", "2008-10-17", or empty, which means the latter.
	Version string
	// ID of the document, often empty.
	ID string
	// Statements in their order; at least one.
	Statements []Statement
}

// Statement is one statement of a document. Of each pair (Actions, NotActions …)
// at most one is set.
type Statement struct {
	// Sid names the statement, often empty.
	Sid string
	// Allow is true for the effect Allow, false for Deny.
	Allow bool
	// Principals and NotPrincipals are whom a trust policy means. Policies of
	// permissions have neither.
	Principals, NotPrincipals []Principal
	// Actions are patterns such as "s3:Get*"; NotActions are all but these.
	Actions, NotActions []string
	// Resources are patterns of ARNs; NotResources are all but these. Trust
	// policies have neither.
	Resources, NotResources []string
	// Conditions must all hold.
	Conditions []Condition
}

// Principal is one entry of a Principal element.
type Principal struct {
	// Type is "AWS", "Service", "Federated" or "CanonicalUser". The bare "*" is
	// written as AWS: both mean everybody.
	Type string
	// Value is an ARN, an account id, the name of a service, or "*".
	Value string
}

// The types of principals.
const (
	PrincipalAWS       = "AWS"
	PrincipalService   = "Service"
	PrincipalFederated = "Federated"
	principalCanonical = "CanonicalUser"
)

// Parse reads a document. The text is JSON, or JSON encoded for a URL (RFC 3986)
// as the IAM API returns it, or one of these as a JSON string. The error names
// the element that is wrong.
func Parse(text string) (*Document, error) {
	text, err := Decoded(text)
	if err != nil {
		return nil, err
	}
	tree, err := readTree(text)
	if err != nil {
		return nil, err
	}
	return readDocument(tree)
}

// Decoded returns the JSON of a document that may be encoded for a URL or stand
// in a JSON string.
func Decoded(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > 3*MaxDocument { // every character encoded
		return "", errTooLong
	}
	if strings.HasPrefix(text, `"`) {
		tree, err := readTree(text)
		if err != nil {
			return "", err
		}
		inner, ok := tree.(string)
		if !ok {
			return "", errNoDocument
		}
		text = strings.TrimSpace(inner)
	}
	if strings.HasPrefix(text, "%") {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return "", fmt.Errorf("the document is not encoded as a URL is: %w", err)
		}
		text = strings.TrimSpace(plain)
	}
	if len(text) > MaxDocument {
		return "", errTooLong
	}
	return text, nil
}

var (
	errTooLong    = fmt.Errorf("the document is longer than %d bytes, no IAM policy is", MaxDocument)
	errNoDocument = errors.New("the document is no JSON object")
)

func readDocument(tree any) (*Document, error) {
	top, ok := tree.(members)
	if !ok {
		return nil, errNoDocument
	}
	d := &Document{}
	for _, m := range top {
		var err error
		switch m.key {
		case "Version":
			if d.Version, err = text(m.value, m.key); err == nil && !slices.Contains(versions, d.Version) {
				err = fmt.Errorf("%s: %q is none of %s", m.key, d.Version, strings.Join(versions, ", "))
			}
		case "Id":
			d.ID, err = text(m.value, m.key)
		case "Statement":
			d.Statements, err = readStatements(m.value)
		default:
			err = fmt.Errorf("%s: a policy document has no such element", m.key)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(d.Statements) == 0 {
		return nil, errors.New("Statement: there is none")
	}
	return d, nil
}

var versions = []string{"2012-10-17", "2008-10-17"}

func readStatements(value any) ([]Statement, error) {
	list, path := []any{value}, func(int) string { return "Statement" }
	if l, ok := value.([]any); ok {
		list, path = l, func(i int) string { return fmt.Sprintf("Statement[%d]", i) }
	}
	statements := make([]Statement, 0, len(list))
	for i, one := range list {
		m, ok := one.(members)
		if !ok {
			return nil, fmt.Errorf("%s: it is no object", path(i))
		}
		s, err := readStatement(m)
		if err != nil {
			return nil, fmt.Errorf("%s.%w", path(i), err)
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func readStatement(list members) (Statement, error) {
	var s Statement
	seen := map[string]bool{}
	for _, m := range list {
		var err error
		seen[m.key] = true
		switch m.key {
		case "Sid":
			s.Sid, err = text(m.value, m.key)
		case "Effect":
			var effect string
			if effect, err = text(m.value, m.key); err == nil && effect != "Allow" && effect != "Deny" {
				err = fmt.Errorf("%s: %q is neither Allow nor Deny", m.key, effect)
			}
			s.Allow = effect == "Allow"
		case "Principal":
			s.Principals, err = readPrincipals(m.value, m.key)
		case "NotPrincipal":
			s.NotPrincipals, err = readPrincipals(m.value, m.key)
		case "Action":
			s.Actions, err = texts(m.value, m.key)
		case "NotAction":
			s.NotActions, err = texts(m.value, m.key)
		case "Resource":
			s.Resources, err = texts(m.value, m.key)
		case "NotResource":
			s.NotResources, err = texts(m.value, m.key)
		case "Condition":
			s.Conditions, err = readConditions(m.value)
		default:
			err = fmt.Errorf("%s: a statement has no such element", m.key)
		}
		if err != nil {
			return s, err
		}
	}
	for _, element := range []string{"Effect", "Action"} {
		if !seen[element] && !seen["Not"+element] {
			return s, fmt.Errorf("%s: it is missing", element)
		}
	}
	for _, element := range []string{"Action", "Resource", "Principal"} {
		if seen[element] && seen["Not"+element] {
			return s, fmt.Errorf("%s: it stands beside Not%s", element, element)
		}
	}
	return s, nil
}

func readPrincipals(value any, path string) ([]Principal, error) {
	if star, ok := value.(string); ok {
		if star != "*" {
			return nil, fmt.Errorf("%s: %q is neither \"*\" nor a map", path, star)
		}
		return []Principal{{PrincipalAWS, "*"}}, nil
	}
	m, ok := value.(members)
	if !ok {
		return nil, fmt.Errorf("%s: it is neither \"*\" nor a map", path)
	}
	var list []Principal
	for _, one := range m {
		if !slices.Contains([]string{PrincipalAWS, PrincipalService, PrincipalFederated, principalCanonical}, one.key) {
			return nil, fmt.Errorf("%s.%s: there is no such type of principals", path, one.key)
		}
		values, err := texts(one.value, path+"."+one.key)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			list = append(list, Principal{one.key, v})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: it is empty", path)
	}
	return list, nil
}
