package report

import "testing"

func TestFileURI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file    string
		windows bool
		want    string
	}{
		{"jobs/etl.yaml", false, "jobs/etl.yaml"},
		{"./jobs//etl.yaml", false, "jobs/etl.yaml"},
		{"../etl.yaml", false, "../etl.yaml"},
		{"my jobs/50%#1?.yaml", false, "my%20jobs/50%25%231%3F.yaml"},
		{"file:x.yaml", false, "file%3Ax.yaml"},
		{"작업.yaml", false, "%EC%9E%91%EC%97%85.yaml"},
		{"\xff.yaml", false, "%FF.yaml"},
		{"/src/etl.yaml", false, "file:///src/etl.yaml"},
		{"//src/etl.yaml", false, "file:///src/etl.yaml"},
		{`a\b.yaml`, false, "a%5Cb.yaml"},
		{`jobs\etl.yaml`, true, "jobs/etl.yaml"},
		{`.\jobs\etl.yaml`, true, "jobs/etl.yaml"},
		{`C:\my jobs\etl.yaml`, true, "file:///C:/my%20jobs/etl.yaml"},
		{`C:/jobs/etl.yaml`, true, "file:///C:/jobs/etl.yaml"},
		{`\\host\share\etl.yaml`, true, "file://host/share/etl.yaml"},
	} {
		if got := fileURI(c.file, c.windows); got != c.want {
			t.Errorf("%q (windows: %t) is %q, not %q", c.file, c.windows, got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"One. Two.", 20, "One. Two."},
		{"One. Two. Three.", 11, "One. Two."},
		{"no end", 4, "no e"},
		{"작업", 4, "작"},
	} {
		if got := cut(c.text, c.limit); got != c.want {
			t.Errorf("%q in %d bytes is %q, not %q", c.text, c.limit, got, c.want)
		}
	}
}
