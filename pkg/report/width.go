package report

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// columns is how many columns of a terminal a text takes: letters of Chinese,
// Japanese and Korean take two, and marks that stand on another letter none (UAX #11).
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// Columns is how many columns of a terminal a text takes.
func Columns(s string) int { return columns(s) }

func columnsOf(r rune) int {
	switch {
	case r < 0x300: // most text
		return 1
	// The vowels and final consonants of a Korean syllable that is written in parts
	// are drawn over its first consonant.
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf), r >= 0x1160 && r <= 0x11ff:
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
	}
	return 1
}

// piece is a part of a text in front of which a line may end.
type piece struct {
	text   string
	spaced bool // a blank stands before it
}

// pieces takes a text apart at its blanks and, as Chinese and Japanese have none,
// between letters of two columns.
func pieces(s string) []piece {
	var list []piece
	for i, word := range strings.Split(s, " ") {
		spaced, from := i > 0, 0
		after := false // a letter of two columns
		for at, r := range word {
			n := columnsOf(r)
			if after && n == 2 {
				list = append(list, piece{word[from:at], spaced})
				spaced, from = false, at
			}
			if n > 0 {
				after = n == 2
			}
		}
		list = append(list, piece{word[from:], spaced})
	}
	return list
}
