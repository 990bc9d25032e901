package filestore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/filestore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// reopen opens the store at path and closes it when the test ends.
func reopen(t *testing.T, path string) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(path, filestore.Options{OnError: func(err error) { t.Errorf("document file: %v", err) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newPath is the path of a store that is not there yet.
func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state.json")
}

// copied copies the files of a store, as a crash would leave them, and gives the path of the copy.
func copied(t *testing.T, path string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Dir(path))))
	require.NoError(t, os.Chmod(filepath.Join(dir, "state.json.private"), 0o600))
	return filepath.Join(dir, "state.json")
}

// load is the document that a store holds.
func load(t *testing.T, s state.Source) *state.Document {
	t.Helper()
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	return doc
}

func TestContract(t *testing.T) {
	statetest.Run(t, func(t *testing.T, handles int) []state.Backend {
		s := reopen(t, newPath(t))
		out := make([]state.Backend, handles)
		for i := range out {
			out[i] = s
		}
		return out
	})
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	base := statetest.Seeded(t, s)
	change := statetest.Block(t, "GET:/a", "<é> & \u2028")
	change.ID, change.Private = `an "id" \ é`, map[string][]byte{"token": {0, 255}}
	first := statetest.Commit(t, s, change)
	statetest.Commit(t, s, statetest.Block(t, "/users/{id}", "x"))
	statetest.Commit(t, s, statetest.Forget(t, "GET:/a"))
	want := load(t, s)
	require.NoError(t, s.Close())
	_, err := s.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrUnavailable)
	_, err = s.Commit(t.Context(), want.Meta, statetest.Block(t, "GET:/b", "x"))
	require.ErrorIs(t, err, state.ErrUnavailable)

	for range 3 {
		s = reopen(t, path)
		require.Zero(t, s.Opened())
		statetest.Same(t, want, load(t, s))
		private, err := s.Private(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string][]byte{"token": {0, 255}}, private)
		frames, err := s.Frames(t.Context(), base.Epoch, base.Rev, 10)
		require.NoError(t, err)
		require.Len(t, frames, 3)
		require.Equal(t, first.Frame, frames[0])
		again, err := s.Commit(t.Context(), base, change)
		require.NoError(t, err)
		require.True(t, again.Duplicate)
		require.Equal(t, first.Frame, again.Frame)
		require.NoError(t, s.Close())
	}
	s = reopen(t, path)
	r := statetest.Commit(t, s, statetest.Block(t, "GET:/b", "x"))
	require.Equal(t, want.Rev+1, r.Frame.Rev)
}

func TestASeededStoreIsThereAfterARestart(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	base := statetest.Seeded(t, s)
	require.NoError(t, s.Close())
	s = reopen(t, path)
	require.Equal(t, base, load(t, s).Meta)
	statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x"))
	seen := load(t, s).Meta
	next := statetest.Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1001, Head: seen.Head}, "GET:/b")
	require.NoError(t, s.Seed(t.Context(), seen, next, map[string][]byte{"p": {1}}))
	require.NoError(t, s.Close())
	s = reopen(t, path)
	statetest.Same(t, next, load(t, s))
	private, err := s.Private(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{"p": {1}}, private)
	statetest.Commit(t, s, statetest.Block(t, "GET:/c", "x"))
	want := load(t, s)
	require.NoError(t, s.Close())
	statetest.Same(t, want, load(t, reopen(t, path)))

	// The generation never falls: an older log could be taken for the new one's.
	lower := statetest.Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1}, "GET:/b")
	s2 := reopen(t, newPath(t))
	statetest.Seeded(t, s2)
	require.NoError(t, s2.Seed(t.Context(), load(t, s2).Meta, lower, nil))
	lower = statetest.Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1}, "GET:/b")
	require.ErrorContains(t, s2.Seed(t.Context(), load(t, s2).Meta, lower, nil), "higher")
}

func TestOneWriter(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	_, err := filestore.Open(path, filestore.Options{})
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.ErrorContains(t, err, "one writer")
	require.ErrorContains(t, err, "process ")
	require.NoError(t, s.Close())
	reopen(t, path)
}

func TestSecretsAreInOneFileOfTheOwner(t *testing.T) {
	const secret = "c2VjcmV0LWZpbmdlcnByaW50" // also how base64 would show "secret-fingerprint"
	path := newPath(t)
	s := reopen(t, path)
	statetest.Seeded(t, s)
	for i := range 3 {
		c := statetest.Block(t, "GET:/a", "x")
		c.Private = map[string][]byte{"token": []byte("secret-fingerprint"), "n": {byte(i)}}
		statetest.Commit(t, s, c)
	}
	require.NoError(t, s.Close())
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Dir(path), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if !strings.Contains(string(text), secret) && !strings.Contains(string(text), "secret-fingerprint") {
			return nil
		}
		found++
		stat, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, path+".private", name)
		require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())
		return nil
	}))
	require.Equal(t, 1, found)
}

func TestTheLogIsReadFromAnyRevision(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	base := statetest.Seeded(t, s)
	long := strings.Repeat("because ", 20_000) // 160 kB, twice in each entry: a segment holds 26 of them
	var want []state.Frame
	for range 90 {
		want = append(want, statetest.Commit(t, s, statetest.Block(t, "GET:/a", long)).Frame)
	}
	segments, err := filepath.Glob(path + ".log/*.log")
	require.NoError(t, err)
	require.Greater(t, len(segments), 3)
	check := func(s *filestore.Store) {
		for _, after := range []uint64{0, 1, 25, 26, 27, 52, 63, 64, 65, 88, 89, 90} {
			for _, limit := range []int{1, 30, 1000} {
				got, err := s.Frames(t.Context(), base.Epoch, after, limit)
				require.NoError(t, err)
				require.Len(t, got, min(limit, 90-int(after)))
				for i, f := range got {
					require.Equal(t, want[int(after)+i], f)
				}
			}
		}
	}
	check(s)
	require.NoError(t, s.Close())
	// Now only the last segment is in memory.
	check(reopen(t, path))
}

func TestAnIDCountsForADay(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := reopen(t, path)
		statetest.Seeded(t, s)
		change := statetest.Block(t, "GET:/a", "x")
		change.ID = "once"
		statetest.Commit(t, s, change)
		time.Sleep(23 * time.Hour)
		require.True(t, statetest.Commit(t, s, change).Duplicate)
		require.NoError(t, s.Close())
		s = reopen(t, path)
		require.True(t, statetest.Commit(t, s, change).Duplicate)
		time.Sleep(2 * time.Hour)
		require.False(t, statetest.Commit(t, s, change).Duplicate)
		require.NoError(t, s.Close())
		time.Sleep(25 * time.Hour)
		s = reopen(t, path)
		require.False(t, statetest.Commit(t, s, change).Duplicate)
		require.NoError(t, s.Close())
	})
}

func TestTheDocumentFollowsTheCommits(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := reopen(t, path)
		statetest.Seeded(t, s)
		synctest.Wait()
		statetest.Commit(t, s, statetest.Block(t, "GET:/first", "x"))
		synctest.Wait()
		require.Contains(t, read(t, path), "GET:/first", "the first is not written at once")
		statetest.Commit(t, s, statetest.Block(t, "GET:/second", "x"))
		synctest.Wait()
		require.NotContains(t, read(t, path), "GET:/second")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Contains(t, read(t, path), "GET:/second")
		require.NoError(t, s.Close())
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
