package app_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/app"
	"github.com/waygate/waygate/internal/proof"
)

func readPublic(t *testing.T, path string) ed25519.PublicKey {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)
	return key.(ed25519.PublicKey)
}

func TestCheckpointsAreSignedWhenTheLogMoved(t *testing.T) {
	dir := t.TempDir()
	cfg := plain()
	cfg.Backend, cfg.FilePath = "file", filepath.Join(dir, "state.json")
	cfg.CheckpointFile, cfg.CheckpointKey = filepath.Join(dir, "checkpoints"), filepath.Join(dir, "key.pem")
	for round := range 2 {
		a := start(t, cfg)
		status, body := a.call("POST", "/waygate/api/routes/L2E/disable", `{"reason":"`+string(rune('a'+round))+`"}`)
		require.Equal(t, 200, status, body)
		require.NoError(t, a.stop())
	}
	secret, err := os.Stat(cfg.CheckpointKey)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), secret.Mode().Perm())
	file, err := os.ReadFile(cfg.CheckpointFile)
	require.NoError(t, err)
	all, torn, err := proof.ParseCheckpoints(file, readPublic(t, cfg.CheckpointKey+".pub"))
	require.NoError(t, err)
	require.False(t, torn)
	last := all[len(all)-1]
	require.EqualValues(t, 2, last.Rev, "a last one when it stops")
	require.Equal(t, "default", last.Namespace)
	require.LessOrEqual(t, len(all), 4, "one at the start and one at the end of each round")
}

// What a crash tears off is taken away, and a view from before the crash proves nothing.
func TestCheckpointsGoOnAfterACrash(t *testing.T) {
	dir := t.TempDir()
	cfg := plain()
	cfg.Backend, cfg.FilePath = "file", filepath.Join(dir, "state.json")
	cfg.CheckpointFile, cfg.CheckpointKey = filepath.Join(dir, "checkpoints"), filepath.Join(dir, "key.pem")
	run := func(reason string) {
		a := start(t, cfg)
		status, body := a.call("POST", "/waygate/api/routes/L2E/disable", `{"reason":"`+reason+`"}`)
		require.Equal(t, 200, status, body)
		require.NoError(t, a.stop())
	}
	run("a")
	file, err := os.ReadFile(cfg.CheckpointFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cfg.CheckpointFile, append(file, file[:150]...), 0o600))
	run("b")
	file, err = os.ReadFile(cfg.CheckpointFile)
	require.NoError(t, err)
	all, torn, err := proof.ParseCheckpoints(file, readPublic(t, cfg.CheckpointKey+".pub"))
	require.NoError(t, err)
	require.False(t, torn)
	require.EqualValues(t, 2, all[len(all)-1].Rev)

	text, err := os.ReadFile(cfg.CheckpointKey)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	ahead := proof.Checkpoint{Namespace: "default", Epoch: all[0].Epoch, Rev: 100}
	require.NoError(t, os.WriteFile(cfg.CheckpointFile, append(file, ahead.Sign(key.(ed25519.PrivateKey))...), 0o600))
	run("c")
	file, err = os.ReadFile(cfg.CheckpointFile)
	require.NoError(t, err)
	all, _, err = proof.ParseCheckpoints(file, readPublic(t, cfg.CheckpointKey+".pub"))
	require.NoError(t, err)
	require.EqualValues(t, 100, all[len(all)-1].Rev)
}

func TestCheckpointsNeedFileAndKey(t *testing.T) {
	cfg := plain()
	cfg.CheckpointFile = "-"
	require.ErrorContains(t, refusedStart(t, cfg), "belong together")
	cfg.CheckpointKey = filepath.Join(t.TempDir(), "key")
	cfg.CheckpointFile = filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(cfg.CheckpointFile, []byte("something else\n"), 0o600))
	require.ErrorContains(t, refusedStart(t, cfg), "does not end with a checkpoint")
	text, err := os.ReadFile(cfg.CheckpointFile)
	require.NoError(t, err)
	require.Equal(t, "something else\n", string(text))
	cfg.CheckpointFile = "-"
	require.NoError(t, os.WriteFile(cfg.CheckpointKey, []byte("x"), 0o600))
	require.ErrorContains(t, refusedStart(t, cfg), "no PEM file")
}

func refusedStart(t *testing.T, cfg app.Config) error {
	t.Helper()
	return app.Run(t.Context(), cfg, zaptest.NewLogger(t), nil)
}
