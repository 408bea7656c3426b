package live

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
)

// recentFor is how long an object that somebody asked for counts before the watch has
// brought it. Watches are behind by milliseconds.
const recentFor = 5 * time.Second

// recent holds the roles and bindings that somebody asked for a moment ago and that
// the watches have not brought yet. A binding and the role that it names are often
// applied by one command, one after the other: without this, the second would be
// judged as if the first were not there.
//
// An object is noted before it is judged, and judged beside what was noted before it.
// So of two that are judged at once, exactly one sees the other, and waits until it is
// known what became of it.
//
// Nothing here is known to exist: the API server may refuse it after all, and whoever
// reaches the webhook's port can invent it. So it only adds to what may be after a
// change, and only until a live look has told what is true. It is bounded in number
// and bytes. What is there stays there for its time: a flood cannot push it out. What
// finds no room makes the memory overflown for the same time, in which every
// evaluation that it might concern asks the API server instead.
type recent struct {
	now func() time.Time

	mu        sync.Mutex
	noted     []*noted // those that were asked for last are last
	bytes     int
	overflown time.Time       // until when
	set       *rbac.Additions // of noted; nil when it is to be made
}

type noted struct {
	*rbac.Addition

	at      time.Time // when it was asked for, or its verdict was out
	judging int       // how many are being judged
}

// begin takes note of an object that is going to be judged. It returns what was noted
// before, nil when that is nothing, and whether there is more than there was room for.
// The caller calls end when the verdict is out.
func (r *recent) begin(obj runtime.Object) (before *rbac.Additions, overflown bool, end func()) {
	a, err := rbac.NewAddition(obj)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	if r.set == nil && len(r.noted) > 0 {
		list := make([]*rbac.Addition, len(r.noted))
		for i, n := range r.noted {
			list[i] = n.Addition
		}
		r.set = rbac.NewAdditions(list)
	}
	before, overflown = r.set, r.now().Before(r.overflown)
	if err != nil {
		return before, overflown, func() {} // it will be no role and no binding
	}
	n := r.note(a)
	if n == nil {
		return before, overflown, func() {}
	}
	n.judging++
	return before, overflown, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		n.judging--
		n.at = r.now()
	}
}

// add takes note of an object that was admitted: from now on it is on its way.
func (r *recent) add(obj runtime.Object) {
	a, err := rbac.NewAddition(obj)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	r.note(a)
}

// note puts an object last; nil when there is no room. r.mu is held.
func (r *recent) note(a *rbac.Addition) *noted {
	now := r.now()
	if i := slices.IndexFunc(r.noted, func(n *noted) bool { return n.Same(a) }); i >= 0 {
		n := r.noted[i]
		n.at = now
		r.noted = append(slices.Delete(r.noted, i, i+1), n)
		return n
	}
	if len(r.noted) >= limit.Unconfirmed || r.bytes+a.Bytes() > limit.UnconfirmedBytes {
		r.overflown = now.Add(recentFor)
		return nil
	}
	n := &noted{Addition: a, at: now}
	r.noted = append(r.noted, n)
	r.bytes += a.Bytes()
	r.set = nil
	return n
}

// settle forgets what the watch has brought just so. Other versions of the object
// stay: they may come after it.
func (r *recent) settle(obj runtime.Object) {
	if r.empty() {
		return // as when tens of thousands of objects are listed
	}
	a, err := rbac.NewAddition(obj)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(func(n *noted) bool { return n.judging == 0 && n.Same(a) })
}

func (r *recent) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.noted) == 0
}

// forget drops what is too old. r.mu is held.
func (r *recent) forget() {
	now := r.now()
	r.drop(func(n *noted) bool { return n.judging == 0 && now.Sub(n.at) > recentFor })
}

// drop takes some out. r.mu is held.
func (r *recent) drop(which func(*noted) bool) {
	before := len(r.noted)
	r.noted = slices.DeleteFunc(r.noted, func(n *noted) bool {
		if !which(n) {
			return false
		}
		r.bytes -= n.Bytes()
		return true
	})
	if len(r.noted) < before {
		r.set = nil
	}
}

// progress says how it stands with an object: whether what the API server has is what
// somebody asked for last, and whether something may still be on its way. When the
// watch has brought it meanwhile, neither is so.
func (r *recent) progress(ref rbac.ObjectRef, obj runtime.Object) (arrived, underway bool) {
	var have *rbac.Addition
	if obj != nil {
		have, _ = rbac.NewAddition(obj)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, last := r.now(), true
	for _, n := range slices.Backward(r.noted) {
		if n.Ref() != ref {
			continue
		}
		if last {
			arrived, last = have != nil && n.Same(have), false
		}
		underway = underway || n.judging > 0 || now.Sub(n.at) <= inFlight
	}
	return arrived, underway
}
