// Package limit holds the budgets of emrguard: how much time, memory and work one
// request may cost. Whoever judges something over budget stops and returns an
// [Exceeded]; the engine answers it with a denial that says so, because the author
// of a request must not be able to choose that nobody judges it.
package limit

import (
	"errors"
	"time"
)

// Evaluation is the longest that rules may judge one request. It leaves the rest of
// the webhook's timeout (3 s) to the network and to requests that wait.
const Evaluation = time.Second

// Answer is when a large request is answered although its judgement has not come to its
// end: by then every rule should have seen that the time is over. The rest of the webhook's
// timeout is what a request may have waited before.
const Answer = Evaluation + 250*time.Millisecond

// Expanded bounds the bytes that references to variables in the containers of one
// pod are written out to. Linux takes 128 KiB for one argument and 2 MiB for all of
// a process (execve(2), with the usual 8 MiB of stack), so no container that starts
// needs more.
const Expanded = 2 << 20

// UsersWait is how long the API server may take to list what runs as an account that
// gets a role. It is half of Evaluation, because the answer is a warning that nobody has
// to wait for: what is not known by then is recorded as not known. One page of each kind
// is listed, all at once.
const UsersWait = Evaluation / 2

// Findings bounds what one rule reports of one object. Those after it change
// nothing: the object is refused or warned about already.
const Findings = 100

// GrantSteps and GrantBytes bound the evaluation of one change of RBAC: who gains
// what by it. They are counted, so that the answer does not depend on the machine.
//
// A step is a subject, a binding, a rule, or a piece of what a rule holds; a million
// take about 60 ms, with roles that aggregate each other, the dearest. The largest
// ClusterRoleBinding that etcd takes (20,000 subjects of cluster-admin in a hundred
// namespaces) takes 80,000 steps and 3 MiB, 11,000 rules on everything in the place of
// 11,000 others 230,000 steps and 18 MiB, a role that 10,000 bindings name 50,000 steps
// and 3 MiB (BenchmarkWorst in package rbac). What is counted is about half of what is
// in use at the peak.
const (
	GrantSteps = 4_000_000
	GrantBytes = 24 << 20
)

// Unconfirmed and UnconfirmedBytes bound the roles and bindings that were asked for in
// the last seconds and that no watch has brought yet. A cluster that creates a
// thousand of them a second has five thousand at most when its watches stand still,
// and one of usual size takes a kilobyte.
const (
	Unconfirmed      = 4096
	UnconfirmedBytes = 8 << 20
)

// Confirmations is how many of them are looked up one by one for one verdict; more are
// listed. A look-up takes 2 to 5 ms.
const Confirmations = 16

// LiveLook is how many roles and bindings one verdict may read from the API server:
// forty pages, which take about a second.
const LiveLook = 20_000

// Exceeded is the error of an evaluation that was given up because it is over
// budget.
type Exceeded struct { //nolint:errname // limit.Exceeded says it
	// What was to be done, and the budget, in words for whoever asked.
	What string
	// Retry is true when the same may be within budget in a moment.
	Retry bool
}

// Error says what is over budget.
func (e *Exceeded) Error() string { return "over budget: " + e.What }

// IsExceeded reports whether err, or an error that it wraps, is an Exceeded.
func IsExceeded(err error) bool {
	if err == nil {
		return false // nearly always
	}
	exceeded := (*Exceeded)(nil)
	return errors.As(err, &exceeded)
}
