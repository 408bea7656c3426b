package emr

import "testing"

// TestReleaseRows proves that the table is as its comment says: each line stands
// newest first, and no row was left out because it could not be read.
func TestReleaseRows(t *testing.T) {
	t.Parallel()
	if len(releases) != len(releaseRows) {
		t.Errorf("of %d rows %d can be read", len(releaseRows), len(releases))
	}
	for i, row := range releaseRows {
		if row[1] != "" && releases[i].day.IsZero() {
			t.Errorf("%s: %q is no day", row[0], row[1])
		}
	}
	for i := 1; i < len(releases); i++ {
		newer, older := releases[i-1], releases[i]
		if newer.SameLine(older.Release) && newer.Compare(older.Release) <= 0 {
			t.Errorf("%s stands above %s", newer, older)
		}
		if newer.SameLine(older.Release) && !newer.day.IsZero() && !older.day.IsZero() && !newer.day.After(older.day) {
			t.Errorf("%s is of %s, %s of %s", newer, newer.day, older, older.day)
		}
	}
	for region, account := range registries {
		if !isAWSAccountID(account) {
			t.Errorf("%s: %q is no AWS account", region, account)
		}
	}
}
