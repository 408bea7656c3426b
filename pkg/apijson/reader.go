package apijson

import "strings"

// reader goes through JSON. Its methods report false for everything that is not
// plainly valid.
type reader struct {
	data     []byte
	at       int
	elements int // of lists, that may still come
	depth    int
	strings  strings.Builder
}

// next skips blanks and returns the byte behind them, or 0 at the end. It does not
// consume it.
func (r *reader) next() byte {
	for r.at < len(r.data) {
		c := r.data[r.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return 0
		}
		r.at++
	}
	return 0
}

// take consumes c, which must come next.
func (r *reader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.at++
	return true
}

// atEnd reports whether nothing but blanks is left.
func (r *reader) atEnd() bool { return r.next() == 0 && r.at == len(r.data) }

// more is called behind an element: it consumes a comma, or the closing bracket. ok
// is false for anything else.
func (r *reader) more(closing byte) (more, ok bool) {
	switch r.next() {
	case ',':
		r.at++
		return true, true
	case closing:
		r.at++
		return false, true
	}
	return false, false
}

// open consumes an opening bracket and reports whether anything stands behind it; if
// nothing does, the closing one too.
func (r *reader) open(opening, closing byte) (more, ok bool) {
	if !r.take(opening) || r.depth == maxDepth {
		return false, false
	}
	if r.next() == closing {
		r.at++
		return false, true
	}
	return true, true
}

// null consumes null, if that comes next.
func (r *reader) null() bool { return r.next() == 'n' && r.word("null") }

// word consumes a literal.
func (r *reader) word(w string) bool {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return false
	}
	r.at += len(w)
	return true
}

// integer consumes a whole number of at most eighteen digits, which no int64 is too
// small for.
func (r *reader) integer() (int64, bool) {
	negative := r.next() == '-'
	if negative {
		r.at++
	}
	from, n := r.at, int64(0)
	for r.at < len(r.data) && '0' <= r.data[r.at] && r.data[r.at] <= '9' {
		n = n*10 + int64(r.data[r.at]-'0')
		if r.at++; r.at-from > 18 {
			return 0, false
		}
	}
	digits := r.data[from:r.at]
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	if r.at < len(r.data) && (r.data[r.at] == '.' || r.data[r.at]|0x20 == 'e') {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// value consumes any value and returns its JSON.
func (r *reader) value() ([]byte, bool) {
	c, from := r.next(), r.at
	var ok bool
	switch c {
	case '{':
		ok = r.object()
	case '[':
		ok = r.list()
	case '"':
		_, ok = r.text()
	case 't':
		ok = r.word("true")
	case 'f':
		ok = r.word("false")
	case 'n':
		ok = r.word("null")
	default:
		_, ok = r.integer()
	}
	return r.data[from:r.at], ok
}

func (r *reader) object() bool {
	more, ok := r.open('{', '}')
	r.depth++
	for more && ok {
		if _, ok = r.text(); ok && r.take(':') {
			if _, ok = r.value(); ok {
				more, ok = r.more('}')
				continue
			}
		}
		return false
	}
	r.depth--
	return ok
}

func (r *reader) list() bool {
	more, ok := r.open('[', ']')
	r.depth++
	for more && ok {
		if _, ok = r.value(); ok {
			more, ok = r.more(']')
		}
	}
	r.depth--
	return ok
}
