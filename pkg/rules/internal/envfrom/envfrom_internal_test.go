package envfrom

import "testing"

func TestMakes(t *testing.T) {
	t.Parallel()
	names := []string{"AWS_ACCESS_KEY_ID", "AWS_PROFILE"}
	for prefix, want := range map[string]string{
		"":                   "", // the keys decide alone, and nobody knows them
		"A":                  "AWS_ACCESS_KEY_ID",
		"AWS_":               "AWS_ACCESS_KEY_ID",
		"AWS_P":              "AWS_PROFILE",
		"AWS_PROFILE":        "AWS_PROFILE",
		"AWS_PROFILE_":       "",
		"aws_":               "",
		"DB_":                "",
		"AWS_ACCESS_KEY_ID_": "",
	} {
		if got := makes(prefix, names); got != want {
			t.Errorf("the prefix %q makes %q, want %q", prefix, got, want)
		}
	}
}
