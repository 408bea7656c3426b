package limit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pool shares out something of which there is little. Peers (addresses) that wait
// take turns, so that one that asks a thousand times waits for itself. Of one peer
// the newest request comes first: its sender waits still.
type Pool struct {
	mu      sync.Mutex
	free    int64
	leases  map[*Lease]struct{}
	waiting map[string][]*waiter
	peers   []string // whose turn it is comes first
}

type waiter struct {
	n       int64
	lease   *Lease
	granted chan struct{}
}

// Lease is a share of a pool.
type Lease struct {
	pool *Pool
	n    int64

	// While a body is read into it: since when, until when that is not slow, and how
	// to stop it. Guarded by the pool.
	patience time.Time
	abort    func()
}

// NewPool returns a pool of that size.
func NewPool(size int64) *Pool {
	return &Pool{free: size, leases: map[*Lease]struct{}{}, waiting: map[string][]*waiter{}}
}

// Acquire waits for a share of n until the context ends. Bodies that are slow give
// way to it.
func (p *Pool) Acquire(ctx context.Context, peer string, n int64) (*Lease, error) {
	p.mu.Lock()
	l := &Lease{pool: p, n: n}
	if len(p.peers) == 0 && n <= p.free {
		p.take(l)
		p.mu.Unlock()
		return l, nil
	}
	w := &waiter{n: n, lease: l, granted: make(chan struct{})}
	if len(p.waiting[peer]) == 0 {
		p.peers = append(p.peers, peer)
	}
	p.waiting[peer] = append(p.waiting[peer], w)
	p.preempt()
	p.grant()
	p.mu.Unlock()

	ticker := time.NewTicker(SlowBody / 5)
	defer ticker.Stop()
	for {
		select {
		case <-w.granted:
			return l, nil
		case <-ticker.C:
			p.mu.Lock()
			p.preempt()
			p.mu.Unlock()
		case <-ctx.Done():
			if p.giveUp(peer, w) {
				return nil, &Exceeded{What: "too many requests wait to be judged", Retry: true}
			}
			return l, nil // granted at the last moment
		}
	}
}

// take gives a share away. The pool is locked.
func (p *Pool) take(l *Lease) {
	p.free -= l.n
	p.leases[l] = struct{}{}
}

// grant gives shares to those that wait, as far as they fit. The pool is locked.
func (p *Pool) grant() {
	for len(p.peers) > 0 {
		peer := p.peers[0]
		list := p.waiting[peer]
		w := list[len(list)-1]
		if w.n > p.free {
			return
		}
		p.peers = p.peers[1:]
		if list = list[:len(list)-1]; len(list) == 0 {
			delete(p.waiting, peer)
		} else {
			p.waiting[peer] = list
			p.peers = append(p.peers, peer)
		}
		p.take(w.lease)
		close(w.granted)
	}
}

// giveUp takes a waiter out, and reports whether it was still there.
func (p *Pool) giveUp(peer string, w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.waiting[peer]
	i := slices.Index(list, w)
	if i < 0 {
		return false
	}
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		p.waiting[peer] = list
	} else {
		delete(p.waiting, peer)
		p.peers = slices.DeleteFunc(p.peers, func(other string) bool { return other == peer })
	}
	p.grant() // what it did not fit into may be enough for the next
	return true
}

// preempt stops the bodies that are slow. The pool is locked.
func (p *Pool) preempt() {
	now := time.Now()
	for l := range p.leases {
		if l.abort != nil && now.After(l.patience) {
			l.abort()
			l.abort = nil
		}
	}
}

// Reading says that a body of n bytes is being read. abort makes the reader fail;
// it is called at most once, and not after Done.
func (l *Lease) Reading(n int64, abort func()) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.patience = time.Now().Add(SlowBody + time.Duration(n)*time.Second/BodyRate)
	l.abort = abort
}

// Worked says that the reader of the body was busy for that long with what it had read.
// The sender is not to blame for that, so the body may take so much longer.
func (l *Lease) Worked(d time.Duration) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.patience = l.patience.Add(d)
}

// Done says that the body has been read.
func (l *Lease) Done() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.abort = nil
}

// Release gives the share back.
func (l *Lease) Release() {
	if l == nil {
		return
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if _, held := l.pool.leases[l]; !held {
		return
	}
	delete(l.pool.leases, l)
	l.abort = nil
	l.pool.free += l.n
	l.pool.grant()
}
