package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What CI systems take for commands when they meet it in the output of a job:
// anywhere in a line, such as `##vso[` of Azure Pipelines and `##[` and
// `##teamcity[`, and at the beginning of one `::` of GitHub Actions.
var (
	anywhere = regexp.MustCompile(`##(\w*\[)`)
	atStart  = regexp.MustCompile(`^(\p{Z}*):(:)`)
)

// visible makes text that anybody may have written harmless and visible: whoever
// writes a manifest must neither move the cursor of who reads the report, nor
// write a line of it, nor turn the order of its letters round, nor command the
// CI system that keeps it. What has no glyph is written as in a Go string, such
// as `\n`, `\x1b` and `\u202e`.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return atStart.ReplaceAllString(anywhere.ReplaceAllString(b.String(), `#\x23$1`), `$1\x3a$2`)
}

// Visible is text that anybody may have written, harmless and visible: for commands
// that print names beside a report.
func Visible(s string) string { return visible(s) }

// escapeInvisible writes what has no glyph as JSON escapes. In a JSON document
// such runes stand in strings only, so that it means the same.
func escapeInvisible(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for _, r := range string(document) {
		if r == '\n' || unicode.IsGraphic(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}
