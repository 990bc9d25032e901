package readingtest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// Ordinary returns a target as decent clients send them: identifiers, dates, mail
// addresses, file names, words of many languages, percent signs, encoded slashes
// and whole URLs as a segment, with any kind of query. None may be refused as
// unreadable.
//
// An encoded percent sign is not followed by two hexadecimal digits here: what a
// double decoder makes of such a path nobody can tell.
func Ordinary(rng *rand.Rand) string {
	var target strings.Builder
	for range rng.IntN(6) {
		target.WriteByte('/')
		target.WriteString(ordinarySegment(rng))
	}
	if target.Len() == 0 || rng.IntN(8) == 0 {
		target.WriteByte('/')
	}
	if rng.IntN(2) == 0 {
		target.WriteByte('?')
		target.WriteString(ordinaryQuery(rng))
	}
	return target.String()
}

func ordinarySegment(rng *rand.Rand) string {
	switch rng.IntN(16) {
	case 0, 1, 2:
		return pick(rng, "api", "v1", "users", "orders", "Products", "well-known", "_next", "~ann", "index.html", "app.3f9c1b.min.js", ".well-known")
	case 3:
		return fmt.Sprint(rng.IntN(1 << 30))
	case 4:
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", rng.Uint32(), rng.IntN(1<<16), rng.IntN(1<<12), rng.IntN(1<<12), rng.Uint64()>>16)
	case 5:
		return pick(rng, "2031-02-28", "2031-02-28T23:59:60Z", "2031-02-28T10%3A00%3A00%2B02%3A00", "10:30", "P3Y6M4DT12H30M5S")
	case 6:
		return pick(rng, "ann", "bob.lee", "o'hara") + pick(rng, "+tag", "", "%2Btag") + pick(rng, "@", "%40") + "example.test"
	case 7, 8:
		return pathEscape(rng, pick(rng, "José", "Zürich", "北京市", "東京 タワー", "Привет", "مرحبا", "ﬁn", "🙂👍🏽", "１２３", "e\u0301te", "Ångström", "İstanbul"))
	case 9:
		return pick(rng, "50%25", "100%25%20off", "50%25-rabatt", "%25", "a%25%25", "-3%25.pdf")
	case 10:
		return pathEscape(rng, pick(rng, "my file (1).pdf", "a/b/c", "C++", "who?", "#tag", "a&b=c", "[x]", `AC\DC`, "5 < 6", "etc.", "a;b", "Hello, world!", "{id}", "50 °C"))
	case 11:
		return url.PathEscape("https://example.test/a/b?c=d&e=f%20g#h") + pick(rng, "", "/")
	case 12:
		return pick(rng, "map;v=1.1", "a;lat=50;long=20", "books:search", "$metadata", "Items(42)", "*", "a,b,c", "=x==", "!important", "@me", "a=b&c=d")
	case 13:
		return pick(rng, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "dGVzdA%3D%3D", "a%2Fb", "group%2Fsub%2Fproject", "refs%2Fheads%2Fmain", "sha256:9f86d08")
	case 14:
		return strings.Repeat(pick(rng, "long-", "x", "%C3%A9", "a.b"), 1+rng.IntN(60))
	}
	return pick(rng, "Deck.v2", "v1.2.3", "...", "a..b", "-", "_", "~", "a--b", "file.tar.gz")
}

// pathEscape escapes text for a segment, in the spelling of one client or another.
func pathEscape(rng *rand.Rand, text string) string {
	escaped := url.PathEscape(text)
	if rng.IntN(4) == 0 {
		return escape.ReplaceAllStringFunc(escaped, strings.ToLower)
	}
	return escaped
}

func ordinaryQuery(rng *rand.Rand) string {
	var pairs []string
	for range rng.IntN(5) {
		pairs = append(pairs, pick(rng, "a=1", "q=%zz", "x=%", "b==", "c[]=1", "url=https://x.test/../y//z", "utf8=✓", "d=%00", "e=a;b", "f=%ff",
			"", "flag", "g=?", "h=a+b", "%E4=%F6", "i=%2525252e", "j="+strings.Repeat("z", rng.IntN(200)), "method=get", "k=../../etc"))
	}
	return strings.Join(pairs, pick(rng, "&", "&", ";"))
}
