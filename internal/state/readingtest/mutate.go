package readingtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Mutate returns a target that an attacker would try in order to reach path through
// a gate that blocks it: up to five tricks, one on top of the other. The path is as
// it would be sent (escaped).
func Mutate(rng *rand.Rand, path string) string {
	for range 1 + rng.IntN(5) {
		path = mutations[rng.IntN(len(mutations))](rng, path)
	}
	switch rng.IntN(12) {
	case 0:
		return path + pick(rng, "?", "?a=b", "?x=/../..//", "??", "?;/%2e%2e")
	case 1:
		return pick(rng, "http://gate.test", "https://a:1", "HTTP://[::1]:80") + path
	}
	return path
}

// mutation is one trick.
type mutation func(rng *rand.Rand, path string) string

var mutations = []mutation{
	encodeSome, encodeSome, encodeSome, encodePercent, encodePercent,
	changeSlash, changeSlash, insertDetour, insertDetour, insertSegment,
	appendTail, appendTail, prefixHead, changeCase, widen, insertJunk, breakInto,
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }

// hex writes a byte as an escape, once or twice over.
func hex(rng *rand.Rand, c byte) string {
	switch rng.IntN(8) {
	case 0:
		digits := fmt.Sprintf("%02x", c)
		return fmt.Sprintf("%%25%%%02x%%%02x", digits[0], digits[1])
	case 1:
		return fmt.Sprintf("%%25%02x", c)
	case 2:
		return fmt.Sprintf("%%25%02X", c)
	case 3, 4:
		return fmt.Sprintf("%%%02X", c)
	}
	return fmt.Sprintf("%%%02x", c)
}

// encodeSome writes one or more characters as escapes.
func encodeSome(rng *rand.Rand, path string) string {
	for range 1 + rng.IntN(3) {
		at := 1 + rng.IntN(max(1, len(path)-1))
		if at < len(path) && path[at] != '%' && !inEscape(path, at) {
			path = path[:at] + hex(rng, path[at]) + path[at+1:]
		}
	}
	return path
}

// inEscape reports whether path[at] is a digit of an escape.
func inEscape(path string, at int) bool {
	return at > 0 && path[at-1] == '%' || at > 1 && path[at-2] == '%'
}

// encodePercent encodes what is encoded already.
func encodePercent(rng *rand.Rand, path string) string {
	count := -1
	if rng.IntN(2) == 0 {
		count = 1
	}
	return strings.Replace(path, "%", "%25", count)
}

// changeSlash writes one slash in another way.
func changeSlash(rng *rand.Rand, path string) string {
	other := pick(rng, `\`, "//", `\\`, `/\`, "%2f", "%2F", "%5c", "%5C", "%252f", "%255c", "/./", "%2f%2e%2f", "/.%2f",
		"%E2%81%84", "%E2%88%95", "%EF%BC%8F", "%E2%A7%B8", "%EF%BC%BC", "%25EF%25BC%258F", "\uff0f", "%25u002f", "%25u2215",
		";x/", ";x=1/", "%3bx/", "%253bx/", `;x\`, ";jsessionid=9/", "./", "%20/", "%2e/", "/;/", "/;a=b/", "/%20/", "/.../")
	return replaceAt(rng, path, other)
}

// insertDetour goes somewhere and comes back.
func insertDetour(rng *rand.Rand, path string) string {
	there := pick(rng, "x", "a%2fb", "a%5cb", "x;y", "", "%2f", ".%20", "public", "%25")
	back := pick(rng, "..", "%2e%2e", ".%2E", "%252e%252e", "..;", "..;x=1", "%2e%2e;x", "..%3b", "..%20", "%20..", "..%2f.",
		".%2e%2f", "%E2%80%A5", "%EF%BC%8E%EF%BC%8E", "%c2%a0..", "%25u002e.")
	slash := pick(rng, "/", "/", "/", `\`, "%2f", "%5c", "%252f", "//")
	return replaceAt(rng, path, "/"+there+slash+back+slash)
}

// insertSegment inserts what some readers drop.
func insertSegment(rng *rand.Rand, path string) string {
	return replaceAt(rng, path, pick(rng, "/;/", "/;x/", "/(S(lit3py55t21z5v55))/", "/(A(b)F(c))/", "/./", "/%2e/", "/.;/", "//", "/%20/", "/...../",
		"/(S(x))", "/;jsessionid=1;x/"))
}

// appendTail puts something after the path.
func appendTail(rng *rand.Rand, path string) string {
	return path + pick(rng, "/", "//", "/.", "/./", "/x/..", "/%2e", ".", "..", "...", "%2e", "%20", "%20.", " ", "%c2%a0", "%e3%80%80", "%ef%bb%bf",
		";", ";x", ";/", ";x=/../", "%3b", "%253bx", ";jsessionid=1", ";a;b=c/", "?", "%3f", "%3Fa=b", "%253f", "%23", "%23x/y", "%2523",
		"%23%3f", "%2f", "%5c", "%00", "%0a", "%09", "/..;/x/../", `\`, `\.`, "#", "%", "%zz", "%u002f", "%25", "%2500")
}

// prefixHead puts something before the path.
func prefixHead(rng *rand.Rand, path string) string {
	return pick(rng, "/", "//", "/.", "/..", "/%2e%2e", "/;x", "//evil.test", `/\evil.test`, `\\evil.test`, "///evil.test", "/%2fevil.test", "/x/..",
		"/x/..;", "/a%2fb/..", "/a%2fb/%2e%2e", "/a%252fb/%252e%252e", "/%2e", "/(S(x))", "/./.", "/%5cevil.test", "/x%2f..", "/x%252f..", "/%252e%252e", "/public/..;a=b") + path
}

// changeCase changes letters, also into those that fold to ASCII.
func changeCase(rng *rand.Rand, path string) string {
	if rng.IntN(2) == 0 {
		return strings.ToUpper(path)
	}
	pair := [...][2]string{
		{"k", "%E2%84%AA"},
		{"s", "%C5%BF"},
		{"i", "%C4%B0"},
		{"i", "%C4%B1"},
		{"st", "%EF%AC%86"},
		{"ss", "%C3%9F"},
		{"%C3%9F", "%E1%BA%9E"},
		{"%C3%BC", "%C3%9C"},
		{"fi", "%EF%AC%81"},
		{"a", "A"},
		{"e", "E"},
		{"p", "%50"},
	}[rng.IntN(12)]
	return strings.Replace(path, pair[0], pair[1], 1)
}

// widen writes one letter, digit or dot in its full-width form.
func widen(rng *rand.Rand, path string) string {
	at := rng.IntN(len(path))
	if c := path[at]; at > 0 && c > ' ' && c < 0x7f && c != '%' && !inEscape(path, at) {
		wide := string(rune(c) - '!' + '！')
		if rng.IntN(2) == 0 {
			wide = fmt.Sprintf("%%%X%%%X%%%X", wide[0], wide[1], wide[2])
		}
		return path[:at] + wide + path[at+1:]
	}
	return path
}

// insertJunk inserts bytes that are refused, or dropped by careless readers.
func insertJunk(rng *rand.Rand, path string) string {
	at := rng.IntN(len(path) + 1)
	return path[:at] + pick(rng, "%00", "%c0%af", "%c0%ae", "%u002f", "%zz", "\x00", "\t", "%0d%0a", "#", "%ff", "\xff", "%e0%80%af", "%ad",
		"%25", "%2525", " ", "%20", "+", "&", ":", "*", "|", "%1f", "%7f", "%c2%85", "%e2%80%8b") + path[at:]
}

// breakInto copies a part of the path in front of itself.
func breakInto(rng *rand.Rand, path string) string {
	from := rng.IntN(len(path))
	to := from + rng.IntN(len(path)-from)
	return path[:to] + pick(rng, "", "/", "/../", ";") + path[from:]
}

// replaceAt replaces one slash by text; the first one only if the path begins with
// a slash then, too.
func replaceAt(rng *rand.Rand, path, text string) string {
	skip := rng.IntN(strings.Count(path, "/") + 1)
	for i := range len(path) {
		if i == 0 && text[0] != '/' {
			continue
		}
		if path[i] != '/' {
			continue
		}
		if skip--; skip < 0 {
			return path[:i] + text + path[i+1:]
		}
	}
	return path + text
}
