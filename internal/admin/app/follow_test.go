package app_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/app"
	"github.com/waygate/waygate/internal/parts"
)

// ids opens a stream after a place and gives the ids of the next n events that carry data.
func (r *running) ids(path, after string, n int) []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patient)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.ready.Listen[0]+"/waygate"+path, nil)
	require.NoError(r.t, err)
	req.Header.Set("Last-Event-ID", after)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	require.Equal(r.t, http.StatusOK, resp.StatusCode)
	var out []string
	id, data, name := "", false, ""
	for lines := bufio.NewReader(resp.Body); len(out) < n; {
		line, err := lines.ReadString('\n')
		require.NoError(r.t, err, "after %d events", len(out))
		switch field, value, _ := strings.Cut(strings.TrimSpace(line), ": "); field {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			data = true
		case "":
			if data && name != "pulse" {
				out = append(out, id)
			}
			data, name = false, ""
		}
	}
	return out
}

// A client that was cut off goes on without a gap at an admin that was restarted, from wherever it was.
func TestStreamsGoOnOverARestart(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  func(*testing.T) app.Config
	}{
		{"file", func(t *testing.T) app.Config {
			cfg := plain()
			cfg.Backend, cfg.FilePath = "file", filepath.Join(t.TempDir(), "waygate.json")
			return cfg
		}},
		{"redis", func(t *testing.T) app.Config { return onRedis(t, parts.Redis(t), false) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const changes = 450 // more than are read from the log at a time
			cfg := c.cfg(t)
			first := start(t, cfg)
			began := first.ids("/api/events", "long-ago.7", 1)[0] // a reset, with the present place
			epoch, rev, _ := strings.Cut(began, ".")
			require.Equal(t, "0", rev)
			var want []string
			for i := range changes {
				if i == changes/2 {
					require.NoError(t, first.stop())
					first = start(t, cfg)
				}
				first.ok(http.MethodPost, fmt.Sprintf("/waygate/api/routes/GET%%3A%%2F%d/disable", i), "{}")
				want = append(want, fmt.Sprintf("%s.%d", epoch, i+1))
			}
			require.NoError(t, first.stop())
			second := start(t, cfg)
			for _, path := range []string{"/api/events", "/api/stream"} {
				for _, back := range []int{changes, changes - 1, changes / 2, 150, 99, 1} {
					from := fmt.Sprintf("%s.%d", epoch, changes-back)
					require.Equal(t, want[changes-back:], second.ids(path, from, back), "%s from %d back", path, back)
				}
			}
		})
	}
}
