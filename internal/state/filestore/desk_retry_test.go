package filestore

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestADeskThatCannotBeWrittenIsTriedInPeace(t *testing.T) {
	p := pathsOf(filepath.Join(t.TempDir(), "state.json"))
	require.NoError(t, os.MkdirAll(p.log, 0o700))
	require.NoError(t, p.sweep())
	require.NoError(t, os.WriteFile(p.desk, nil, 0o600)) // where its directory is to be
	lies := map[string][]byte{"f": {1}}
	synctest.Test(t, func(t *testing.T) {
		d := newDesks(p)
		stop, failed := make(chan struct{}), make(chan error, 10_000)
		d.wrote("d")
		var done sync.WaitGroup
		done.Go(func() {
			d.follow(stop, func(string) map[string][]byte { return lies }, func(err error) { failed <- err })
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.InDelta(t, 10, len(failed), 2)

		require.NoError(t, os.Remove(p.desk))
		time.Sleep(2 * time.Second)
		close(stop)
		done.Wait()
	})
	all, err := p.readDesks()
	require.NoError(t, err)
	require.Equal(t, map[string]map[string][]byte{"d": lies}, all)
}
