package stream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/people"
)

// browser is what a page has: the cookie of its login, and no way to send a header.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

func (w *whole) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b := &browser{t: t, base: w.URL + "/waygate", client: &http.Client{Jar: jar, Transport: w.Client().Transport}}
	body, status := b.read(http.MethodPost, "/login", url.Values{"username": {"alice"}, "password": {"sesame"}}.Encode())
	require.Equal(t, http.StatusOK, status, body)
	return b
}

// send gives an answer whose body is closed when the test ends.
func (b *browser) send(method, path, body string) reply {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	return reply{resp}
}

func (b *browser) read(method, path, body string) (text string, status int) {
	b.t.Helper()
	resp := b.send(method, path, body)
	all, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return string(all), resp.StatusCode
}

func (b *browser) ok(method, path, body string) string {
	b.t.Helper()
	text, status := b.read(method, path, body)
	require.Equal(b.t, http.StatusOK, status, text)
	return text
}

// line is what a test looks at of the data of an event.
type line struct {
	Actor, Platform, Action, Path string
	Revision                      uint64
	NewStatus                     *string `json:"new_status"`
	State                         struct {
		Path, Status string
		Enabled      bool
		Reason       string
		Revision     uint64
	}
}

// told is one event as a page gets it.
type told struct {
	name, id, data string
	line
}

// source follows the events until the test ends or the server ends it. It is open when source returns.
func (b *browser) source(query string) (events chan told, ended chan error) {
	b.t.Helper()
	resp := b.send(http.MethodGet, "/api/events"+query, "")
	require.Equal(b.t, http.StatusOK, resp.StatusCode)
	require.Equal(b.t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := bufio.NewReader(resp.Body)
	first, err := lines.ReadString('\n') // the comment that comes at once: from here on everything is told
	require.NoError(b.t, err)
	require.True(b.t, strings.HasPrefix(first, ":"), first)
	events, ended = make(chan told, 64), make(chan error, 1)
	go func() { ended <- follow(lines, events) }()
	return events, ended
}

func follow(lines *bufio.Reader, events chan<- told) error {
	var e told
	for {
		text, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), ": ")
		switch {
		case field == "event":
			e.name = value
		case field == "id":
			e.id = value
		case field == "data":
			e.data = value
			err = json.Unmarshal([]byte(value), &e.line)
		case text == "\n" && e.data != "":
			events <- e
			e = told{}
		}
		if err != nil {
			return err
		}
	}
}

func next(t *testing.T, events chan told) told {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(patience):
		require.FailNow(t, "an event is missing")
		return told{}
	}
}

const routeA = "/api/routes/GET%3A%2Fa"

func TestAPageFollowsByItsCookie(t *testing.T) {
	w := newWhole(t, func(s *httptest.Server) { s.Start() })
	b := w.browser(t)
	events, _ := b.source("")
	b.ok(http.MethodPost, routeA+"/disable", `{"reason":"x"}`)
	e := next(t, events)
	require.Equal(t, "disable", e.name)
	require.True(t, strings.HasSuffix(e.id, fmt.Sprintf(".%d", e.Revision)), e.id)
	require.Equal(t, "alice", e.Actor)
	require.Equal(t, "dashboard", e.Platform)
	require.Equal(t, "GET:/a", e.Path)
	require.Equal(t, "disabled", e.State.Status)
	require.Equal(t, e.Revision, e.State.Revision)

	// It is the line of the audit, and the state as the call for it has it.
	var audit []map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.ok(http.MethodGet, "/api/audit?limit=1", "")), &audit))
	var route, data map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.ok(http.MethodGet, routeA, "")), &route))
	require.NoError(t, json.Unmarshal([]byte(e.data), &data))
	require.Equal(t, route, data["state"])
	delete(data, "state")
	require.Equal(t, audit[0], data)

	b.ok(http.MethodPost, "/api/global/enable", `{"reason":"deploy"}`)
	e = next(t, events)
	require.Equal(t, "global_maintenance_on", e.name)
	require.True(t, e.State.Enabled)
	require.Equal(t, "deploy", e.State.Reason)
}

func TestEachEventHasTheStateAfterIt(t *testing.T) {
	w := newWhole(t, func(s *httptest.Server) { s.Start() })
	b := w.browser(t)
	from := strings.Trim(b.ok(http.MethodGet, "/api/stream/pulse", ""), "\n")
	var place struct {
		Epoch string
		Rev   uint64
	}
	require.NoError(t, json.Unmarshal([]byte(from), &place))
	events, _ := b.source("")
	for range 10 {
		b.ok(http.MethodPost, "/api/changes", `{"changes":[{"action":"disable","path":"GET:/a"},{"action":"maintenance","path":"GET:/b"}]}`)
		b.ok(http.MethodPost, "/api/changes", `{"changes":[{"action":"enable","path":"GET:/a"},{"action":"enable","path":"GET:/b"}]}`)
	}
	var live []told
	for i := range 40 {
		e := next(t, events)
		require.Equal(t, *e.NewStatus, e.State.Status, "%d: %s", i, e.data)
		require.Equal(t, e.Path, e.State.Path)
		live = append(live, e)
	}
	// Whoever comes late is told the same; only the state is the present one where that of then is not known.
	again, _ := b.source(fmt.Sprintf("?after=%s.%d", place.Epoch, place.Rev))
	for i := range live {
		e := next(t, again)
		require.Equal(t, live[i].id, e.id)
		require.Equal(t, live[i].Action+live[i].Path, e.Action+e.Path)
		require.GreaterOrEqual(t, e.State.Revision, e.Revision)
	}
}

func TestEventsAreFiltered(t *testing.T) {
	w := newWhole(t, func(s *httptest.Server) { s.Start() })
	b := w.browser(t)
	of := func(query string) chan told { events, _ := b.source(query); return events }
	exact, path, service, global := of("?route=GET:/a"), of("?route=/a"), of("?service=orders"), of("?route=__global__")
	for _, key := range []string{"GET:/a", "POST:/a", "orders:GET:/a", "GET:/b"} {
		b.ok(http.MethodPost, "/api/routes/"+url.PathEscape(key)+"/disable", "{}")
	}
	b.ok(http.MethodPost, "/api/services/orders/maintenance/enable", "{}")
	b.ok(http.MethodPost, "/api/global/enable", "{}")
	want := func(events chan told, paths ...string) {
		for _, path := range paths {
			require.Equal(t, path, next(t, events).Path)
		}
		require.Empty(t, events)
	}
	want(global, "__global__") // the last one: the others have come
	want(exact, "GET:/a")
	want(path, "GET:/a", "POST:/a")
	want(service, "orders:GET:/a", "__waygate:svc_global:orders__")
	_, status := b.read(http.MethodHead, "/api/events", "")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	text, status := b.read(http.MethodGet, "/api/events?route=nonsense", "")
	require.Equal(t, http.StatusBadRequest, status, text)
	require.Contains(t, text, `"error":`)
}

func TestEventsEndWithTheToken(t *testing.T) {
	w := newWhole(t, func(s *httptest.Server) { s.Start() })
	b := w.browser(t)
	_, ended := b.source("")
	b.ok(http.MethodPost, "/api/auth/logout", "")
	select {
	case err := <-ended:
		require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
	case <-time.After(patience):
		require.FailNow(t, "the events go on without a token")
	}
	text, status := b.read(http.MethodGet, "/api/events", "")
	require.Equal(t, http.StatusUnauthorized, status, text)
}

func TestWhoMayNotReadIsNotTold(t *testing.T) {
	w := newWhole(t, func(s *httptest.Server) { s.Start() })
	b := w.browser(t)
	for role, want := range map[people.Role]int{people.Viewer: http.StatusOK, people.Instance: http.StatusForbidden} {
		made, err := w.people.CreateToken(t.Context(), w.alice, "", "x-"+string(role), role, time.Hour)
		require.NoError(t, err)
		at, err := url.Parse(b.base + "/")
		require.NoError(t, err)
		b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "waygate_session", Value: made.Text, Path: "/waygate/"}})
		resp := b.send(http.MethodGet, "/api/events", "")
		require.Equal(t, want, resp.StatusCode, role)
	}
}
