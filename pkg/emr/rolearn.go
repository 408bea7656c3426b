package emr

import (
	"errors"
	"fmt"
	"strings"
)

// RoleARN is the ARN of an IAM role, taken apart.
type RoleARN struct {
	// Partition, such as "aws", "aws-cn" or "aws-us-gov".
	Partition string
	// AccountID is the AWS account, twelve digits.
	AccountID string
	// Path is what stands before the name, "/" when there is none.
	Path string
	// Name of the role. It is unique in its account, whatever the path.
	Name string
}

// ParseRoleARN reads `arn:<partition>:iam::<account>:role/<path/><name>`. The
// error says which part is wrong. No part may be a wildcard: an annotation or
// variable that names a role names one role.
func ParseRoleARN(s string) (RoleARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return RoleARN{}, errors.New(`it is not of the form "arn:<partition>:iam::<account id>:role/<name>"`)
	}
	a := RoleARN{Partition: parts[1], AccountID: parts[4]}
	resource, isRole := strings.CutPrefix(parts[5], "role/")
	switch {
	case !isPartition(a.Partition):
		return RoleARN{}, fmt.Errorf("the partition %q is no AWS partition", a.Partition)
	case parts[2] != "iam":
		return RoleARN{}, fmt.Errorf(`the service is %q where "iam" belongs`, parts[2])
	case parts[3] != "":
		return RoleARN{}, fmt.Errorf("IAM has no region, here it is %q", parts[3])
	case !isAWSAccountID(a.AccountID):
		return RoleARN{}, fmt.Errorf("the account id %q is not twelve digits", a.AccountID)
	case !isRole:
		return RoleARN{}, fmt.Errorf(`the resource %q does not begin with "role/"`, parts[5])
	}
	i := strings.LastIndexByte(resource, '/')
	a.Path, a.Name = "/"+resource[:i+1], resource[i+1:]
	if !IsRoleName(a.Name) {
		return RoleARN{}, fmt.Errorf("%q is no role name (1 to 64 of A-Z a-z 0-9 _+=,.@-)", a.Name)
	}
	for j := range len(a.Path) {
		if a.Path[j] < 0x21 || a.Path[j] > 0x7e {
			return RoleARN{}, fmt.Errorf("the path %q holds a character that IAM does not allow", a.Path)
		}
	}
	return a, nil
}

// String returns the ARN in its written form.
func (a RoleARN) String() string {
	return "arn:" + a.Partition + ":iam::" + a.AccountID + ":role" + a.Path + a.Name
}

// SameRole reports whether both name the same role. Role names are unique in
// an account, so the path does not count.
func (a RoleARN) SameRole(b RoleARN) bool {
	return a.Partition == b.Partition && a.AccountID == b.AccountID && a.Name == b.Name
}

// Carries reports whether the managed name a carries the role r. Where the name
// has no account id (the older form), the role name alone decides.
func (a Account) Carries(r RoleARN) bool {
	return a.Suffix == EncodeRoleName(r.Name) && (a.AccountID == "" || a.AccountID == r.AccountID)
}

// isPartition accepts aws and every aws-…: new partitions (aws-eusc, aws-iso-f)
// come faster than releases of a guard.
func isPartition(s string) bool {
	rest, ok := strings.CutPrefix(s, "aws")
	if !ok {
		return false
	}
	for rest != "" {
		if rest[0] != '-' {
			return false
		}
		rest = rest[1:]
		n := strings.IndexByte(rest, '-')
		if n < 0 {
			n = len(rest)
		}
		if !isBase36(rest[:n]) {
			return false
		}
		rest = rest[n:]
	}
	return true
}
