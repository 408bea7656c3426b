package describe

import "strings"

// Cell keeps a text within a cell of a table in Markdown. Between backquotes, only what
// ends a cell is escaped.
func Cell(text string) string {
	parts := strings.Split(strings.ReplaceAll(text, "\n", " "), "`")
	for i, part := range parts {
		part = strings.ReplaceAll(part, "|", "\\|")
		// The last part is no code if no backquote closes it.
		if isCode := i%2 == 1 && i < len(parts)-1; !isCode {
			part = strings.NewReplacer("<", "&lt;", "*", "\\*").Replace(part)
		}
		parts[i] = part
	}
	return strings.Join(parts, "`")
}
