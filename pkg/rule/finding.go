package rule

import (
	"hash/maphash"
	"slices"
)

// Finding is one thing that is wrong with an object or request: a reason, its arguments,
// and a place. Two findings are the same when rule, reason, arguments and key are.
type Finding struct {
	// Rule is the id of the rule; the report fills it.
	Rule string
	// Reason of which this is an instance.
	Reason *Reason
	// Args are the arguments of the reason's texts; see [Args].
	Args []string
	// Hints are further arguments of the remedy, after those above. They do not tell
	// findings apart.
	Hints []string
	// Path of the field, such as `spec.containers[0].env[2]`; empty when the
	// object or request as a whole is meant.
	Path string
	// Subject who gains something, and Via the path by which, for a finding about
	// RBAC.
	Subject, Via string
	// Others are further subjects of whom the finding is, when they are too many for
	// a finding each. It is excused only when each of them is.
	Others []string
	// Key tells findings apart that have the same arguments; it is never shown.
	Key string
	// Excuse is why it is let pass: by a parameter of the rule, or by an exemption of the
	// configuration. It is recorded then. Empty for all others.
	Excuse string
}

// ID names the rule and the reason, as exemptions do: "pod-exec/exec".
func (f *Finding) ID() string { return f.Rule + "/" + f.Reason.Name }

// Text says what is wrong, without index numbers. It never holds a secret.
func (f *Finding) Text() string {
	return format(f.Reason.Message, f.Args)
}

// Remedy says how to mend it.
func (f *Finding) Remedy() string {
	return format(f.Reason.Remedy, slices.Concat(f.Args, f.Hints))
}

// SkipsComparison reports whether the finding is about what the requester does. It is
// never compared with the old object then.
func (f *Finding) SkipsComparison() bool { return f.Reason.SkipOldComparison }

// Same reports whether two findings are of one rule and the same, wherever in the object
// they are.
func (f *Finding) Same(other *Finding) bool { return f.sum() == other.sum() }

// Of one process, and not to be guessed: nobody can make two findings collide.
var seed = maphash.MakeSeed()

// sum is equal for findings that are the same.
func (f *Finding) sum() uint64 {
	args := uint64(0)
	for _, arg := range f.Args {
		args = maphash.Comparable(seed, [2]uint64{args, maphash.String(seed, arg)})
	}
	return maphash.Comparable(seed, struct {
		rule, reason, key string
		args              uint64
	}{f.Rule, f.Reason.Name, f.Key, args})
}
