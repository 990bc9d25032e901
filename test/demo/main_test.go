package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEchoRepeatsTheRequest(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders/7%2F8?q=<1>", nil)
	r.Header.Set("X-Trace", "abc")
	w := httptest.NewRecorder()
	echo(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(
		t, `{"service":"demo","method":"POST","path":"/orders/7%2F8?q=<1>","headers":{"X-Trace":["abc"]}}`, w.Body.String(),
	)
}

func TestRunAnswersOnceTheReadyFileIsThereAndStops(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"--listen", "127.0.0.1:0", "--ready-file", ready}) }()

	var where struct{ Listen []string }
	require.Eventually(t, func() bool {
		line, err := os.ReadFile(ready)
		return err == nil && json.Unmarshal(line, &where) == nil
	}, 10*time.Second, 5*time.Millisecond)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+where.Listen[0]+"/payments", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)

	stop()
	require.NoError(t, <-ended)
}

func TestRunRefusesWhatItCannotDo(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{name: "unknown flag", args: []string{"--port", "1"}, want: "arguments"},
		{name: "address", args: []string{"--listen", "256.0.0.1:0"}, want: "listen"},
		{name: "ready file", args: []string{"--listen", "127.0.0.1:0", "--ready-file", "/nowhere/x"}, want: "ready file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorContains(t, run(t.Context(), tt.args), tt.want)
		})
	}
}
