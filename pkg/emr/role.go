package emr

// Role is an IAM role as far as a ServiceAccount tells it.
type Role struct {
	// AccountID is the AWS account; empty when only a managed name of the older form
	// tells of the role.
	AccountID string
	// Name of the role, which is unique in its account.
	Name string
	// ARN as it is written; empty when only a managed name tells of the role, which
	// has neither the partition nor the path.
	ARN string
}

// RoleOf returns the role that a ServiceAccount stands for: the one of its
// annotation eks.amazonaws.com/role-arn or else the one in its managed name. It
// reports false where neither names one.
func RoleOf(account, annotation string) (Role, bool) {
	if r, ok := RoleOfARN(annotation); ok {
		return r, true
	}
	a, _ := ParseAccount(account)
	name := a.RoleName()
	if !IsRoleName(name) {
		return Role{}, false
	}
	return Role{AccountID: a.AccountID, Name: name}, true
}

// RoleOfARN returns the role that an ARN names; false for anything else.
func RoleOfARN(arn string) (Role, bool) {
	if arn == "" {
		return Role{}, false
	}
	parsed, err := ParseRoleARN(arn)
	if err != nil {
		return Role{}, false
	}
	return Role{AccountID: parsed.AccountID, Name: parsed.Name, ARN: arn}, true
}

// Same reports whether both are the same role. Where one of them has no account
// id, the name decides.
func (r Role) Same(other Role) bool {
	return r.Name == other.Name && (r.AccountID == other.AccountID || r.AccountID == "" || other.AccountID == "")
}

// String is the role for people.
func (r Role) String() string {
	switch {
	case r.ARN != "":
		return r.ARN
	case r.AccountID != "":
		return r.Name + " of account " + r.AccountID
	}
	return r.Name
}
