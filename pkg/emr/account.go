// Package emr holds what is known of Amazon EMR on EKS itself: how it names
// and marks the objects that it creates. It knows no rule and no client.
package emr

import (
	"strings"
)

// Prefixes of managed service account names. The second one, in the singular,
// is what the AWS CLI uses for Livy's Spark account.
const (
	accountPrefix      = "emr-containers-sa-"
	accountPrefixLivy  = "emr-container-sa-"
	awsAccountIDLength = 12
)

// olderComponents are the components that EMR gave to accounts before it put
// the AWS account id into their names (`emr-containers-sa-spark-client-<role>`).
var olderComponents = []string{"client", "driver", "executor", "jeg-kernel", "jeg", "session", "jobmanager", "taskmanager"}

// Account is what the name of a managed service account says.
//
// The full form is
// `emr-containers-sa-<framework>-<component>-<AWS account id>-<base 36 of the role name>`.
type Account struct {
	// Name is the whole name of the ServiceAccount.
	Name string
	// Framework and Component, such as "spark" and "driver". Component may
	// hold dashes ("jeg-kernel") and is empty in names without a role.
	Framework, Component string
	// AccountID is the AWS account of the execution role, twelve digits; empty
	// in the older form and in names without a role.
	AccountID string
	// Suffix is the base-36 role name, empty in a name without a role.
	Suffix string
}

// ManagedPrefixes returns how the names begin that are reserved for EMR's own service
// accounts.
func ManagedPrefixes() []string { return []string{accountPrefix, accountPrefixLivy} }

// IsManagedName reports whether name is reserved for EMR's own service
// accounts, whatever follows the prefix.
func IsManagedName(name string) bool {
	return strings.HasPrefix(name, accountPrefix) || strings.HasPrefix(name, accountPrefixLivy)
}

// ParseAccount reads the name of a managed service account. It reports false
// for every other name. A managed name that carries no role (the operators',
// Livy's, `emr-containers-sa-spark`) has an empty Suffix.
//
// The name is read from its end, as the trust policy that the AWS CLI writes
// reads it (`emr-containers-sa-*-*-<account>-<role>`): whatever the two
// wildcards match, the tail decides which role the account reaches.
func ParseAccount(name string) (Account, bool) {
	rest, ok := strings.CutPrefix(name, accountPrefix)
	if !ok {
		if rest, ok = strings.CutPrefix(name, accountPrefixLivy); !ok {
			return Account{}, false
		}
	}
	a := Account{Name: name}
	head, last, cut := cutLast(rest)
	if cut {
		if middle, id, found := cutLast(head); found && isAWSAccountID(id) && isBase36(last) {
			a.AccountID, a.Suffix = id, last
			a.Framework, a.Component, _ = strings.Cut(middle, "-")
			return a, true
		}
	}
	a.Framework, rest, _ = strings.Cut(rest, "-")
	for _, c := range olderComponents {
		if suffix, found := strings.CutPrefix(rest, c+"-"); found && isBase36(suffix) && decodesToRoleName(suffix) {
			a.Component, a.Suffix = c, suffix
			break
		}
	}
	return a, true
}

// HasRole reports whether the name carries an execution role.
func (a Account) HasRole() bool { return a.Suffix != "" }

// RoleName decodes the role name of the suffix. It is empty when the name
// carries none or one that cannot be decoded.
func (a Account) RoleName() string {
	if a.Suffix == "" {
		return ""
	}
	name, err := DecodeRoleName(a.Suffix)
	if err != nil {
		return ""
	}
	return name
}

// SameRole reports whether both names carry the same execution role: the same
// account id and the same role suffix. A name without a role shares none.
func (a Account) SameRole(b Account) bool {
	return a.HasRole() && a.Suffix == b.Suffix && a.AccountID == b.AccountID
}

func cutLast(s string) (head, tail string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func isAWSAccountID(s string) bool {
	if len(s) != awsAccountIDLength {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isBase36(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// minOlderSuffix is the length from which on a word is hardly ever the base-36
// form of a role name by chance ("foo" is that of "Oh").
const minOlderSuffix = 10

// decodesToRoleName keeps `emr-containers-sa-spark-driver-foo`, an account that
// somebody named by hand, from being read as an older managed name.
func decodesToRoleName(suffix string) bool {
	if len(suffix) < minOlderSuffix {
		return false
	}
	name, err := DecodeRoleName(suffix)
	return err == nil && IsRoleName(name)
}

// IsRoleName reports whether s can be the name of an IAM role: 1 to 64
// characters of [A-Za-z0-9_+=,.@-].
func IsRoleName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte("_+=,.@-", c) >= 0:
		default:
			return false
		}
	}
	return true
}
