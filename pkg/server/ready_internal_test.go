package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
)

// /readyz withholds why a process is not ready, so the log has to say it: from the
// first check on, and once for each reason.
func TestReasonOfNotBeingReadyIsLogged(t *testing.T) {
	t.Parallel()
	var lines []string
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	var err error
	check := saying(func(*http.Request) error { return err }, log)
	for _, reason := range []string{"caches", "caches", "certificate", "", "", "stale", "stale"} {
		if err = nil; reason != "" {
			err = errors.New(reason)
		}
		if got := check(nil); !errors.Is(got, err) {
			t.Errorf("the check answers %v, want %v", got, err)
		}
	}
	want := []string{`"reason"="caches"`, `"reason"="certificate"`, `"msg"="Ready"`, `"reason"="stale"`}
	if !slices.EqualFunc(lines, want, strings.Contains) {
		t.Errorf("the log says %q, want %q", lines, want)
	}
}
