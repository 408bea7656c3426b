package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/metrics"
)

// listener accepts connections and makes the TLS handshakes. Only finished ones
// are handed out.
//
// A handshake costs half a millisecond of CPU, whoever asks. Half of the processors
// work on handshakes, so that the requests of connections that are open already go
// on; peers take turns, and of one peer the newest comes first (limit.Pool): an API
// server that opens a connection is not behind the thousand of somebody else.
type listener struct {
	net.Listener

	config  *tls.Config
	timeout time.Duration
	conns   *conns
	gate    *limit.Pool
	metrics *metrics.Recorder
	done    chan net.Conn
	closed  context.Context //nolint:containedctx // the lifetime of the listener, which has no call of its own
	cancel  context.CancelFunc
	err     error
}

func newListener(inner net.Listener, config *tls.Config, most int, timeout time.Duration, m *metrics.Recorder) *listener {
	l := &listener{
		Listener: inner, config: config, timeout: timeout, metrics: m, done: make(chan net.Conn),
		conns: &conns{most: most, all: map[*conn]struct{}{}, evicted: m.Evicted},
		gate:  limit.NewPool(int64(max(1, runtime.GOMAXPROCS(0)/2))),
	}
	l.closed, l.cancel = context.WithCancel(context.Background())
	go l.run()
	return l
}

// run accepts connections until the listener is closed.
func (l *listener) run() {
	defer l.cancel()
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			if guarded := l.conns.add(c); guarded != nil {
				go l.handshake(guarded)
			}
			continue
		}
		if temporary := net.Error(nil); !errors.As(err, &temporary) || errors.Is(err, net.ErrClosed) {
			l.err = err
			return
		}
		// No file descriptors are left: a connection will be closed.
		select {
		case <-time.After(5 * time.Millisecond):
		case <-l.closed.Done():
		}
	}
}

func (l *listener) handshake(c *conn) {
	ctx, cancel := context.WithTimeout(l.closed, l.timeout)
	defer cancel()
	c.work = &turns{ctx: ctx, gate: l.gate, peer: c.peer}
	t := tls.Server(c, l.config)
	err := t.HandshakeContext(ctx)
	c.work.end()
	c.work = nil
	if err != nil {
		l.metrics.HandshakeFailed()
		_ = t.Close() // the handshake's error says all
		return
	}
	select {
	case l.done <- t:
	case <-l.closed.Done():
		_ = t.Close() // nobody would serve it
	}
}

// Accept returns the next connection whose handshake is finished.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.done:
		return c, nil
	case <-l.closed.Done():
		if l.err != nil {
			return nil, l.err
		}
		return nil, net.ErrClosed
	}
}

// Close stops accepting, and gives up the handshakes that are not finished.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.cancel()
	return err
}

// turns holds a turn at the gate while a handshake computes, and gives it back while
// it waits for the peer.
type turns struct {
	ctx  context.Context //nolint:containedctx // that of one handshake, whose Read has none
	gate *limit.Pool
	peer string

	mu    sync.Mutex // Close comes from elsewhere
	lease *limit.Lease
}

func (t *turns) begin() error {
	lease, err := t.gate.Acquire(t.ctx, t.peer, 1)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lease = lease
	return nil
}

func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lease.Release()
	t.lease = nil
}
