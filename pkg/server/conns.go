package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// conns bounds how many connections are open. A new connection is never the one
// that has to go: it may be the API server's, and who waits longest for bytes that do
// not come is most likely nobody. Refusing new ones instead would let anybody shut
// the API server out with connections that do nothing.
type conns struct {
	most    int
	evicted func()

	mu  sync.Mutex
	all map[*conn]struct{}
}

// phase is what a connection is doing, in the order in which connections have to
// make room.
type phase int

const (
	waiting phase = iota // for the handshake, a header, or a body
	idle                 // between two requests
	judging              // the request has been read: it gets its answer
)

// conn is a connection below TLS.
type conn struct {
	net.Conn

	conns *conns
	peer  string
	work  *turns // during the handshake, and only for who makes it

	// Guarded by conns.
	phase phase
	since time.Time
}

// longWait is how long an honest caller is never silent in the middle of a handshake
// or a request.
const longWait = time.Second

// add takes a connection in, and closes another one when there are too many. It
// returns nil when all others are at work; then the new one is closed.
func (s *conns) add(inner net.Conn) *conn {
	peer, _, err := net.SplitHostPort(inner.RemoteAddr().String())
	if err != nil {
		peer = inner.RemoteAddr().String()
	}
	c := &conn{Conn: inner, conns: s, peer: peer, since: time.Now()}
	s.mu.Lock()
	victim := (*conn)(nil)
	full := len(s.all) >= s.most
	if full {
		victim = s.victim()
	}
	if victim != nil {
		delete(s.all, victim)
	}
	if !full || victim != nil {
		s.all[c] = struct{}{}
	}
	s.mu.Unlock()
	switch {
	case victim != nil:
		s.evicted()
		_ = victim.Conn.Close() // whatever its peer thinks of it
	case full:
		s.evicted()
		_ = inner.Close() // whatever its peer thinks of it
		return nil
	}
	return c
}

// victim returns the connection that has to go: the one that waits longest, when
// that is long; else, of the peer that has most, the one that waits longest, or is
// idle longest. Nil when there is none but those at work.
func (s *conns) victim() *conn {
	count := map[string]int{}
	var oldest *conn
	for c := range s.all {
		count[c.peer]++
		if c.phase == waiting && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest != nil && time.Since(oldest.since) > longWait {
		return oldest
	}
	var best *conn
	for c := range s.all {
		switch {
		case c.phase == judging:
		case best == nil, count[c.peer] > count[best.peer]:
			best = c
		case count[c.peer] < count[best.peer]:
		case c.phase < best.phase, c.phase == best.phase && c.since.Before(best.since):
			best = c
		}
	}
	return best
}

func (s *conns) set(c *conn, p phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.phase, c.since = p, time.Now()
}

// state is told by the HTTP server what becomes of a connection.
func (s *conns) state(nc net.Conn, state http.ConnState) {
	c := below(nc)
	if c == nil {
		return
	}
	switch state {
	case http.StateActive:
		s.set(c, waiting)
	case http.StateIdle:
		s.set(c, idle)
	case http.StateNew, http.StateHijacked, http.StateClosed:
	}
}

// below returns the connection below TLS.
func below(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// Close takes the connection out.
func (c *conn) Close() error {
	c.conns.mu.Lock()
	delete(c.conns.all, c)
	c.conns.mu.Unlock()
	return c.Conn.Close()
}

// Read gives up the turn of a handshake while it waits for bytes.
func (c *conn) Read(b []byte) (int, error) {
	work := c.work
	if work == nil {
		return c.Conn.Read(b)
	}
	work.end()
	n, err := c.Conn.Read(b)
	if err != nil {
		return n, err
	}
	return n, work.begin()
}

type connKey struct{}

func withConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, below(nc))
}

// watchBodies notes when the body of a request has been read.
func watchBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if c, ok := req.Context().Value(connKey{}).(*conn); ok && c != nil {
			req.Body = &watchedBody{req.Body, c}
		}
		next.ServeHTTP(w, req)
	})
}

type watchedBody struct {
	io.ReadCloser

	conn *conn
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.conn.conns.set(b.conn, judging)
	}
	return n, err
}
