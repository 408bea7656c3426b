package admission

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/emrguard/emrguard/pkg/limit"
)

// splitter takes an AdmissionReview apart while it arrives: the envelope, in which
// `null` stands for the objects, and the JSON of the objects. It undoes escapes
// where JSON needs none, so that an object costs what it has and not the sixfold,
// and it estimates what the objects will take once they are decoded.
//
// It checks no more than it needs to tell the parts apart. Whoever decodes them
// checks the rest.
type splitter struct {
	left int64 // bytes of the body that have not come yet

	envelope []byte
	raw      []byte // both objects, one after the other
	object   span
	old      span
	headEnd  int // of the envelope, behind the null for the first object
	decoded  int64

	open      []byte // '{' or '[' for each level
	into      *span  // the object that is being read
	inString  bool
	escaped   bool // after a backslash
	hex       int  // digits of \uXXXX still to come
	code      rune
	wantKey   bool
	keyStart  int
	key       string
	keyBroken bool
	inRequest bool
	requests  int
}

// span is a part of splitter.raw.
type span struct {
	from, to int
	seen     bool
}

var (
	errReview = errors.New("it is not written as the API server writes it")
	errNested = errors.New("it is nested too deep")
	errLong   = errors.New("its envelope is too long")
)

// Estimates of what JSON becomes in memory: an element of a list (a container has
// 800 bytes), another object (a map), a list, and a value.
const (
	costElement = 1024
	costObject  = 384
	costList    = 64
	costValue   = 96
	maxNesting  = 10_000 // as encoding/json
)

// first allocates for a small body at once, and for a large one step by step: who
// announces much must send it before it costs anything.
func newSplitter(length int64) *splitter {
	return &splitter{left: length, envelope: make([]byte, 0, 2<<10), raw: make([]byte, 0, min(length, limit.SmallBody))}
}

// feed takes the next bytes. The error says that this is no review, or is a
// [limit.Exceeded].
func (s *splitter) feed(b []byte) error {
	s.left -= int64(len(b))
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case s.hex > 0:
			if err := s.hexDigit(c); err != nil {
				return err
			}
		case s.escaped:
			s.escaped = false
			if c == 'u' {
				s.hex, s.code = 4, 0
				for ; s.hex > 0 && i+1 < len(b); i++ {
					if err := s.hexDigit(b[i+1]); err != nil {
						return err
					}
				}
			} else {
				s.write('\\', c)
			}
		case s.into != nil && c != '\\':
			n, err := s.inside(b[i:])
			if err != nil {
				return err
			}
			if i += n; n > 0 {
				continue
			}
			if err := s.structure(c); err != nil { // the end of the object
				return err
			}
		case s.inString:
			run := i
			for run < len(b) && b[run] != '"' && b[run] != '\\' {
				run++
			}
			s.write(b[i:run]...)
			if i = run; i == len(b) {
				continue
			}
			if b[i] == '\\' {
				s.escaped, s.keyBroken = true, true
			} else {
				s.write('"')
				s.endString()
			}
		default:
			if err := s.structure(c); err != nil {
				return err
			}
		}
		i++
	}
	switch {
	case s.decoded+int64(len(s.raw)) > limit.Decoded:
		return &limit.Exceeded{What: "its objects take more than 48 MiB of memory"}
	case len(s.envelope) > limit.Envelope:
		return errLong
	}
	return nil
}

// inside takes the next bytes of an object, up to a backslash in a string or to the
// byte behind the object, and says how many they are.
func (s *splitter) inside(b []byte) (int, error) {
	i := 0
	for ; i < len(b); i++ {
		if s.inString {
			for i < len(b) && b[i] != '"' && b[i] != '\\' {
				i++
			}
			if i == len(b) || b[i] == '\\' {
				break
			}
			s.inString = false
			continue
		}
		switch c := b[i]; c {
		case '"':
			s.inString = true
		case '{', '[':
			if err := s.begin(c); err != nil {
				return 0, err
			}
		case ',', '}', ']':
			if len(s.open) == 2 {
				s.write(b[:i]...)
				return i, nil
			}
			if c == ',' {
				s.decoded += costValue
			} else if err := s.end(c); err != nil {
				return 0, err
			}
		}
	}
	s.write(b[:i]...)
	return i, nil
}

// hexDigit reads one digit of an escaped character, and writes it as it is when
// JSON allows that.
func (s *splitter) hexDigit(c byte) error {
	var digit byte
	switch {
	case '0' <= c && c <= '9':
		digit = c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		digit = c | 0x20 - 'a' + 10
	default:
		return errReview
	}
	s.code = s.code<<4 | rune(digit)
	if s.hex--; s.hex > 0 {
		return nil
	}
	switch {
	case s.code < ' ', s.code == '"', s.code == '\\', 0xd800 <= s.code && s.code < 0xe000:
		const digits = "0123456789abcdef"
		s.write('\\', 'u', digits[s.code>>12], digits[s.code>>8&15], digits[s.code>>4&15], digits[s.code&15])
	default:
		var utf [utf8.UTFMax]byte
		s.write(utf[:utf8.EncodeRune(utf[:], s.code)]...)
	}
	return nil
}

// write appends to the part that is being read.
func (s *splitter) write(b ...byte) {
	if s.into == nil {
		s.envelope = append(s.envelope, b...)
		return
	}
	if need := len(s.raw) + len(b); need > cap(s.raw) {
		s.raw = append(make([]byte, 0, s.grown(need)), s.raw...)
	}
	s.raw = append(s.raw, b...)
}

// grown doubles what is small. From 4 MiB on there is room for all that can still
// come: copies that are given up would cost more than memory that is never touched.
func (s *splitter) grown(need int) int {
	const most = 4 << 20
	if cap(s.raw) < most {
		return max(need, 2*cap(s.raw))
	}
	return need + int(max(0, s.left)) + 64<<10
}

func (s *splitter) isKey() bool {
	return s.wantKey && s.into == nil && (len(s.open) == 1 || len(s.open) == 2 && s.inRequest)
}

func (s *splitter) endString() {
	s.inString = false
	if s.isKey() {
		s.key = string(s.envelope[s.keyStart+1 : len(s.envelope)-1])
		if s.keyBroken {
			s.key = "\\" // an escaped key is another one than it seems
		}
	}
}

// structure takes a byte outside of strings.
func (s *splitter) structure(c byte) error {
	switch c {
	case '"':
		s.inString, s.keyBroken = true, false
		if s.isKey() {
			s.keyStart = len(s.envelope)
		}
	case '{', '[':
		if err := s.begin(c); err != nil {
			return err
		}
	case '}', ']':
		if err := s.end(c); err != nil {
			return err
		}
	case ',':
		s.leave()
		s.wantKey = len(s.open) > 0 && s.open[len(s.open)-1] == '{'
		if s.into != nil {
			s.decoded += costValue
		}
	case ':':
		return s.colon()
	}
	s.write(c)
	return nil
}

func (s *splitter) begin(c byte) error {
	if len(s.open) == maxNesting {
		return errNested
	}
	if s.into != nil {
		switch {
		case c == '[':
			s.decoded += costList
		case s.open[len(s.open)-1] == '[':
			s.decoded += costElement
		default:
			s.decoded += costObject
		}
	} else if len(s.open) == 1 && s.open[0] == '{' && s.key == "request" && c == '{' {
		s.inRequest = true
	}
	s.open = append(s.open, c)
	s.wantKey = c == '{'
	return nil
}

func (s *splitter) end(c byte) error {
	s.leave()
	last := len(s.open) - 1
	if last < 0 || s.open[last] != c-2 { // '{' and '}', '[' and ']' are two apart
		return errReview
	}
	s.open = s.open[:last]
	s.wantKey = false
	if len(s.open) == 1 && s.into == nil {
		s.inRequest = false
	}
	return nil
}

// leave ends an object at the comma or bracket behind it.
func (s *splitter) leave() {
	if s.into != nil && len(s.open) == 2 {
		s.into.to = len(s.raw)
		s.into = nil
	}
}

// colon comes behind a key. The keys of the envelope decide where bytes go. The
// API server writes each once and without escapes; what is written in another way
// could be read in two ways.
func (s *splitter) colon() error {
	s.write(':')
	isKey := s.isKey()
	s.wantKey = false
	if !isKey {
		return nil
	}
	switch {
	case s.key == "\\":
		return errReview
	case len(s.open) == 1 && s.key == "request":
		if s.requests++; s.requests > 1 {
			return errReview
		}
	case len(s.open) == 2 && s.key == "object":
		return s.enter(&s.object)
	case len(s.open) == 2 && s.key == "oldObject":
		return s.enter(&s.old)
	}
	return nil
}

func (s *splitter) enter(part *span) error {
	if part.seen {
		return errReview
	}
	s.write([]byte("null")...)
	if s.headEnd == 0 {
		s.headEnd = len(s.envelope)
	}
	*part = span{from: len(s.raw), seen: true}
	s.into = part
	return nil
}

// head is the envelope up to the first object, or nil when no object has come.
func (s *splitter) head() []byte {
	if s.headEnd == 0 {
		return nil
	}
	return append(s.envelope[:s.headEnd:s.headEnd], "}}"...)
}

// part returns the JSON of an object, or nil when there is none.
func (s *splitter) part(p span) []byte {
	raw := bytes.TrimSpace(s.raw[p.from:p.to:p.to])
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return raw
}
