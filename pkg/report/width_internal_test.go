package report

import (
	"strings"
	"testing"
)

// Letters of two columns, and marks of none, break no line of 80 columns.
func TestWideLettersKeepToTheWidth(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"Korean":                 strings.Repeat("컨테이너가 다른 계정의 역할을 사용합니다 ", 8),
		"Korean, in parts":       strings.Repeat("\u1100\u1161\u11a8 \u1112\u1161\u11ab ", 40),
		"Chinese without blanks": strings.Repeat("容器使用了另一个账户的角色", 12),
		"Japanese and Latin":     strings.Repeat("コンテナ main は AWS_ROLE_ARN を設定しています。", 8),
		"accents in parts":       strings.Repeat("re\u0301fe\u0301rence ", 30),
		"emoji":                  strings.Repeat("🚀🚀 ", 60),
		"Latin":                  strings.Repeat("the pod is on the host network ", 10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Report{Judged: 1, Findings: []Finding{{Rule: "x", Action: "deny", Object: Object{Kind: "Pod", Name: "a"}, Message: message, Remediation: message}}}
			var out strings.Builder
			if err := r.Write(&out, Text, Options{Width: 80}); err != nil {
				t.Fatal(err)
			}
			longest := 0
			for line := range strings.Lines(out.String()) {
				longest = max(longest, columns(strings.TrimSuffix(line, "\n")))
			}
			if longest > 80 || longest < 60 {
				t.Errorf("the longest line has %d columns:\n%s", longest, &out)
			}
			flat := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
			if !strings.Contains(flat(out.String()), flat(message)) {
				t.Errorf("wrapping changed the text:\n%s", &out)
			}
		})
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "abc": 3, "가나": 4, "\u1100\u1161": 2, "e\u0301": 1, "ｱ": 1, "Ａ": 2, "→": 1, "…": 1, "🚀": 2,
	} {
		if got := columns(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}
