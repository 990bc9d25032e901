package filestore_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/filestore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// stopped is the path of a store with a few commits that was stopped in order, and what it holds.
func stopped(t *testing.T) (string, *state.Document) {
	t.Helper()
	path := newPath(t)
	s := reopen(t, path)
	statetest.Seeded(t, s)
	for i := range 5 {
		c := statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x")
		if i == 2 {
			c.Private = map[string][]byte{"token": {1}}
		}
		statetest.Commit(t, s, c)
	}
	doc := load(t, s)
	require.NoError(t, s.Close())
	return path, doc
}

// segment is the one segment of a small store's log.
func segment(t *testing.T, path string) string {
	t.Helper()
	segments, err := filepath.Glob(path + ".log/*.log")
	require.NoError(t, err)
	require.Len(t, segments, 1)
	return segments[0]
}

// A crash can tear the last line anywhere; the commit it was for was never acknowledged.
func TestATornLastLineIsCut(t *testing.T) {
	path, want := stopped(t)
	text := read(t, segment(t, path))
	begin := strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n') + 1
	for _, c := range []struct {
		name string
		tear func(last []byte) []byte
	}{
		{"one byte of it came", func(last []byte) []byte { return last[:1] }},
		{"half of it came", func(last []byte) []byte { return last[:len(last)/2] }},
		{"all but its end came", func(last []byte) []byte { return last[:len(last)-1] }},
		{"its first half is zeros", func(last []byte) []byte {
			return append(make([]byte, len(last)/2), last[len(last)/2:]...)
		}},
		{"it is zeros", func(last []byte) []byte { return make([]byte, len(last)) }},
		{"its second half is zeros", func(last []byte) []byte {
			return append(bytes.Clone(last[:len(last)/2]), make([]byte, len(last)/2)...)
		}},
		{"nothing of it came", func([]byte) []byte { return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			crashed := copied(t, path)
			torn := append([]byte(text[:begin]), c.tear([]byte(text[begin:]))...)
			require.NoError(t, os.WriteFile(segment(t, crashed), torn, 0o600))
			// The document was not that far yet.
			require.NoError(t, os.Remove(crashed))
			s := reopen(t, crashed)
			require.Equal(t, int64(len(torn)-begin), s.Opened().Torn)
			require.Equal(t, want.Rev-1, load(t, s).Rev)
			statetest.Commit(t, s, statetest.Block(t, "GET:/4", "x"))
			after := load(t, s)
			require.NoError(t, s.Close())
			s = reopen(t, crashed)
			require.Zero(t, s.Opened())
			statetest.Same(t, after, load(t, s))
		})
	}
}

// What is whole once can only be damaged by something else than a crash, and then a person must look.
func TestDamageStopsTheStart(t *testing.T) {
	good, _ := stopped(t)
	flip := func(at func(text string) int) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			name := segment(t, path)
			text := []byte(read(t, name))
			i := at(string(text))
			text[i] ^= 1
			require.NoError(t, os.WriteFile(name, text, 0o600))
		}
	}
	remove := func(pattern string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			names, err := filepath.Glob(path + pattern)
			require.NoError(t, err)
			require.NotEmpty(t, names)
			for _, name := range names {
				require.NoError(t, os.Remove(name))
			}
		}
	}
	edit := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			text := read(t, path)
			require.Contains(t, text, from)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(text, from, to, 1)), 0o600))
		}
	}
	for _, c := range []struct {
		name   string
		damage func(*testing.T, string)
		says   string
	}{
		{"the head of the log", flip(func(string) int { return 3 }), ".log"},
		{"a line in the middle", flip(func(s string) int { return len(s) / 2 }), "checksum"},
		{"the first line", flip(func(s string) int { return strings.IndexByte(s, '\n') + 9 }), "after revision 0"},
		{"the last line, which has its end", flip(func(s string) int { return len(s) - 40 }), "after revision 4"},
		{"the end of a line", flip(func(s string) int { return strings.LastIndexByte(s[:len(s)-1], '\n') }), "checksum"},
		{"the log is gone", remove(".log/*.log"), "the end of the log is lost"},
		{"the private part is gone", remove(".private"), "restore it from a backup"},
		{"the private part is damaged", func(t *testing.T, path string) {
			text := strings.Replace(read(t, path+".private"), "AQ==", "AA==", 1)
			require.NoError(t, os.WriteFile(path+".private", []byte(text), 0o600))
		}, "checksum"},
		{"the document is no JSON", edit(`"routes": {`, `"routes": {{`), "state.json, line"},
		{"the document is cut off", func(t *testing.T, path string) {
			text := read(t, path)
			require.NoError(t, os.WriteFile(path, []byte(text[:len(text)/2]), 0o600))
		}, "written anew from the log"},
		{"the document is another file", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(`{"a":1}`), 0o600))
		}, "unknown field"},
		{"the document is of a later release", edit(`"document 1"`, `"document 2"`), "another release"},
		{"the document is ahead of the log", edit(`"rev": 5`, `"rev": 6`), "the end of the log is lost"},
		{"the document is of another history", edit(`"head": "`, `"head": "0`), "damaged"},
		{"the end of the log is torn and was acknowledged", func(t *testing.T, path string) {
			name := segment(t, path)
			text := read(t, name)
			require.NoError(t, os.WriteFile(name, []byte(text[:len(text)-5]), 0o600))
		}, "the end of the log is lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := copied(t, good)
			c.damage(t, path)
			_, err := filestore.Open(path, filestore.Options{})
			require.ErrorIs(t, err, state.ErrDamaged)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, filepath.Dir(path), "it does not say which file")
		})
	}
	t.Run("and what is not damaged does not", func(t *testing.T) { reopen(t, copied(t, good)) })
}

func TestAMissingSegmentStopsTheStart(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	statetest.Seeded(t, s)
	for range 60 {
		statetest.Commit(t, s, statetest.Block(t, "GET:/a", strings.Repeat("because ", 20_000)))
	}
	require.NoError(t, s.Close())
	segments, err := filepath.Glob(path + ".log/*.log")
	require.NoError(t, err)
	require.Len(t, segments, 3)
	for i, name := range segments {
		damaged := copied(t, path)
		require.NoError(t, os.Remove(filepath.Join(damaged+".log", filepath.Base(name))))
		_, err := filestore.Open(damaged, filestore.Options{})
		require.ErrorIs(t, err, state.ErrDamaged, "segment %d", i)
	}
	// A torn line can only be at the end of the last one.
	damaged := copied(t, path)
	name := filepath.Join(damaged+".log", filepath.Base(segments[0]))
	text := read(t, name)
	require.NoError(t, os.WriteFile(name, []byte(text[:len(text)-5]), 0o600))
	_, err = filestore.Open(damaged, filestore.Options{})
	require.ErrorIs(t, err, state.ErrDamaged)
}

func TestADocumentThatIsGoneIsWrittenAnew(t *testing.T) {
	path, want := stopped(t)
	before := read(t, path)
	require.NoError(t, os.Remove(path))
	s := reopen(t, path)
	require.Equal(t, filestore.Opened{Rebuilt: true}, s.Opened())
	statetest.Same(t, want, load(t, s))
	require.NoError(t, s.Close())
	require.Equal(t, before, read(t, path))
}

func TestADocumentOfAnEarlierGeneration(t *testing.T) {
	path, doc := stopped(t)
	old := read(t, path)
	s := reopen(t, path)
	next := statetest.Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1005, Head: doc.Head}, "GET:/new")
	require.NoError(t, s.Seed(t.Context(), doc.Meta, next, nil))
	statetest.Commit(t, s, statetest.Block(t, "GET:/newer", "x"))
	want := load(t, s)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
	_, err := filestore.Open(path, filestore.Options{})
	require.ErrorIs(t, err, state.ErrDamaged)
	require.ErrorContains(t, err, "backup")
	// What the message says helps.
	require.NoError(t, os.Remove(path))
	statetest.Same(t, want, load(t, reopen(t, path)))
}
