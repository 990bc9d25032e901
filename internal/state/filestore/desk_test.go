package filestore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/filestore"
)

func TestADeskIsThereAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s, err := filestore.Open(path, filestore.Options{})
	require.NoError(t, err)
	lease, err := s.Lease(t.Context(), "d", "a", time.Hour)
	require.NoError(t, err)
	require.NoError(t, s.WriteDesk(t.Context(), lease, map[string][]byte{"f": {1}}))
	require.NoError(t, s.Close())

	s, err = filestore.Open(path, filestore.Options{})
	require.NoError(t, err)
	fields, err := s.ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{"f": {1}}, fields)
	_, err = s.Lease(t.Context(), "d", "b", time.Hour)
	require.NoError(t, err, "the lease ended with the process")
	require.NoError(t, s.Close())

	// Damage costs what lay there, not the start.
	require.NoError(t, os.WriteFile(filepath.Join(path+".desk", "d.json"), []byte(`{"f":`), 0o600))
	s, err = filestore.Open(path, filestore.Options{})
	require.NoError(t, err)
	fields, err = s.ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Empty(t, fields)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.WriteDesk(t.Context(), lease, nil), state.ErrUnavailable)
}
