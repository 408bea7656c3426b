package integration

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emrguard/emrguard/test/harness"
)

// flood is how long strangers go on, and with how many connections.
const (
	floodTime        = 8 * time.Second
	floodConnections = 10_000
)

// stranger has a connection to the webhook's port and no certificate. It reports
// false when it could not be made.
func stranger(ctx context.Context, plain bool) (net.Conn, bool) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	c, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(chart.Port))
	if err != nil {
		return nil, false
	}
	if err := c.SetDeadline(time.Now().Add(floodTime)); err != nil || plain {
		return c, err == nil
	}
	return tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}), true
}

func announce(length int) string {
	return "POST /managed?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
}

// forged is a review that no API server has sent: break glass lets a grant in.
func forged(i int) string {
	return fmt.Sprintf(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"group":"rbac.authorization.k8s.io","version":"v1","kind":"RoleBinding"},"resource":{"group":"rbac.authorization.k8s.io","version":"v1","resource":"rolebindings"},"name":"ghost-%d","namespace":"flood","operation":"CREATE","userInfo":{"username":"nobody","groups":["emrguard:break-glass"]},"object":{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"ghost-%d","namespace":"flood"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"admin"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}]}}}`, i, i)
}

// strangers does something with many connections at a time.
func strangers(ctx context.Context, all *sync.WaitGroup, n int, do func(ctx context.Context, i int)) {
	for i := range n {
		all.Go(func() {
			for ctx.Err() == nil {
				do(ctx, i)
			}
		})
	}
}

// hold keeps a connection until the end, or until the server closes it.
func hold(ctx context.Context, c net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

// TestFlood proves that whoever reaches the port cannot keep the API server from
// getting its answers, change them, or end the process.
func TestFlood(t *testing.T) {
	const ns = "flood"
	podNamespace(t, ns, managed())
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	silent := min(floodConnections, int(min(files.Cur, 1<<20))-2000)
	idle := status(t, "VmRSS")
	risen := peak(t)
	beside := startLoad(t, ns, 20, harness.Denied)
	ctx, cancel := context.WithTimeout(t.Context(), floodTime)
	defer cancel()
	var all sync.WaitGroup
	// Connections that say nothing, and bodies that do not come.
	all.Go(func() {
		for i := 0; i < silent && ctx.Err() == nil; i++ {
			c, ok := stranger(ctx, i%10 != 0)
			if !ok {
				continue
			}
			all.Go(func() {
				if i%10 == 0 {
					_, _ = io.WriteString(c, announce(7_000_000)+"{")
				}
				hold(ctx, c)
			})
		}
	})
	body := `{"request":{"uid":"1","object":{"a":"` + strings.Repeat("x", 6<<20) + `"}}}`
	strangers(ctx, &all, 12, func(ctx context.Context, _ int) {
		if c, ok := stranger(ctx, false); ok {
			_, _ = io.WriteString(c, announce(len(body))+body)
			_ = c.Close()
		}
	})
	strangers(ctx, &all, 4, func(ctx context.Context, i int) {
		if c, ok := stranger(ctx, false); ok {
			review := forged(i)
			_, _ = io.WriteString(c, announce(len(review))+review)
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}
	})
	// A grant that forged reviews claim to be held already is one all the same.
	grants, err := harness.ParseManifests("grant", []byte(`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: mallory-admin, namespace: flood}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for asked := 0; ctx.Err() == nil || asked == 0; asked++ {
		a, _ := administrator(t).Create(t.Context(), grants[0].DeepCopy(), harness.DryRun)
		want(t, "a grant beside forged ones", a, harness.Denied)
	}
	all.Wait()
	beside.end(t)
	if err := guard.Exited(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests were answered; the memory rose by %d MiB", len(beside.took), risen()>>20)
	if err := harness.WaitFor(t.Context(), "the memory to return", patience, func(context.Context) error {
		if now := status(t, "VmRSS"); now > idle+mayCost {
			return fmt.Errorf("it is %d MiB above what it was", (now-idle)>>20)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
