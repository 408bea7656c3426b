package emr

import "github.com/emrguard/emrguard/pkg/pattern"

// JobAccounts tells which ServiceAccounts of a managed namespace do a job's work:
// they run code that nobody has read. Those with a managed name always do; the
// configuration names further ones, such as `flink` or `spark-operator-spark`. The
// zero value knows the managed names alone.
type JobAccounts struct{ named pattern.Set }

// ParseJobAccounts reads the patterns of further names; the error names the position.
func ParseJobAccounts(patterns []string) (JobAccounts, error) {
	named, err := pattern.ParseSet(patterns)
	return JobAccounts{named}, err
}

// Find reports whether the account of that name, in a managed namespace, is a job
// account, and what its name says. A name that is not EMR's says nothing of a role:
// such an account shares its role with no other one.
func (j JobAccounts) Find(name string) (Account, bool) {
	if a, ok := ParseAccount(name); ok {
		return a, true
	}
	return Account{Name: name}, j.named.Match(name)
}

// Has reports whether the account of that name, in a managed namespace, is a job
// account.
func (j JobAccounts) Has(name string) bool {
	_, ok := j.Find(name)
	return ok
}
