package harness

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
)

// Link is a TCP connection to the API server that can be cut: bytes then stand still,
// as when a network loses all packets, and go on when it is mended.
type Link struct {
	// Address to connect to instead of the API server's.
	Address string

	target   string
	listener net.Listener
	ends     sync.WaitGroup

	mu    sync.Mutex
	flows *sync.Cond
	cut   bool
	open  map[net.Conn]bool // nil once closed
}

// NewLink makes a link to the API server of a control plane, which ends with it.
func (cp *ControlPlane) NewLink(ctx context.Context) (*Link, error) {
	server, err := url.Parse(cp.AdminConfig().Host)
	if err != nil {
		return nil, fmt.Errorf("link to the API server: %w", err)
	}
	target := server.Host
	if target == "" {
		target = cp.AdminConfig().Host
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link to the API server: %w", err)
	}
	l := &Link{Address: listener.Addr().String(), target: target, listener: listener, open: map[net.Conn]bool{}}
	l.flows = sync.NewCond(&l.mu)
	l.ends.Go(l.accept)
	cp.onStop(l.close)
	return l, nil
}

// Cut lets no byte pass from now on, in either direction.
func (l *Link) Cut() { l.set(true) }

// Mend lets bytes pass again, those that were held as well.
func (l *Link) Mend() { l.set(false) }

func (l *Link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	l.flows.Broadcast()
}

func (l *Link) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.target) //nolint:noctx // it ends with the link
		if err != nil || !l.add(from, to) {
			_ = from.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
			l.ends.Go(func() { l.carry(pair[0], pair[1]) })
		}
	}
}

func (l *Link) add(connections ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range connections {
		if l.open == nil {
			_ = c.Close()
			continue
		}
		l.open[c] = true
	}
	return l.open != nil
}

// carry copies while the link is whole.
func (l *Link) carry(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		for l.cut && l.open != nil {
			l.flows.Wait()
		}
		l.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *Link) close() error {
	l.mu.Lock()
	connections := l.open
	l.open = nil
	l.flows.Broadcast()
	l.mu.Unlock()
	err := l.listener.Close()
	for c := range connections {
		_ = c.Close()
	}
	l.ends.Wait()
	return err
}
