package state_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestParseKey(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       state.Key
		shown      string // empty: the text
	}{
		{name: "a path", text: "/payments", want: state.Key{Path: "/payments"}},
		{name: "a method", text: "GET:/payments", want: state.Key{Method: "GET", Path: "/payments"}},
		{name: "any method", text: "ANY:/payments", want: state.Key{Path: "/payments"}, shown: "/payments"},
		{name: "a service", text: "payments-service:/api", want: state.Key{Service: "payments-service", Path: "/api"}},
		{name: "a service and a method", text: "s.1_x:DELETE:/a/b", want: state.Key{Service: "s.1_x", Method: "DELETE", Path: "/a/b"}},
		{name: "a service and any method", text: "s:ANY:/a", want: state.Key{Service: "s", Path: "/a"}, shown: "s:/a"},
		{name: "the root", text: "GET:/", want: state.Key{Method: "GET", Path: "/"}},
		{name: "a trailing slash", text: "/a/b/", want: state.Key{Path: "/a/b"}, shown: "/a/b"},
		{name: "a parameter", text: "/users/{id}", want: state.Key{Path: "/users/{}"}},
		{name: "a parameter of a kind", text: "/users/{id:int}", want: state.Key{Path: "/users/{}"}},
		{name: "text around a parameter", text: "/a/v{n}.pdf/x", want: state.Key{Path: "/a/v{}.pdf/x"}},
		{name: "the rest", text: "/v1/**", want: state.Key{Path: "/v1/**"}},
		{name: "everything", text: "/**", want: state.Key{Path: "/**"}},
		{name: "the rest as FastAPI spells it", text: "/files/{p:path}", want: state.Key{Path: "/files/**"}, shown: "/files/**"},
		{name: "an escape is decoded", text: "/caf%C3%A9/%41", want: state.Key{Path: "/café/A"}, shown: "/café/A"},
		{name: "an encoded slash is a slash", text: "/a%2Fb", want: state.Key{Path: "/a/b"}, shown: "/a/b"},
		{name: "a percent sign", text: "/sale/50%25", want: state.Key{Path: "/sale/50%25"}},
		{name: "a percent sign alone", text: "/sale/50%", want: state.Key{Path: "/sale/50%25"}, shown: "/sale/50%25"},
		{name: "an escape of an escape", text: "/a%2541", want: state.Key{Path: "/a%2541"}},
		{name: "letter case is kept", text: "/Users/Me", want: state.Key{Path: "/Users/Me"}},
		{name: "a percent sign in a name", text: "/{a%252F}", want: state.Key{Path: "/{}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, shown, err := state.ParseKey(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, k)
			if tt.shown == "" {
				tt.shown = tt.text
			}
			require.Equal(t, tt.shown, shown)
			requireStable(t, k, shown)
		})
	}
}

// requireStable checks that the texts of a key read back to the key.
func requireStable(t *testing.T, k state.Key, shown string) {
	t.Helper()
	again, _, err := state.ParseKey(k.String())
	require.NoError(t, err, "%q", k.String())
	require.Equal(t, k, again)
	again, shownAgain, err := state.ParseKey(shown)
	require.NoError(t, err, "%q", shown)
	require.Equal(t, k, again)
	require.Equal(t, shown, shownAgain)
	require.True(t, k.Contains(k))
	require.True(t, k.Overlaps(k))
}

func TestParseKeyRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, says string }{
		{name: "nothing", text: "", says: "is not a route key"},
		{name: "no slash", text: "payments", says: "GET:/payments"},
		{name: "no slash after a method", text: "GET:payments", says: "GET:/payments"},
		{name: "no colon", text: "GET/payments", says: "GET:/payments"},
		{name: "a method in lower case", text: "get:/x", says: "GET:/x"},
		{name: "a method in lower case after a service", text: "pay:get:/x", says: "pay:GET:/x"},
		{name: "any in lower case", text: "any:/x", says: "ANY:/x"},
		{name: "a method nobody can name", text: "pay:PURGE:/x", says: "no method a key can name"},
		{name: "TRACE", text: "TRACE:/x", says: "always refused"},
		{name: "CONNECT", text: "pay:CONNECT:/x", says: "no method"},
		{name: "a service in upper case", text: "Pay:/x", says: "pay:/x"},
		{name: "a service of odd characters", text: "p@y:/x", says: "cannot name a service"},
		{name: "a service too long", text: strings.Repeat("a", 64) + ":/x", says: "at most 63"},
		{name: "an empty service", text: ":/x", says: "cannot name a service"},
		{name: "a host", text: "https://x.test/a", says: "empty segment"},
		{name: "a star in the middle", text: "/a/*/b", says: "{name}"},
		{name: "a star at the end", text: "/a/*", says: "**"},
		{name: "the rest in the middle", text: "/a/**/b", says: "**"},
		{name: "text before the rest", text: "/a**", says: "**"},
		{name: "Express", text: "/users/:id", says: "{id}, not :id"},
		{name: "Flask", text: "/users/<int:id>", says: "{id}, not <int:id>"},
		{name: "an empty segment", text: "/a//b", says: "single slashes"},
		{name: "a dot segment", text: "/a/../b", says: "dot segments"},
		{name: "an encoded dot segment", text: "/a/%2e%2E/b", says: "dot segments"},
		{name: "a query", text: "/a?b=c", says: `leave out "?"`},
		{name: "a fragment", text: "/a#b", says: `leave out "#"`},
		{name: "a backslash", text: `/a\b`, says: "/a/b"},
		{name: "two parameters in a segment", text: "/{a}{b}", says: "at most one"},
		{name: "braces out of order", text: "/}a{", says: "at most one"},
		{name: "a space for the colon", text: "GET /pay", says: "path: GET:/pay"},
		{name: "a brace that never ends", text: "/{a", says: "at most one"},
		{name: "an escaped brace", text: "/%7Bid%7D", says: "escaped"},
		{name: "a path parameter in the middle", text: "/{p:path}/x", says: "last segment"},
		{name: "the rest as Go spells it", text: "/{p...}", says: "**"},
		{name: "the end as Go spells it", text: "/a/{$}", says: "leave out {$}"},
		{name: "a control character", text: "/a%00", says: "control"},
		{name: "a slash that is data", text: "/a\x1fb", says: "control"},
		{name: "no UTF-8", text: "/a\xff", says: "UTF-8"},
		{name: "no UTF-8 once decoded", text: "/a%ff", says: "UTF-8"},
		{name: "a sentinel", text: "__global__", says: "switch"},
		{name: "a service's sentinel", text: "__waygate:svc_global:pay__", says: "switch"},
		{name: "too long", text: "/" + strings.Repeat("a", 2048), says: "at most 2048"},
		{name: "too long in canonical form", text: "/" + strings.Repeat("%", 1000), says: "at most 2048"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := state.ParseKey(tt.text)
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Contains(t, invalid.Problem, tt.says)
			require.NotEmpty(t, invalid.Field)
		})
	}
}

func TestKeyRelations(t *testing.T) {
	for _, tt := range []struct {
		name, outer, inner string
		contains, overlaps bool
	}{
		{name: "itself", outer: "/a", inner: "/a", contains: true, overlaps: true},
		{name: "letter case aside", outer: "/Straße", inner: "/STRASSE", contains: true, overlaps: true},
		{name: "a method", outer: "/a", inner: "POST:/a", contains: true, overlaps: true},
		{name: "GET is HEAD's too", outer: "GET:/a", inner: "HEAD:/a", contains: true, overlaps: true},
		{name: "HEAD is not GET's", outer: "HEAD:/a", inner: "GET:/a", overlaps: true},
		{name: "another method", outer: "PUT:/a", inner: "GET:/a"},
		{name: "a service", outer: "/a", inner: "pay:/a", contains: true, overlaps: true},
		{name: "one service does not contain all", outer: "pay:/a", inner: "/a", overlaps: true},
		{name: "another service", outer: "pay:/a", inner: "web:/a"},
		{name: "a parameter contains a literal", outer: "/u/{}", inner: "/u/me", contains: true, overlaps: true},
		{name: "a parameter contains text around one", outer: "/u/{}", inner: "/u/x{}y", contains: true, overlaps: true},
		{name: "text around contains more text around", outer: "/u/x{}y", inner: "/u/xa{}y", contains: true, overlaps: true},
		{name: "text around must have something between", outer: "/u/x{}y", inner: "/u/xy"},
		{name: "text around in letters of another case", outer: "/u/X{}", inner: "/u/xyz", contains: true, overlaps: true},
		{name: "text around that overlaps", outer: "/u/x{}", inner: "/u/{}y", overlaps: true},
		{name: "text around that does not", outer: "/u/x{}", inner: "/u/y{}"},
		{name: "the rest contains its beginning", outer: "/v1/**", inner: "/v1", contains: true, overlaps: true},
		{name: "the rest contains what is below", outer: "/v1/**", inner: "/v1/{}/x/**", contains: true, overlaps: true},
		{name: "the rest does not contain a wider rest", outer: "/v1/**", inner: "/**", overlaps: true},
		{name: "a parameter is not the rest", outer: "/v1/{}", inner: "/v1/**", overlaps: true},
		{name: "rests that meet", outer: "/{}/a/**", inner: "/b/**", overlaps: true},
		{name: "rests that do not", outer: "/a/**", inner: "/b/**"},
		{name: "the root is not a parameter", outer: "/{}", inner: "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outer, inner := parseKey(t, tt.outer), parseKey(t, tt.inner)
			require.Equal(t, tt.contains, outer.Contains(inner))
			require.Equal(t, tt.overlaps, outer.Overlaps(inner))
			require.Equal(t, tt.overlaps, inner.Overlaps(outer))
		})
	}
}

// TestKeyRelationsHoldForRequests samples requests: what the inner key matches the outer one matches, and keys share a
// request exactly when they overlap.
func TestKeyRelationsHoldForRequests(t *testing.T) {
	d := diceOf(21)
	contained, overlapping := 0, 0
	for range 20_000 {
		outer, inner := d.key(), d.key()
		contains, overlaps := outer.Contains(inner), outer.Overlaps(inner)
		if contains {
			contained++
			require.True(t, overlaps, "%v %v", outer, inner)
			require.True(t, inner == outer || outer.IsSet() || strings.EqualFold(outer.Path, inner.Path), "%v %v", outer, inner)
		}
		shared := false
		for range 20 {
			path := d.requestOf(inner)
			method := inner.Method
			if method == "" {
				method = d.pick("GET", "POST", "HEAD")
			}
			require.True(t, matches(inner, method, path), "%v %s", inner, path)
			if matches(outer, method, path) {
				shared = true
			} else {
				require.False(t, contains, "%v does not match %s %s of %v", outer, method, path, inner)
			}
		}
		if shared && (outer.Service == "" || inner.Service == "" || outer.Service == inner.Service) {
			require.True(t, overlaps, "%v %v", outer, inner)
		}
		if overlaps {
			overlapping++
			w := witness(outer, inner)
			m := d.sharedMethod(outer, inner)
			require.True(t, matches(outer, m, w) && matches(inner, m, w), "%v %v: %s %s", outer, inner, m, w)
		}
	}
	require.Greater(t, contained, 200)
	require.Greater(t, overlapping, 500)
}

// matches is the scan's matching, letter case aside.
func matches(k state.Key, method, path string) bool {
	return covers(k.Method, method) && fits(state.FoldPath(k.Path), state.FoldPath(path))
}

// requestOf is a path that a key matches.
func (d dice) requestOf(k state.Key) string {
	path := strings.ReplaceAll(k.Path, "%25", "%")
	for strings.Contains(path, "{}") {
		path = strings.Replace(path, "{}", d.pick("a", "b", "y", "xy", "q", "me", "É", "%"), 1)
	}
	if rest, ok := strings.CutSuffix(path, "/**"); ok {
		path = rest
		for range d.IntN(3) {
			path += "/" + d.pick("a", "b", "xay", "me")
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

func (d dice) sharedMethod(a, b state.Key) string {
	switch {
	case a.Method == "" && b.Method == "":
		return "PUT"
	case a.Method == "" || a.Method == "GET" && b.Method == "HEAD":
		return b.Method
	default:
		return a.Method
	}
}

// witness is a path of two keys that overlap.
func witness(a, b state.Key) string {
	left, right := segmentsOf(a), segmentsOf(b)
	path := ""
	for i := range max(len(left), len(right)) {
		l, r := "{}", "{}" // beyond the end of a key there is its rest
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		path += "/" + between(l, r)
	}
	if path == "" {
		return "/"
	}
	return path
}

// segmentsOf are the segments of a key before its rest.
func segmentsOf(k state.Key) []string {
	path := strings.ReplaceAll(strings.TrimSuffix(k.Path, "/**"), "%25", "%")
	if path == "" || path == "/" {
		return nil
	}
	return strings.Split(path[1:], "/")
}

// between is a segment of two spellings of which each is a literal or has one {}.
func between(l, r string) string {
	if !strings.Contains(l, "{}") {
		return l
	}
	if !strings.Contains(r, "{}") {
		return r
	}
	lp, ls, _ := strings.Cut(l, "{}")
	rp, rs, _ := strings.Cut(r, "{}")
	if len(rp) > len(lp) {
		lp = rp
	}
	if len(rs) > len(ls) {
		ls = rs
	}
	return lp + "z" + ls
}

func TestIsServiceAgreesWithCheckService(t *testing.T) {
	for _, name := range []string{
		"", "a", "0", "orders", "a.b_c-d", "get", "head", "post", "put", "patch", "delete", "options", "any", "trace", "connect", "Get", "Orders",
		"-a", "a/b", "a b", "ü", strings.Repeat("a", 63), strings.Repeat("a", 64),
	} {
		require.Equal(t, state.CheckService(name) == nil, state.IsService(name), "%q", name)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = state.IsService("orders") }))
}
