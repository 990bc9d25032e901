package state

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestFold(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "empty"},
		{name: "lower", in: "/users/42", want: "/users/42"},
		{name: "upper", in: "/Users/ABCxyz", want: "/users/abcxyz"},
		{name: "Kelvin sign", in: "/\u212aeys", want: "/keys"},
		{name: "long s", in: "/uſers", want: "/users"},
		{name: "dotted capital i", in: "/İtems", want: "/items"},
		{name: "dotless i", in: "/ıtems", want: "/items"},
		{name: "sharp s", in: "/straße", want: "/strasse"},
		{name: "capital sharp s", in: "/STRAẞE", want: "/strasse"},
		{name: "ligatures", in: "/oﬃce ﬀ ﬁ ﬂ ﬄ ﬅ ﬆ", want: "/office ff fi fl ffl st st"},
		{name: "Han", in: "/文档", want: "/文档"},
		{name: "not UTF-8", in: "/A\xffB\xe2\x84", want: "/a\xffb\xe2\x84"},
		{name: "data slash", in: "/A\x1fB", want: "/a\x1fb"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, foldPath(test.in))
			require.Equal(t, "x"+test.want, string(appendFolded([]byte("x"), test.in)))
		})
	}
	require.Equal(t, foldPath("MÜNCHEN ΣΊΣΥΦΟΣ ПУТЬ"), foldPath("münchen σίσυφος путь"))
	require.Equal(t, foldPath("σ"), foldPath("ς"))
}

// Whatever case mapping a backend applies to a character, the outcome folds alike.
func TestFoldKnowsEveryCaseMapping(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if !utf8.ValidRune(c) {
			continue
		}
		folded := foldPath(string(c))
		if c >= 0x80 || folded != string(c) {
			require.LessOrEqual(t, len(folded), len(string(c)), "%U", c)
		}
		for _, other := range [...]rune{unicode.ToLower(c), unicode.ToUpper(c), unicode.ToTitle(c), unicode.SimpleFold(c)} {
			if other != c && foldPath(string(other)) != folded {
				t.Fatalf("%U folds to %q, its other case %U to %q", c, folded, other, foldPath(string(other)))
			}
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "/Users", "/\u212a\u0130\u0131ſßẞﬃ", "\xff\xc3", "文档Ω", "Ⱥⱥ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := foldPath(s)
		require.Equal(t, folded, foldPath(folded))
		require.LessOrEqual(t, len(folded), len(s))
		require.Equal(t, folded, string(appendFolded(nil, s)))
		require.Equal(t, utf8.ValidString(s), utf8.ValidString(folded))
		require.NotContains(t, folded, "K")
		if utf8.ValidString(s) {
			require.Equal(t, folded, foldPath(strings.ToUpper(s)))
			require.Equal(t, folded, foldPath(strings.ToLower(s)))
		}
	})
}
