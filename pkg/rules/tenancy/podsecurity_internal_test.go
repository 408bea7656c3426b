package tenancy

import "testing"

func TestVersionsOfPodSecurity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after, before string
		older         bool
	}{
		{"v1.30", "v1.31", true},
		{"v1.9", "v1.10", true}, // by number, not by letter
		{"v1.31", "v1.30", false},
		{"v1.30", "v1.30", false},
		{"v1.30", "latest", true},
		{"v1.30", "", true},
		{"latest", "v1.30", false},
		{"", "v1.30", false},
		{"nonsense", "v1.30", false}, // the API server takes it for the latest
	} {
		if got := olderVersion(c.after, c.before); got != c.older {
			t.Errorf("%q after %q: %t, want %t", c.after, c.before, got, c.older)
		}
	}
}

func TestLevelsOfPodSecurity(t *testing.T) {
	t.Parallel()
	order := []string{"", "baseline", "restricted"}
	for i := range order[1:] {
		if level(order[i]) >= level(order[i+1]) {
			t.Errorf("%q is not below %q", order[i], order[i+1])
		}
	}
	if level("privileged") >= level("baseline") || level("nonsense") >= level("baseline") {
		t.Error("what enforces nothing is not below baseline")
	}
}
