package httpsource_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/httpsource"
)

// calls makes every call there is.
func calls(s *httpsource.Source) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"pulse": func(ctx context.Context) error { _, err := s.Pulse(ctx); return err },
		"load":  func(ctx context.Context) error { _, err := s.Load(ctx); return err },
		"frames": func(ctx context.Context) error {
			_, err := s.Frames(ctx, "epoch", 1, 10)
			return err
		},
		"watch": func(ctx context.Context) error {
			return s.Watch(ctx, state.Watcher{Subscribed: func() {}, Frame: func(state.Frame) {}})
		},
		"report": func(ctx context.Context) error { return s.Report(ctx, state.Report{ID: "a"}) },
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ name, base, token, field string }{
		{"nothing", "", "", "source"},
		{"no scheme", "localhost:8000/waygate", "", "source"},
		{"no host", "http:///waygate", "", "source"},
		{"a Redis", "redis://localhost", "", "source"},
		{"a query", "http://localhost/waygate?x=1", "", "source"},
		{"a fragment", "http://localhost/waygate#x", "", "source"},
		{"a password", "http://admin:secret@localhost/waygate", "", "source"},
		{"a token of two lines", "http://localhost/waygate", "a\nb", "token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := httpsource.New(httpsource.Config{Base: c.base, Token: c.token})
			invalid, ok := err.(*state.InvalidError) //nolint:errorlint // it is not wrapped
			require.True(t, ok, "%v", err)
			require.Equal(t, c.field, invalid.Field)
			require.NotContains(t, invalid.Problem, "secret@")
		})
	}
	s, err := httpsource.New(httpsource.Config{Base: " http://localhost:8000/waygate/ ", Token: " a-token\n"})
	require.NoError(t, err)
	require.Equal(t, "http://localhost:8000/waygate", s.Address())
	require.NoError(t, s.Close())
}

func TestAnotherNamespaceIsRefused(t *testing.T) {
	a := newAdmin(t, seeded(t), nil)
	// An admin that looks at what is asked for, and a cache between that does not.
	deaf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Del("namespace")
		r.URL.RawQuery = q.Encode()
		a.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(deaf.Close)
	for name, base := range map[string]string{"refused by the admin": a.URL, "noticed by the instance": deaf.URL} {
		s, err := httpsource.New(httpsource.Config{Base: base + "/waygate", Namespace: "another"})
		require.NoError(t, err)
		for call, try := range calls(s) {
			err := try(t.Context())
			require.ErrorIs(t, err, httpsource.ErrRefused, "%s: %s", name, call)
			require.ErrorIs(t, err, state.ErrUnavailable, "%s: %s", name, call)
			require.ErrorContains(t, err, `"another"`, "%s: %s", name, call)
		}
		require.NoError(t, s.Close())
	}
}

func TestWhatIsNoAdmin(t *testing.T) {
	answer := func(status int, kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		says    string
		refused bool
	}{
		{"a page", answer(200, "text/html", "<html>"), "not as a Waygate admin does", false},
		{"JSON of something else", answer(200, "application/json", "{}"), "not as a Waygate admin does", false},
		{"events of something else", answer(200, "text/event-stream", "data: {}\n\n"), "not as a Waygate admin does", false},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		}, "302", false},
		{"an error page", answer(502, "text/html", "<html>"), "502", false},
		{"no token", answer(401, "application/json", `{"error":"a token is needed"}`), "WAYGATE_TOKEN", true},
		{"no right", answer(403, "application/json", `{"error":"a viewer may not report"}`), "a viewer may not report", true},
		{"another base path", answer(404, "application/json", `{"error":"nothing is here"}`), "base path", false},
		{"busy", answer(503, "application/json", `{"error":"too many calls at once"}`), "too many calls at once", false},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Waygate-Namespace", namespace)
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"epoch":"x"`)
		}, "", false},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Waygate-Namespace", namespace)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "99999999999")
			w.WriteHeader(http.StatusOK)
		}, "", false},
		{"no place", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Waygate-Namespace", namespace)
			_, _ = io.WriteString(w, `{"frames":[{"epoch":"epoch","rev":9}]}`)
		}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			t.Cleanup(server.Close)
			s := newSource(t, server.URL)
			for call, try := range calls(s) {
				if call == "report" && c.name == "no place" {
					continue // it is only told
				}
				err := try(t.Context())
				if c.name == "no place" && call == "frames" {
					require.ErrorIs(t, err, state.ErrDamaged)
					continue
				}
				require.ErrorIs(t, err, state.ErrUnavailable, call)
				require.ErrorContains(t, err, c.says, call)
				if c.refused {
					require.ErrorIs(t, err, httpsource.ErrRefused, call)
				} else {
					require.NotErrorIs(t, err, httpsource.ErrRefused, call)
				}
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	require.NoError(t, l.Close())
	for call, try := range calls(newSource(t, "http://"+l.Addr().String())) {
		err := try(t.Context())
		require.ErrorIs(t, err, state.ErrUnavailable, call)
		require.ErrorContains(t, err, l.Addr().String(), call)
		require.Equal(t, 1, strings.Count(err.Error(), "http://"), call)
	}
}

func TestAnErrorOfTheStoreKeepsItsMeaning(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
	}{
		{"unavailable", state.ErrUnavailable},
		{"empty", state.ErrEmpty},
		{"gap", state.ErrGap},
		{"damaged", state.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := serve(t, broken{c.err}, nil)
			s := newSource(t, a.URL)
			for call, try := range calls(s) {
				if call != "watch" && call != "report" {
					require.ErrorIs(t, try(t.Context()), c.err, call)
				}
			}
		})
	}
}

// broken is a source that always fails.
type broken struct{ err error }

func (b broken) Pulse(context.Context) (state.Pulse, error)    { return state.Pulse{}, b.err }
func (b broken) Load(context.Context) (*state.Document, error) { return nil, b.err }
func (b broken) Watch(context.Context, state.Watcher) error    { return b.err }
func (b broken) Frames(context.Context, string, uint64, int) ([]state.Frame, error) {
	return nil, b.err
}

func TestReport(t *testing.T) {
	type put struct{ path, token, kind, body string }
	var mu sync.Mutex
	var got []put
	reports := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, put{r.Method + " " + r.URL.EscapedPath(), r.Header.Get("X-Waygate-Token"), r.Header.Get("Content-Type"), string(text)})
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	a := serve(t, seeded(t), reports)
	s := newSource(t, a.URL)
	full := state.Report{
		ID: "host/unix:///run/w.sock", Boot: "b", Version: "1", Service: "orders", Env: "dev", Epoch: "e", Gen: 3, Rev: 4,
		Link: "holding", Alarm: strings.Repeat("é", 2000), Bye: true, Checks: 1, Refused: 2, Unreadable: 3,
		Hits: map[string]uint64{"GET:/a": 1}, Unseen: map[string]uint64{"/b/{}": 2},
	}
	require.NoError(t, s.Report(t.Context(), full))
	require.Equal(t, "PUT /waygate/api/instances/host%2Funix:%2F%2F%2Frun%2Fw.sock", got[0].path)
	require.Equal(t, "a-token", got[0].token)
	require.Equal(t, "application/json", got[0].kind)
	var told state.Report
	require.NoError(t, json.Unmarshal([]byte(got[0].body), &told))
	full.Alarm = strings.Repeat("é", 512)
	require.Equal(t, full, told)

	full.Hits = map[string]uint64{strings.Repeat("x", 1<<20): 1}
	require.NoError(t, s.Report(t.Context(), full))
	told = state.Report{}
	require.NoError(t, json.Unmarshal([]byte(got[1].body), &told))
	require.Empty(t, told.Hits)
	require.Equal(t, uint64(4), told.Rev)

	require.Error(t, s.Report(t.Context(), state.Report{}))
	require.Len(t, got, 2)

	other, err := httpsource.New(httpsource.Config{Base: a.URL + "/waygate", Namespace: "another"})
	require.NoError(t, err)
	defer other.Close()
	require.ErrorIs(t, other.Report(t.Context(), full), httpsource.ErrRefused)
	require.Len(t, got, 2, "an instance of another namespace showed in the fleet")
}
