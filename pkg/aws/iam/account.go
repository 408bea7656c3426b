package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MaxAccountDetails bounds what ReadAccountDetails reads, in bytes. The largest
// account has 5000 roles and as many policies.
const MaxAccountDetails = 256 << 20

// RoleObject is a role of an AWS account in the form of the `Role` of
// `iam.services.k8s.aws/v1alpha1`, so that what judges the one judges the other.
type RoleObject struct {
	// Name and ARN of the role.
	Name, ARN string
	// JSON of the object. The documents of attached policies stand among its
	// inlinePolicies, under the policies' names.
	JSON []byte
	// Missing are attached policies of the account whose documents the output
	// does not have: it was filtered.
	Missing []string
}

// accountDetails is the output of `aws iam get-account-authorization-details`, as
// far as it is read.
type accountDetails struct {
	IsTruncated    bool
	NextToken      string
	RoleDetailList []struct {
		Path                     string
		RoleName                 string
		Arn                      string
		AssumeRolePolicyDocument json.RawMessage
		RolePolicyList           []struct {
			PolicyName     string
			PolicyDocument json.RawMessage
		}
		AttachedManagedPolicies []struct {
			PolicyName string
			PolicyArn  string
		}
		PermissionsBoundary *struct {
			PermissionsBoundaryArn string
		}
	}
	Policies []struct {
		Arn               string
		DefaultVersionID  string `json:"DefaultVersionId"`
		PolicyVersionList []struct {
			VersionID        string `json:"VersionId"`
			IsDefaultVersion bool
			Document         json.RawMessage
		}
	}
}

// serviceLinkedPath is the path of roles that belong to AWS's own services and
// cannot be changed.
const serviceLinkedPath = "/aws-service-role/"

// ReadAccountDetails reads the JSON of `aws iam get-account-authorization-details`
// and returns the roles of the account, those linked to services left out, by
// name. Policy documents may be objects, as the AWS CLI prints them, or strings
// encoded for a URL, as the API returns them. Several pages may follow each other.
// It is an error when the last page says that more follow.
func ReadAccountDetails(in io.Reader) ([]RoleObject, error) {
	var all accountDetails
	limited := &io.LimitedReader{R: in, N: MaxAccountDetails + 1}
	decoder := json.NewDecoder(limited)
	for pages := 0; ; pages++ {
		var page accountDetails
		err := decoder.Decode(&page)
		switch {
		case errors.Is(err, io.EOF) && pages > 0:
		case limited.N <= 0:
			return nil, fmt.Errorf("read the account's authorization details: they are larger than %d bytes", MaxAccountDetails)
		case err != nil:
			return nil, fmt.Errorf("read the account's authorization details: %w", err)
		default:
			all.IsTruncated = page.IsTruncated || page.NextToken != ""
			all.RoleDetailList = append(all.RoleDetailList, page.RoleDetailList...)
			all.Policies = append(all.Policies, page.Policies...)
			continue
		}
		break
	}
	if all.IsTruncated {
		return nil, errors.New("the account's authorization details are one page of several: leave --no-paginate and --max-items out, or give all pages")
	}
	if len(all.RoleDetailList) == 0 {
		return nil, errors.New("there is no role under RoleDetailList: is it the output of `aws iam get-account-authorization-details`, in JSON?")
	}
	return all.roles()
}

func (d *accountDetails) roles() ([]RoleObject, error) {
	documents := map[string]string{}
	for i := range d.Policies {
		p := &d.Policies[i]
		for _, v := range p.PolicyVersionList {
			if v.IsDefaultVersion || p.DefaultVersionID != "" && v.VersionID == p.DefaultVersionID {
				documents[p.Arn] = documentText(v.Document)
			}
		}
	}
	var list []RoleObject
	for i := range d.RoleDetailList {
		r := &d.RoleDetailList[i]
		if strings.HasPrefix(r.Path, serviceLinkedPath) {
			continue
		}
		if r.RoleName == "" {
			return nil, fmt.Errorf("RoleDetailList[%d].RoleName: it is missing", i)
		}
		role := RoleObject{Name: r.RoleName, ARN: r.Arn}
		spec := roleSpec{Name: r.RoleName, Path: r.Path, AssumeRolePolicyDocument: documentText(r.AssumeRolePolicyDocument), InlinePolicies: map[string]string{}}
		for _, p := range r.RolePolicyList {
			spec.InlinePolicies[p.PolicyName] = documentText(p.PolicyDocument)
		}
		for _, p := range r.AttachedManagedPolicies {
			spec.Policies = append(spec.Policies, p.PolicyArn)
			document, known := documents[p.PolicyArn]
			switch {
			case BroadPolicy(p.PolicyArn) != "": // its name says enough
			case known:
				name := p.PolicyName
				if _, taken := spec.InlinePolicies[name]; taken || name == "" {
					name = p.PolicyArn
				}
				spec.InlinePolicies[name] = document
			case !strings.Contains(p.PolicyArn, managedPrefix):
				role.Missing = append(role.Missing, p.PolicyArn)
			}
		}
		if r.PermissionsBoundary != nil {
			spec.PermissionsBoundary = r.PermissionsBoundary.PermissionsBoundaryArn
		}
		var err error
		if role.JSON, err = spec.object(r.Arn); err != nil {
			return nil, fmt.Errorf("RoleDetailList[%d]: %w", i, err)
		}
		list = append(list, role)
	}
	slices.SortStableFunc(list, func(a, b RoleObject) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// documentText is the JSON of a document that stands in another one as an object
// or a string. What cannot be decoded is returned as it is: who judges it says so.
func documentText(raw json.RawMessage) string {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return ""
	}
	if text, err := Decoded(string(raw)); err == nil {
		return text
	}
	return string(raw)
}

// roleSpec is the spec of the `Role` of ACK, as far as it is written.
type roleSpec struct {
	Name                     string            `json:"name"`
	Path                     string            `json:"path,omitempty"`
	AssumeRolePolicyDocument string            `json:"assumeRolePolicyDocument"`
	Policies                 []string          `json:"policies,omitempty"`
	InlinePolicies           map[string]string `json:"inlinePolicies,omitempty"`
	PermissionsBoundary      string            `json:"permissionsBoundary,omitempty"`
}

func (s *roleSpec) object(arn string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"apiVersion": "iam.services.k8s.aws/v1alpha1",
		"kind":       "Role",
		"metadata":   map[string]any{"name": s.Name},
		"spec":       s,
		"status":     map[string]any{"ackResourceMetadata": map[string]any{"arn": arn}},
	})
}
