package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// How often the API server is asked whether it still lets emrguard read, and how long
// the answers may take.
const (
	beatInterval = 5 * time.Second
	beatTimeout  = 5 * time.Second
)

// outage is from how long on a loss of contact makes the watches start anew: what
// the watches may have missed is then listed at once instead of when their own
// connections have given up.
const outage = 2 * beatInterval

// heartbeat asks the API server, again and again, for a little of what is watched: one
// resource after the other, and one that fails until it no longer does. So it
// notices, within seconds, what a watch that is open already does not: that the
// connection is gone, that the permission is, or that priority and fairness lets
// nothing through.
type heartbeat struct {
	freshness *Freshness
	paths     []string
	connect   func() (*connection, error)
	// returned is called when contact is there again after an outage.
	returned func()
	log      logr.Logger
}

func (h *heartbeat) run(ctx context.Context) {
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	var c *connection
	defer func() { c.close() }()
	for next := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var err error
		if c == nil {
			c, err = h.connect()
		}
		if err == nil {
			err = beat(ctx, c.rest, h.paths[next])
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.log.Error(err, "The API server does not let emrguard read what it watches", "path", h.paths[next], "since", h.freshness.Contact().Round(time.Second).String())
			c.close() // a connection that hangs would hang the next time as well
			c = nil
			continue
		}
		lost := h.freshness.Contact()
		h.freshness.contact.Store(h.freshness.now().UnixNano())
		next = (next + 1) % len(h.paths)
		if lost > outage {
			h.log.Info("The API server is back; everything that is watched is listed anew", "after", lost.Round(time.Second).String())
			h.returned()
		}
	}
}

// beat lists one object of a resource, and watches what comes after it for a second:
// permission for the one is not permission for the other. Nothing is kept.
func beat(ctx context.Context, client rest.Interface, path string) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	raw, err := client.Get().AbsPath(path).Param("limit", "1").
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("list %s: %w", path, err)
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("list %s: %w", path, err)
	}
	events, err := client.Get().AbsPath(path).Param("watch", "true").Param("timeoutSeconds", "1").Param("resourceVersion", list.ResourceVersion).Stream(ctx)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	defer func() { _ = events.Close() }()
	if _, err := io.Copy(io.Discard, events); err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	return nil
}
