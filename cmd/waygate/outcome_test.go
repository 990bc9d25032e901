package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The exit status says what is known: whoever reads 1 after a change runs it again, or goes on as if nothing were shut.
func TestTheStatusOfACallThatNoAdminAnswered(t *testing.T) {
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>somebody else</html>")
		}
	}
	echo := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"service":"demo"}`) }
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	unknown := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusGatewayTimeout)
		_, _ = io.WriteString(w, `{"error":"it was sent, and no answer came","type":"urn:waygate:unknown-outcome","status":504}`)
	}
	tests := []struct {
		name         string
		answer       http.HandlerFunc
		change, read int
	}{
		{"a proxy that gave up waiting", page(http.StatusGatewayTimeout), exitUnknown, exitRefused},
		{"a proxy whose admin broke off", page(http.StatusBadGateway), exitUnknown, exitRefused},
		{"a page where an answer should be", page(http.StatusOK), exitUnknown, exitRefused},
		{"a service where the admin should be", echo, exitUnknown, exitRefused},
		{"an admin whose store did not answer", unknown, exitUnknown, exitUnknown},
		{"no answer", cut, exitUnknown, exitRefused},
		{"somebody else's refusal", page(http.StatusNotFound), exitRefused, exitRefused},
		{"a way elsewhere", page(http.StatusFound), exitRefused, exitRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			env := map[string]string{"WAYGATE_SERVER_URL": server.URL}
			status, _, errOut := call(t, env, "disable", "/a")
			require.Equal(t, tt.change, status, errOut)
			require.Contains(t, errOut, "; try: waygate ")
			status, _, errOut = call(t, env, "status")
			require.Equal(t, tt.read, status, errOut)
			require.Equal(t, tt.read == exitUnknown, strings.Contains(errOut, "it may have happened"), errOut)
		})
	}
}

func TestWhatIsNeverSentChangesNothing(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	status, _, errOut := call(t, map[string]string{"WAYGATE_SERVER_URL": strings.Replace(server.URL, "http:", "https:", 1)}, "disable", "/a")
	require.Equal(t, exitRefused, status, errOut)
	require.Contains(t, errOut, "cannot reach the admin")
	for _, token := range []string{"a\nb", "a b", "caf\u00e9"} {
		status, _, errOut = call(t, map[string]string{"WAYGATE_SERVER_URL": server.URL, "WAYGATE_TOKEN": token}, "disable", "/a")
		require.Equal(t, exitUsage, status, errOut)
		require.Contains(t, errOut, "the token holds")
	}
	status, _, errOut = call(t, map[string]string{"WAYGATE_SERVER_URL": server.URL + "?x=1"}, "disable", "/a")
	require.Equal(t, exitUsage, status, errOut)
}

// An interrupt while the fleet is asked does not undo the change, and says nothing about time that was not waited.
func TestAnInterruptWhileWaiting(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"revision":1,"epoch":"E","changed":true,"results":[]}`)
			return
		}
		_, _ = io.WriteString(w, `[{"id":"x","presence":"live"}]`)
		interrupt()
	}))
	defer server.Close()
	var errOut strings.Builder
	tool := &tool{out: io.Discard, err: &errOut, env: func(string) string { return "" }, home: t.TempDir(), dir: t.TempDir()}
	root := newRoot(tool)
	root.SetArgs([]string{"--server-url", server.URL, "disable", "/a", "--wait"})
	require.Equal(t, exitUnconfirmed, tool.exit(root.ExecuteContext(ctx)))
	require.Contains(t, errOut.String(), "changed; interrupted")
}

// A window opens by the store's clock: where this machine's is ahead of it, waiting by that would end too early.
func TestAStartIsWaitedForByTheStoresClock(t *testing.T) {
	const behind = 400 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			_, _ = io.WriteString(w, `{"revision":1,"epoch":"E","changed":true,"results":[]}`)
		case strings.HasSuffix(r.URL.Path, "/doctor"):
			_, _ = fmt.Fprintf(w, `{"version":"test","now":%q}`, time.Now().Add(-behind).Format(time.RFC3339Nano))
		default:
			_, _ = io.WriteString(w, `[{"id":"x","presence":"live","enforces":true}]`)
		}
	}))
	defer server.Close()
	start := time.Now().Add(200 * time.Millisecond)
	status, _, errOut := call(t, nil, "--server-url", server.URL, "maintenance", "/a", "--start", start.Format(time.RFC3339Nano),
		"--end", start.Add(time.Hour).Format(time.RFC3339Nano), "--wait")
	require.Equal(t, exitDone, status, errOut)
	require.False(t, time.Now().Before(start.Add(behind)), "the store's clock has yet to reach the start")
}
