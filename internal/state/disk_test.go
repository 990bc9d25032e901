package state_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

func openDisk(t *testing.T, dir string) *state.Disk {
	t.Helper()
	d, err := state.OpenDisk(dir, "authz-default", func(_ state.Meta, err error) { require.NoError(t, err) })
	require.NoError(t, err)
	return d
}

// at is a document at a place of one epoch that blocks one route.
func at(t *testing.T, gen, rev uint64) *state.Document {
	t.Helper()
	return statetest.Document(t, state.Meta{Epoch: "E", Gen: gen, Rev: rev}, fmt.Sprintf("GET:/%d/%d", gen, rev))
}

func loaded(t *testing.T, dir string) *state.Document {
	t.Helper()
	return loadedAs(t, dir, "authz-default")
}

func loadedAs(t *testing.T, dir, name string) *state.Document {
	t.Helper()
	d, err := state.OpenDisk(dir, name, nil)
	require.NoError(t, err)
	s, err := d.Load()
	require.NoError(t, err)
	require.NoError(t, s.Damage)
	return s.Document
}

func TestDiskGivesBackWhatItKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	d := openDisk(t, dir)
	_, err := d.Load()
	require.ErrorIs(t, err, state.ErrEmpty)
	want := statetest.Document(t, state.Meta{Epoch: "E", Gen: 3, Rev: 9, Head: state.Head{1, 2}}, "/users/{id}", "GET:/é%25")
	private := map[string][]byte{"token:1": {0, 1, 255}}
	require.NoError(t, d.Save(state.Saved{Document: want, Private: private}))
	got, err := openDisk(t, dir).Load()
	require.NoError(t, err)
	statetest.Same(t, want, got.Document)
	require.Equal(t, private, got.Private)
	require.WithinDuration(t, time.Now(), got.At, time.Minute)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		stat, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), stat.Mode().Perm(), e.Name())
		require.False(t, strings.HasPrefix(e.Name(), "."), "%s was left", e.Name())
	}
	// Another name in the same directory is another snapshot.
	other, err := state.OpenDisk(dir, "admin-default", nil)
	require.NoError(t, err)
	_, err = other.Load()
	require.ErrorIs(t, err, state.ErrEmpty)
}

func TestDiskNeverGoesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		saves [][2]uint64 // generation and revision
		want  [2]uint64
	}{
		{"forward", [][2]uint64{{1, 1}, {1, 2}, {1, 3}}, [2]uint64{1, 3}},
		{"an older revision", [][2]uint64{{1, 5}, {1, 4}}, [2]uint64{1, 5}},
		{"an older revision after two", [][2]uint64{{1, 5}, {1, 6}, {1, 4}}, [2]uint64{1, 6}},
		{"between the two", [][2]uint64{{1, 4}, {1, 6}, {1, 5}}, [2]uint64{1, 6}},
		{"an older generation with a higher revision", [][2]uint64{{2, 5}, {1, 900}}, [2]uint64{2, 5}},
		{"a newer generation with a lower revision", [][2]uint64{{1, 900}, {2, 5}}, [2]uint64{2, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, s := range c.saves {
				// Each by another process, as in a hot swap.
				require.NoError(t, openDisk(t, dir).Save(state.Saved{Document: at(t, s[0], s[1])}))
			}
			statetest.Same(t, at(t, c.want[0], c.want[1]), loaded(t, dir))
		})
	}
}

func TestDiskTakesTheLaterAtTheSamePlace(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir)
	for i := range 5 {
		private := map[string][]byte{"n": {byte(i)}}
		require.NoError(t, d.Save(state.Saved{Document: at(t, 1, 1), Private: private}))
		got, err := d.Load()
		require.NoError(t, err)
		require.Equal(t, private, got.Private)
	}
}

func TestDiskSurvivesDamageToOneGeneration(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir)
	require.NoError(t, d.Save(state.Saved{Document: at(t, 1, 1)}))
	require.NoError(t, d.Save(state.Saved{Document: at(t, 1, 2)}))
	files, err := filepath.Glob(filepath.Join(dir, "*.snapshot"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if bytes.Contains(text, []byte("/1/2")) {
			require.NoError(t, os.WriteFile(path, text[:len(text)-1], 0o600))
		}
	}
	got, err := d.Load()
	require.NoError(t, err)
	require.ErrorIs(t, got.Damage, state.ErrDamaged)
	statetest.Same(t, at(t, 1, 1), got.Document)
	// What is damaged does not stand in the way of what follows.
	require.NoError(t, d.Save(state.Saved{Document: at(t, 1, 2)}))
	statetest.Same(t, at(t, 1, 2), loaded(t, dir))

	for _, path := range files {
		require.NoError(t, os.WriteFile(path, []byte("rubbish"), 0o600))
	}
	_, err = d.Load()
	require.ErrorIs(t, err, state.ErrDamaged)
	_, err = d.Load()
	require.ErrorIs(t, err, state.ErrEmpty)
}

func TestDiskWritesAtMostOnceASecond(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var saved []state.Meta
		var when []time.Time
		d, err := state.OpenDisk(dir, "n", func(m state.Meta, err error) {
			require.NoError(t, err)
			saved, when = append(saved, m), append(when, time.Now())
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { d.Run(ctx) })
		synctest.Wait()
		start := time.Now()
		for rev := range uint64(55) {
			d.Keep(state.Saved{Document: at(t, 1, rev+1)})
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, start, when[0], "the first is not written at once")
		for i := range when[1:] {
			require.GreaterOrEqual(t, when[i+1].Sub(when[i]), time.Second)
		}
		require.InDelta(t, 6, len(saved), 1)
		cancel()
		done.Wait()
		require.Equal(t, uint64(55), saved[len(saved)-1].Rev, "what waited was not written at the end")
	})
	d, err := state.OpenDisk(dir, "n", nil)
	require.NoError(t, err)
	got, err := d.Load()
	require.NoError(t, err)
	require.Equal(t, uint64(55), got.Document.Rev)
}

func TestDiskTriesAgainWhatItCouldNotWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots")
	synctest.Test(t, func(t *testing.T) {
		outcomes := make(chan error, 100)
		d, err := state.OpenDisk(dir, "n", func(_ state.Meta, err error) { outcomes <- err })
		require.NoError(t, err)
		d.Pace(20 * time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { d.Run(ctx) })
		require.NoError(t, os.Remove(dir))
		d.Keep(state.Saved{Document: at(t, 1, 7)})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Len(t, outcomes, 1, "one disk that fails is one message")
		require.Error(t, <-outcomes)

		// Nothing changes any more, and the disk is good again.
		require.NoError(t, os.Mkdir(dir, 0o700))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, outcomes, 1)
		require.NoError(t, <-outcomes)
		cancel()
		done.Wait()
	})
	require.Equal(t, uint64(7), loadedAs(t, dir, "n").Rev)
}

func TestDiskSharedByTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	docs := make([]*state.Document, 61)
	for rev := range docs {
		docs[rev] = at(t, 1, uint64(rev))
	}
	errs := make([]error, 3)
	for i := range errs {
		d := openDisk(t, dir)
		wg.Go(func() {
			for rev := i + 1; rev < len(docs) && errs[i] == nil; rev += 3 {
				errs[i] = d.Save(state.Saved{Document: docs[rev]})
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	statetest.Same(t, docs[60], loaded(t, dir))
}

func TestDiskSaysWhatItCannotDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := state.OpenDisk(file, "n", nil)
	require.ErrorContains(t, err, file)
}
