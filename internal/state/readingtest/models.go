package readingtest

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Model is how one kind of backend reads a request target.
type Model struct {
	Name string
	// Route returns the path the backend routes on, decoded, a slash that is data as
	// U+001F; false when it refuses the target.
	Route func(target string) (path string, ok bool)
}

// Models returns the models of all backends.
func Models() []Model {
	tomcat := []step{remove(parameter), decode, merge, resolve}
	iis := []step{decode, backslash, merge, resolve, eachSegment(trimTail), merge, upper}
	whatwg := []step{stripAuthority, backslash, decodeDots, resolve}
	return []Model{
		{Name: "net/http ServeMux", Route: serveMux},
		{Name: "Starlette", Route: chain(decode)},
		{Name: "Express", Route: chain(strings.ToLower)},
		{Name: "Node URL, decoded", Route: chain(slices.Concat(whatwg, []step{decode})...)},
		{Name: "Node URL, segments decoded", Route: chain(slices.Concat(whatwg, []step{decodeSegments})...)},
		{Name: "Node URL behind a decoding proxy", Route: chain(slices.Concat([]step{decode}, whatwg, []step{decode})...)},
		{Name: "Tomcat", Route: refusing("%2f", chain(tomcat...))},
		{Name: "Tomcat with encoded slashes and backslashes", Route: chain(remove(parameter), decode, backslash, merge, resolve)},
		{Name: "Tomcat passing encoded slashes through", Route: chain(remove(parameter), decodeBut("/"), backslash, merge, resolve, slashData)},
		{Name: "Tomcat behind a decoding proxy", Route: chain(slices.Concat([]step{decode}, tomcat)...)},
		{Name: "Jetty", Route: chain(decode, remove(parameter), resolve)},
		{Name: "Spring keeping parameters", Route: chain(remove(session), decode, merge)},
		{Name: "Shiro", Route: chain(decode, cut(";"), merge, resolve)},
		{Name: "Python urlparse", Route: chain(stripAuthority, stripLast, decode)},
		{Name: "IIS", Route: chain(iis...)},
		{Name: "IIS, double decoding", Route: chain(slices.Concat([]step{decode}, iis)...)},
		{Name: "IIS, parameters to a backslash", Route: chain(slices.Concat([]step{decode, remove(parameterIE)}, iis)...)},
		{Name: "ASP.NET without cookies", Route: chain(slices.Concat([]step{stripCookieless}, iis)...)},
		{Name: "ASP.NET, wide escapes", Route: chain(decode, decodeWide, backslash, merge, resolve, upper)},
		{Name: "nginx", Route: chain(decode, merge, resolve)},
		{Name: "nginx before Starlette", Route: chain(decode, merge, resolve, decode)},
		{Name: "double decoder", Route: chain(decode, decode)},
		{Name: "double decoder that resolves between", Route: chain(decode, resolve, decode)},
		{Name: "splits first", Route: chain(decodeSegments)},
		{Name: "splits first, resolved before", Route: chain(merge, resolve, decodeSegments)},
		{Name: "splits at backslashes first", Route: chain(backslash, decodeSegments)},
		{Name: "best fit", Route: chain(decode, bestFit, merge, resolve)},
		{Name: "NFKC", Route: chain(decode, narrow, merge, resolve)},
		{Name: "upper-casing", Route: chain(decode, upper)},
		{Name: "lower-casing", Route: chain(decode, strings.ToLower)},
		{Name: "parses again once decoded", Route: chain(decode, cut("?"), cut("#"), merge, resolve)},
		{Name: "trims the path", Route: chain(decode, trimEnd)},
		{Name: "trims segments", Route: chain(decode, eachSegment(trimBlanks), merge, resolve)},
	}
}

// step is one thing that a reader does to a path.
type step = func(string) string

// Chain returns a model that takes up to eight steps, in an order nobody thought
// of, with at most two rounds of decoding among them.
func Chain(rng *rand.Rand) Model {
	decoders := []step{decode, decode, decodeBut("/"), decodeBut(`/\`)}
	others := []step{
		remove(parameter), remove(parameterIE), remove(session), stripLast, cut(";"), cut("?"), cut("#"),
		stripAuthority, stripCookieless, backslash, merge, resolve, resolve, decodeDots, decodeWide,
		trimEnd, eachSegment(trimTail), eachSegment(trimBlanks), bestFit, narrow,
	}
	var steps []step
	rounds := 0
	for range 1 + rng.IntN(8) {
		if rounds < 2 && rng.IntN(3) == 0 {
			rounds++
			steps = append(steps, decoders[rng.IntN(len(decoders))])
			continue
		}
		steps = append(steps, others[rng.IntN(len(others))])
	}
	switch {
	case rounds < 2 && rng.IntN(2) == 0:
		steps = append(steps, decodeSegments)
	case rng.IntN(2) == 0:
		steps = append(steps, slashData)
	}
	return Model{Name: "chain", Route: chain(append(steps, merge, strings.ToLower)...)}
}

// chain is a model of the steps in turn, on the path of the target.
func chain(steps ...step) func(string) (string, bool) {
	return func(target string) (string, bool) {
		path, _, _ := strings.Cut(target, "?")
		if !strings.HasPrefix(path, "/") {
			u, err := url.Parse(target)
			if err != nil || u.Host == "" {
				return "", false
			}
			path = "/" + strings.TrimPrefix(u.EscapedPath(), "/")
		}
		for _, step := range steps {
			path = step(path)
		}
		return path, utf8.ValidString(path)
	}
}

// refusing is a model that refuses targets that hold what, in any case.
func refusing(what string, route func(string) (string, bool)) func(string) (string, bool) {
	return func(target string) (string, bool) {
		if strings.Contains(strings.ToLower(target), what) {
			return "", false
		}
		return route(target)
	}
}

// serveMux asks a real ServeMux, follows its redirect to the clean path, and splits
// before it decodes, as the mux does.
func serveMux(target string) (string, bool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	for range 3 {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return "", false
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, &http.Request{Method: http.MethodGet, URL: u, Host: "gate.test", RequestURI: target})
		if location := answer.Header().Get("Location"); location != "" {
			target = location
			continue
		}
		return decodeSegments(u.EscapedPath()), answer.Code == http.StatusOK
	}
	return "", false
}
