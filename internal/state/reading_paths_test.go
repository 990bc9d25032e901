package state

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestPlain(t *testing.T) {
	tests := []struct {
		name   string
		target string
		n      int
		upper  bool
		ok     bool
	}{
		{name: "root", target: "/", n: 1, ok: true},
		{name: "root and query", target: "/?a=b", n: 1, ok: true},
		{name: "every plain byte", target: "/az09/_.~-x", n: 11, ok: true},
		{name: "upper", target: "/API/v1", n: 7, upper: true, ok: true},
		{name: "upper in the query only", target: "/api?A=B", n: 4, ok: true},
		{name: "any query", target: "/api?/../%zz//;\xff", n: 4, ok: true},
		{name: "leading dot", target: "/.well-known/x", n: 14, ok: true},
		{name: "dots inside", target: "/a..b", n: 5, ok: true},
		{name: "empty"},
		{name: "query alone", target: "?a"},
		{name: "no slash", target: "api"},
		{name: "asterisk", target: "*"},
		{name: "absolute", target: "http://gate.test/"},
		{name: "trailing slash", target: "/api/"},
		{name: "trailing slash and query", target: "/api/?a"},
		{name: "two slashes", target: "/a//b"},
		{name: "two slashes at the start", target: "//a"},
		{name: "dot segment", target: "/a/./b"},
		{name: "dots segment", target: "/a/../b"},
		{name: "last dots segment", target: "/a/.."},
		{name: "segment with a dot at the end", target: "/a./b"},
		{name: "dot at the end", target: "/a."},
		{name: "dot at the end and query", target: "/a.?b"},
		{name: "escape", target: "/a%20b"},
		{name: "parameter", target: "/a;b"},
		{name: "backslash", target: `/a\b`},
		{name: "not ASCII", target: "/ü"},
		{name: "fragment", target: "/a#b"},
		{name: "fragment in the query", target: "/a?b#c"},
		{name: "control byte in the query", target: "/a?b\nc"},
		{name: "at sign", target: "/@me"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, upper, ok := plainPath(test.target)
			require.Equal(t, test.ok, ok)
			require.Equal(t, test.n, n)
			require.Equal(t, test.upper, upper)
		})
	}
}

func TestPaths(t *testing.T) {
	tests := []struct {
		name   string
		target string
		want   []string // all readings, in any order.
	}{
		{name: "plain", target: "/payments?x=/../y", want: []string{"/payments"}},
		{name: "root", target: "/", want: []string{"/"}},
		{name: "absolute URL", target: "http://other.test:80/abs//x?q", want: []string{"/abs/x"}},
		{name: "absolute URL without a path", target: "http://other.test?q=1", want: []string{"/"}},
		{name: "trailing slash", target: "/a/b/", want: []string{"/a/b"}},
		{name: "escape", target: "/a%20b", want: []string{"/a%20b", "/a b"}},
		{name: "percent sign", target: "/sale/50%25", want: []string{"/sale/50%25", "/sale/50%"}},
		{name: "encoded twice", target: "/%2570ay", want: []string{"/%2570ay", "/%70ay", "/pay"}},
		{name: "encoded slash", target: "/a%2Fb", want: []string{"/a%2Fb", "/a\x1fb", "/a/b"}},
		{name: "slash encoded twice", target: "/a%252fb", want: []string{"/a%252fb", "/a%2fb", "/a\x1fb", "/a/b"}},
		{name: "encoded backslash", target: "/a%5Cb", want: []string{"/a%5Cb", `/a\b`, "/a/b"}},
		{name: "backslash", target: `/a\b`, want: []string{`/a\b`, "/a/b"}},
		{name: "parameter", target: "/a;x=1/b", want: []string{"/a;x=1/b", "/a/b", "/a"}},
		{name: "parameter and backslash", target: `/a;x\b`, want: []string{`/a;x\b`, "/a;x/b", "/a", `/a\b`, "/a/b"}},
		{name: "last parameter", target: "/a;x/b;y", want: []string{"/a;x/b;y", "/a/b", "/a;x/b", "/a"}},
		{name: "session", target: "/a;jsessionid=1;x/b", want: []string{"/a;jsessionid=1;x/b", "/a/b", "/a;x/b", "/a"}},
		{name: "dot segments", target: "/a/../b", want: []string{"/a/../b", "/b"}},
		{name: "dot segments over two slashes", target: "/a//../b", want: []string{"/a/../b", "/a/b", "/b"}},
		{name: "above the root", target: "/../../a", want: []string{"/../../a", "/a"}},
		{name: "parameter on a dot segment", target: "/a/..;/b", want: []string{"/a/..;/b", "/a/../b", "/b", "/a/..", "/"}},
		{name: "encoded dot segment", target: "/a/%2e%2e/b", want: []string{"/a/%2e%2e/b", "/a/../b", "/b"}},
		{name: "trailing dot", target: "/a./b.", want: []string{"/a./b.", "/a./b", "/a/b"}},
		{name: "trailing blank", target: "/a%20", want: []string{"/a%20", "/a ", "/a"}},
		{name: "decoded question mark", target: "/a%3Fb", want: []string{"/a%3Fb", "/a?b", "/a"}},
		{name: "decoded hash and question mark", target: "/%23%3Fa", want: []string{"/%23%3Fa", "/#?a", "/", "/#"}},
		{name: "look-alike slash", target: "/a%E2%88%95b", want: []string{"/a%E2%88%95b", "/a\u2215b", "/a/b"}},
		{name: "full-width", target: "/%EF%BD%81", want: []string{"/%EF%BD%81", "/ａ", "/a"}},
		{name: "network path", target: "//evil.test/a", want: []string{"/evil.test/a", "/a"}},
		{name: "cookieless session", target: "/(S(x))/a", want: []string{"/(S(x))/a", "/a"}},
		{name: "wide escape once decoded", target: "/a%25u002fb", want: []string{"/a%25u002fb", "/a%u002fb", "/a/b"}},
		{name: "a % before other text", target: "/5%25%20off", want: []string{"/5%25%20off", "/5% off"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			readings, err := pathReadings(test.target)
			require.NoError(t, err)
			require.ElementsMatch(t, test.want, readings)
		})
	}
}

// Resolving dot segments before the last decoding and after it are two readings:
// a parser resolves, the handler decodes.
func TestPathsDecodesWhatWasResolved(t *testing.T) {
	readings, err := pathReadings("/foo%2Fbar/%2e%2e/admin%2Fx")
	require.NoError(t, err)
	require.Contains(t, readings, "/admin/x")
	require.Contains(t, readings, "/foo/admin/x")
	require.Contains(t, readings, "/admin\x1fx")
}

// A router that does not resolve dot segments takes them for a value.
func TestPathsKeepsDotSegmentsToo(t *testing.T) {
	readings, err := pathReadings("/users/../settings")
	require.NoError(t, err)
	require.Equal(t, []string{"/users/../settings", "/settings"}, readings)
}

func TestPathsRefuses(t *testing.T) {
	tests := []struct{ name, target string }{
		{name: "empty", target: ""},
		{name: "query alone", target: "?a"},
		{name: "asterisk", target: "*"},
		{name: "relative", target: "a/b"},
		{name: "authority form", target: "gate.test:443"},
		{name: "empty authority", target: "http:///a"},
		{name: "odd authority", target: `http://gate.test\a/b`},
		{name: "no scheme", target: "://gate.test/"},
		{name: "odd scheme", target: "1http://gate.test/"},
		{name: "fragment", target: "/a#b"},
		{name: "fragment in the query", target: "/a?b#c"},
		{name: "NUL", target: "/a\x00b"},
		{name: "line feed", target: "/a\nb"},
		{name: "DEL", target: "/a\x7fb"},
		{name: "DataSlash", target: "/a\x1fb"},
		{name: "control byte in the query", target: "/a?\r\nb"},
		{name: "encoded NUL", target: "/a%00"},
		{name: "encoded line break", target: "/a%0d%0ab"},
		{name: "encoded DataSlash", target: "/a%1fb"},
		{name: "NUL encoded twice", target: "/a%2500"},
		{name: "wide NUL", target: "/a%25u0000"},
		{name: "invalid UTF-8", target: "/\xff"},
		{name: "invalid UTF-8 encoded", target: "/%ff"},
		{name: "invalid UTF-8 encoded twice", target: "/%25ff"},
		{name: "overlong slash", target: "/a%c0%afb"},
		{name: "overlong slash of three bytes", target: "/a%e0%80%afb"},
		{name: "surrogate", target: "/a%ed%a0%80"},
		{name: "lone percent sign", target: "/50%"},
		{name: "bad escape", target: "/a%zzb"},
		{name: "half an escape", target: "/a%2"},
		{name: "wide escape", target: "/a%u002fb"},
		{name: "encoded three times", target: "/%25252e"},
		{name: "too many tricks", target: "/" + strings.Repeat("%2e%2e;x\\a%2F%5c. /(S(x))%3f%23", 20)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, ok := plainPath(test.target)
			require.False(t, ok)
			readings, err := pathReadings(test.target)
			require.ErrorIs(t, err, errUnreadable)
			require.Empty(t, readings)
		})
	}
}

func TestPathsReadsLongOrdinaryTargets(t *testing.T) {
	for _, segment := range []string{"abc/", "%C3%A9", "https%3A%2F%2Fa.test%2F", "a%20b/", "5%25/", "x;v=1/"} {
		target := "/" + strings.Repeat(segment, 60_000/len(segment)) + "x?y=" + strings.Repeat("z", 4_000)
		_, err := pathReadings(target)
		require.NoError(t, err, segment)
	}
}

func TestPathsIsBounded(t *testing.T) {
	for name, target := range hostile() {
		start := time.Now()
		if _, err := pathReadings(target); err != nil {
			require.ErrorIs(t, err, errUnreadable, name)
		}
		require.Less(t, time.Since(start), 5*time.Second, name) // it takes milliseconds
	}
}

func FuzzPaths(f *testing.F) {
	for _, target := range []string{
		"/", "*", "/a//b/../c;x/%2e%2e/d", `/a\..\b%5c%2f%252f`, "/50%25", "http://h/x?y", "//h/a", "/%EF%BC%8F%E2%80%A5", "/(S(x))a", "/a. /.../%20",
		"/%25u002e;jsessionid=1;a", "/\xff", "/%00",
	} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if len(target) > 4<<10 {
			target = target[:4<<10]
		}
		n, _, plain := plainPath(target)
		readings, err := pathReadings(target)
		if err != nil {
			require.ErrorIs(t, err, errUnreadable)
			require.False(t, plain)
			require.Empty(t, readings)
			return
		}
		if plain {
			require.Equal(t, []string{target[:n]}, readings)
		}
		require.NotEmpty(t, readings)
		require.LessOrEqual(t, len(readings), 2048)
		for _, path := range readings {
			requireNormal(t, path)
		}
		sorted := slices.Sorted(slices.Values(readings))
		require.Equal(t, readings[:len(slices.Compact(sorted))], readings, "a reading is there twice")
		again, err := pathReadings(target)
		require.NoError(t, err)
		require.Equal(t, readings, again)
	})
}

// requireNormal checks what every reading promises.
func requireNormal(t *testing.T, path string) {
	t.Helper()
	require.True(t, strings.HasPrefix(path, "/"), "%q", path)
	require.NotContains(t, path, "//")
	require.False(t, len(path) > 1 && strings.HasSuffix(path, "/"), "%q", path)
	require.True(t, utf8.ValidString(path), "%q", path)
	require.NotContains(t, strings.ReplaceAll(path, "\x1f", ""), "\x1f")
	for _, c := range []byte(path) {
		require.True(t, c >= ' ' && c != 0x7f || c == dataSlash, "%q", path)
	}
}
