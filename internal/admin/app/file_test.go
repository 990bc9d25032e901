package app_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/app"
)

func TestTheFileBackendOutlivesTheProcess(t *testing.T) {
	cfg := plain()
	cfg.Backend, cfg.FilePath = "file", filepath.Join(t.TempDir(), "waygate.json")
	first := start(t, cfg)
	first.ok(http.MethodPost, disableA, `{"reason":"kept"}`)
	require.ErrorContains(t, app.Run(t.Context(), cfg, zaptest.NewLogger(t), nil), "store", "one process has it")
	require.NoError(t, first.stop())
	second := start(t, cfg)
	require.Contains(t, second.ok(http.MethodGet, "/waygate/api/routes", ""), `"reason":"kept"`)
	require.Contains(t, second.ok(http.MethodGet, "/waygate/api/audit", ""), `"action":"disable"`)
	require.Contains(t, second.ok(http.MethodGet, "/readyz", ""), `"durability":"fsync"`)
}

func TestInitGivesBackTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	cfg := plain()
	cfg.Backend, cfg.FilePath, cfg.SnapshotDir = "file", filepath.Join(dir, "one.json"), filepath.Join(dir, "snapshots")
	first := start(t, cfg)
	first.ok(http.MethodPost, disableA, `{"reason":"kept"}`)
	require.NoError(t, first.stop())

	initialize := func(args ...string) (int, string) {
		var out, errOut bytes.Buffer
		status := app.Main(t.Context(), app.Process{
			Args: append([]string{"init", "--file-path", filepath.Join(dir, "two.json"), "--snapshot-dir", cfg.SnapshotDir}, args...),
			Dir:  dir, In: strings.NewReader(""), Out: &out, Err: &errOut,
		})
		return status, out.String() + errOut.String()
	}
	status, said := initialize()
	require.Zero(t, status, said)
	status, said = initialize()
	require.Equal(t, 1, status)
	require.Contains(t, said, "already holds a document")
	status, said = initialize("--from-snapshot")
	require.Zero(t, status, said)
	cfg.FilePath, cfg.SnapshotDir = filepath.Join(dir, "two.json"), ""
	require.Contains(t, start(t, cfg).ok(http.MethodGet, "/waygate/api/routes", ""), `"reason":"kept"`)
}

func TestAnEmptyFileStoreTakesTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	cfg := plain()
	cfg.Backend, cfg.FilePath, cfg.SnapshotDir = "file", filepath.Join(dir, "one.json"), filepath.Join(dir, "snapshots")
	first := start(t, cfg)
	first.ok(http.MethodPost, disableA, `{"reason":"kept"}`)
	require.NoError(t, first.stop())
	cfg.FilePath = filepath.Join(dir, "lost.json")
	second := start(t, cfg)
	require.Contains(t, second.ok(http.MethodGet, "/waygate/api/routes", ""), `"reason":"kept"`)
	second.ok(http.MethodPost, "/waygate/api/routes/GET%3A%2Fa/enable", "")
}
