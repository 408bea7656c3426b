package harness

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
