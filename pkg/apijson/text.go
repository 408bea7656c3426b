package apijson

import "unicode/utf8"

// Short strings are allocated chunk by chunk: an object has hundreds of them. Whoever
// keeps one of them keeps its chunk.
const (
	chunk       = 1 << 10
	shortString = 64
)

// string makes a string of bytes of the data.
func (r *reader) string(s []byte) string {
	if len(s) > shortString {
		return string(s)
	}
	if r.strings.Cap()-r.strings.Len() < len(s) {
		r.strings.Reset()
		r.strings.Grow(chunk)
	}
	from := r.strings.Len()
	r.strings.Write(s)
	return r.strings.String()[from:]
}

// What a byte is inside of a string.
const (
	plain   = iota
	special // ends a run of plain bytes: a quote, a backslash, a control character
	beyond  // of a character beyond ASCII
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c < ' ' || c == '"' || c == '\\':
			t[c] = special
		case c >= utf8.RuneSelf:
			t[c] = beyond
		}
	}
	return t
}()

// text consumes a string and returns what stands in it: a part of the data, or a new
// slice when it has escapes.
func (r *reader) text() ([]byte, bool) {
	if !r.take('"') {
		return nil, false
	}
	from, ascii := r.at, true
	for i := from; i < len(r.data); i++ {
		switch classes[r.data[i]] {
		case plain:
			continue
		case beyond:
			ascii = false
			continue
		}
		s := r.data[from:i]
		r.at = i + 1
		switch {
		case !ascii && !utf8.Valid(s):
			return nil, false
		case r.data[i] == '"':
			return s, true
		case r.data[i] == '\\':
			r.at = i
			return r.escaped(s)
		}
		return nil, false
	}
	return nil, false
}

// escaped consumes the rest of a string, from its first backslash on. before is what
// came before that.
func (r *reader) escaped(before []byte) ([]byte, bool) {
	s := append(make([]byte, 0, 2*len(before)+64), before...)
	from := len(s)
	for r.at < len(r.data) {
		c := r.data[r.at]
		r.at++
		switch {
		case c == '"':
			return s, utf8.Valid(s[from:])
		case c < ' ':
			return nil, false
		case c != '\\':
			s = append(s, c)
			continue
		}
		if r.at == len(r.data) {
			return nil, false
		}
		c = r.data[r.at]
		r.at++
		if c == 'u' {
			code, ok := r.hex4()
			if !ok || 0xd800 <= code && code < 0xe000 { // half of a character
				return nil, false
			}
			s = utf8.AppendRune(s, code)
			continue
		}
		if c = unescaped[c]; c == 0 {
			return nil, false
		}
		s = append(s, c)
	}
	return nil, false
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hex4 consumes the four digits of \uXXXX.
func (r *reader) hex4() (rune, bool) {
	if len(r.data)-r.at < 4 {
		return 0, false
	}
	var code rune
	for _, c := range r.data[r.at : r.at+4] {
		code <<= 4
		switch {
		case '0' <= c && c <= '9':
			code |= rune(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			code |= rune(c | 0x20 - 'a' + 10)
		default:
			return 0, false
		}
	}
	r.at += 4
	return code, true
}
