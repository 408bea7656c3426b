package jobconf

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Property is one entry of a configuration: its key and its value, which may be a
// secret.
type Property struct{ Key, Value string }

// javaProperties reads text as java.util.Properties does, the format of
// spark-defaults.conf: `key value`, `key=value` or `key: value`, comments by #
// and !, lines continued by a backslash, and escapes, by which a key could
// otherwise be hidden from whoever compares plain text.
func javaProperties(text string) []Property {
	var list []Property
	for _, line := range logicalLines(text) {
		key, rest := cutKey(line)
		if key == "" && rest == "" {
			continue
		}
		list = append(list, Property{unescape(key), unescape(rest)})
	}
	return list
}

// logicalLines drops comments and blank lines and joins continued ones.
func logicalLines(text string) []string {
	var (
		list    []string
		current strings.Builder
		joining bool
	)
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimLeft(line, " \t\f")
		if !joining && (line == "" || line[0] == '#' || line[0] == '!') {
			continue
		}
		if n := trailingBackslashes(line); n%2 == 1 {
			current.WriteString(line[:len(line)-1])
			joining = true
			continue
		}
		current.WriteString(line)
		list = append(list, current.String())
		current.Reset()
		joining = false
	}
	if joining {
		list = append(list, current.String())
	}
	return list
}

func trailingBackslashes(s string) int { return len(s) - len(strings.TrimRight(s, `\`)) }

// cutKey splits a logical line at the first unescaped blank, '=' or ':'.
func cutKey(line string) (key, value string) {
	i := 0
	for i < len(line) {
		switch line[i] {
		case '\\':
			i++
		case ' ', '\t', '\f', '=', ':':
			rest := strings.TrimLeft(line[i:], " \t\f")
			if rest != "" && (rest[0] == '=' || rest[0] == ':') {
				rest = strings.TrimLeft(rest[1:], " \t\f")
			}
			return line[:i], rest
		}
		i++
	}
	return line, ""
}

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			if i+4 < len(s) {
				if n, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
					b.WriteRune(rune(n))
					i += 4
					continue
				}
			}
			b.WriteByte('u')
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b.WriteRune(r)
			i += size - 1
		}
	}
	return b.String()
}
