// Package accesskey recognises AWS access keys: their ids, the secrets beside them, and
// the variables by which the SDKs of AWS take them.
package accesskey

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/emrguard/emrguard/pkg/limit"
)

// Find returns the access key ids of AWS in a text, each once and no more than
// a rule reports: AKIA or ASIA and sixteen more capital letters or digits, alone or
// between other characters.
//
// Ids are random in base 32 (A to Z, 2 to 7): one in 28 holds no digit, and words
// such as ASIAPACIFICSOUTHEAST hold none either. Without a digit it therefore counts
// only when something says that it is a key: what the caller has seen beside it, the
// name of the field, or the text, which speaks of access keys or holds a secret of the
// right shape.
func Find(text, name string, beside bool) []string {
	const length = 20
	var found []string
	told := beside
	asked := beside // whether name and text were asked already
	for from := 0; len(text)-from >= length && len(found) < limit.Findings; {
		i := strings.IndexByte(text[from:], 'A')
		if i < 0 {
			break
		}
		i += from
		from = i + 1
		if len(text)-i < length {
			break
		}
		id := text[i : i+length]
		if id[:4] != "AKIA" && id[:4] != "ASIA" || i > 0 && isWordByte(text[i-1]) ||
			len(text)-i > length && isWordByte(text[i+length]) || !allCapital(id) {
			continue
		}
		from = i + length
		if !strings.ContainsAny(id, "0123456789") {
			if !asked {
				told, asked = Mentioned(name) || Mentioned(text) || HoldsSecret(text), true
			}
			if !told {
				continue
			}
		}
		if !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

var wordSeparators = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

// Mentioned reports whether a name or a text is about access keys.
func Mentioned(text string) bool {
	plain := wordSeparators.Replace(strings.ToLower(text))
	return slices.ContainsFunc([]string{"accesskey", "keyid", "secretkey", "credential", "awskey", "awssecret"}, func(word string) bool {
		return strings.Contains(plain, word)
	})
}

// HoldsSecret reports whether a text holds a word with the shape of a secret access
// key: forty characters of base 64, with capitals, small letters and digits.
func HoldsSecret(text string) bool {
	const length = 40
	isBase64 := func(c byte) bool { return isWordByte(c) || c == '/' || c == '+' }
	for i := 0; i < len(text); i++ {
		if !isBase64(text[i]) {
			continue
		}
		from := i
		var upper, lower, digit bool
		for ; i < len(text) && isBase64(text[i]); i++ {
			c := text[i]
			upper = upper || c >= 'A' && c <= 'Z'
			lower = lower || c >= 'a' && c <= 'z'
			digit = digit || c >= '0' && c <= '9'
		}
		if i-from == length && upper && lower && digit {
			return true
		}
	}
	return false
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func allCapital(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

var markSeed = maphash.MakeSeed()

// Mark returns a key for findings that tells secrets apart without containing them, so
// that another secret in the same place is a new finding. It is a hash with a seed of this
// process, and so reveals nothing outside of it.
func Mark(secret string) string {
	return strconv.FormatUint(maphash.String(markSeed, secret), 36)
}
