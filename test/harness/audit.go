package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

func (cp *ControlPlane) auditLog() string { return filepath.Join(cp.Dir, "audit.log") }

// AuditEvents returns the events of the API server's audit log that match: who
// asked for what, what the answer was, and the annotations of the admission
// webhooks. Requests that only read are not recorded.
func (cp *ControlPlane) AuditEvents(match func(*auditv1.Event) bool) ([]auditv1.Event, error) {
	f, err := os.Open(cp.auditLog())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer f.Close()
	var events []auditv1.Event
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 4<<20)
	for scanner.Scan() {
		var event auditv1.Event
		// The last line may be half written.
		if err := json.Unmarshal(scanner.Bytes(), &event); err != nil {
			continue
		}
		if match(&event) {
			events = append(events, event)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return events, nil
}

// AuditAnnotation waits for the audit event of a user's request to a subresource
// of a Pod (exec, portforward, …), and returns the last such event's annotation
// whose key ends in suffix. It is what is left of a warning where the client shows
// none.
func (cp *ControlPlane) AuditAnnotation(ctx context.Context, user, pod, subresource, suffix string) (string, error) {
	var text string
	err := WaitFor(ctx, fmt.Sprintf("the audit event of %s and pods/%s", user, subresource), auditTimeout, func(context.Context) error {
		_, err := cp.AuditEvents(func(e *auditv1.Event) bool {
			if e.User.Username != user || e.ObjectRef == nil || e.ObjectRef.Name != pod || e.ObjectRef.Subresource != subresource {
				return false
			}
			for key, value := range e.Annotations {
				if strings.HasSuffix(key, suffix) {
					text = value
				}
			}
			return false
		})
		if err == nil && text == "" {
			err = fmt.Errorf("it has no annotation *%s", suffix)
		}
		return err
	})
	return text, err
}

// auditTimeout is how long an event may take to be in the audit log.
const auditTimeout = 10 * time.Second
