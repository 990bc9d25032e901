package state

import (
	"unicode"
	"unicode/utf8"
)

// foldPath returns s with case removed, so that two spellings fold alike whenever some
// case-insensitive backend takes them for the same: letters of one orbit of
// Unicode simple case folding (with them the Kelvin sign and the long s), and
// those that a lower-casing or upper-casing turns into ASCII (dotted and dotless
// i, sharp s, the Latin ligatures: "ß" folds to "ss", "ﬁ" to "fi"). A letter that
// has an ASCII member in its orbit becomes that one in lower case, any other the
// least of its orbit.
//
// The result folds to itself, is never longer than s, keeps bytes that are not UTF-8, and
// does not allocate when s is folded ASCII already.
func foldPath(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(appendFolded(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// appendFolded appends Fold(s) to dst and returns the extended slice. It does not
// allocate when dst has room for len(s) more bytes.
func appendFolded(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, c)
		} else {
			dst = appendFoldRune(dst, r)
		}
		i += size
	}
	return dst
}

// appendFoldRune appends the folded form of a character outside ASCII.
func appendFoldRune(dst []byte, r rune) []byte {
	if expansion := asciiExpansion(r); expansion != "" {
		return append(dst, expansion...)
	}
	// East Asian scripts have no case and are long in URLs: spare the search.
	if 0x2e80 <= r && r <= 0xa63f || 0xac00 <= r && r <= 0xd7ff {
		return utf8.AppendRune(dst, r)
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return utf8.AppendRune(dst, least)
}

// asciiExpansion returns the ASCII text that a full case mapping makes of r where
// simple folding does not (SpecialCasing.txt and CaseFolding.txt, status F and T).
func asciiExpansion(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'İ', 'ı':
		return "i"
	case 'ﬀ':
		return "ff"
	case 'ﬁ':
		return "fi"
	case 'ﬂ':
		return "fl"
	case 'ﬃ':
		return "ffi"
	case 'ﬄ':
		return "ffl"
	case 'ﬅ', 'ﬆ':
		return "st"
	}
	return ""
}
