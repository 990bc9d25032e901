package filestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// childVariable makes this test program a process that commits until it is killed, to the store it names.
const childVariable = "WAYGATE_TEST_FILESTORE_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := commitForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// counted is a change that leaves traces of one number in the document and, for every third, in the private part.
func counted(n uint64) (state.Change, error) {
	c := state.Change{Entry: state.Entry{Kind: state.KindChange, Patch: state.Patch{}, ID: fmt.Sprint(n)}}
	for _, text := range []string{"GET:/counter", fmt.Sprintf("GET:/n/%d", n)} {
		key, shown, err := state.ParseKey(text)
		if err != nil {
			return c, err
		}
		block := &state.Block{Effect: state.EffectDisabled, Reason: fmt.Sprint(n)}
		if err := c.Patch.SetRoute(state.Route{Key: key, Shown: shown, Standing: block}); err != nil {
			return c, err
		}
	}
	if n%3 == 0 {
		c.Private = map[string][]byte{"counter": fmt.Append(nil, n)}
	}
	return c, nil
}

// commitForEver commits and prints the revision of each commit that was acknowledged.
func commitForEver(path string) error {
	s, err := Open(path, Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	p, err := s.Pulse(ctx)
	if err != nil {
		return err
	}
	for at := p.Meta; ; {
		c, err := counted(at.Rev + 1)
		if err != nil {
			return err
		}
		r, err := s.Commit(ctx, at, c)
		if err != nil {
			return err
		}
		at.Rev, at.Head = r.Frame.Rev, r.Frame.Head
		fmt.Println(at.Rev)
	}
}

// whole requires that the store holds exactly what its revisions came to.
func whole(t *testing.T, s *Store) state.Meta {
	t.Helper()
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	private, err := s.Private(t.Context())
	require.NoError(t, err)
	if doc.Rev == 0 {
		require.Zero(t, doc.RouteCount())
		require.Empty(t, private)
		return doc.Meta
	}
	require.Equal(t, int(doc.Rev)+1, doc.RouteCount())
	require.Equal(t, fmt.Sprint(doc.Rev), statetest.Reason(t, doc, "GET:/counter"))
	want := map[string][]byte{}
	if doc.Rev >= 3 {
		want["counter"] = fmt.Append(nil, doc.Rev/3*3)
	}
	require.Equal(t, want, private)
	return doc.Meta
}

// A process is killed at any moment, again and again: what it acknowledged is there, and what is there is whole.
func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s, err := Open(path, Options{})
	require.NoError(t, err)
	statetest.Seeded(t, s)
	require.NoError(t, s.Close())
	program, err := os.Executable()
	require.NoError(t, err)
	acknowledged := uint64(0)
	for round := range 12 {
		child := exec.CommandContext(t.Context(), program)
		child.Env = append(os.Environ(), childVariable+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan(), "the child committed nothing in round %d", round)
		kill := time.AfterFunc(time.Duration(rand.IntN(40_000))*time.Microsecond, func() { _ = child.Process.Kill() })
		for {
			acknowledged, err = strconv.ParseUint(lines.Text(), 10, 64)
			require.NoError(t, err)
			if !lines.Scan() {
				break
			}
		}
		require.Error(t, child.Wait(), "it was not killed")
		kill.Stop()

		s, err := Open(path, Options{})
		require.NoError(t, err)
		at := whole(t, s)
		require.GreaterOrEqual(t, at.Rev, acknowledged)
		require.LessOrEqual(t, at.Rev, acknowledged+1, "only the last commit can be there without its answer")
		require.NoError(t, s.Close())
	}
	t.Logf("%d commits over 12 kills", acknowledged)
}

var errCrash = errors.New("crash")

// crashing opens a store whose process ends before its step number n.
func crashing(t *testing.T, path string, n int) *Store {
	t.Helper()
	s, err := open(path, Options{}, func(string) error {
		if n--; n < 0 {
			return errCrash
		}
		return nil
	})
	require.NoError(t, err)
	return s
}

// crash ends a store as the end of its process would: nothing is written any more.
func (s *Store) crash(t *testing.T) {
	t.Helper()
	s.Store.Close()
	close(s.stop)
	s.writing.Wait()
	s.once.Do(func() {})
	_ = s.journal.close()
	require.NoError(t, s.lock.Close())
}

// script seeds a store and commits to it, with a new generation in between, and gives where it got to.
func script(ctx context.Context, s *Store) error {
	p, err := s.Pulse(ctx)
	if errors.Is(err, state.ErrEmpty) {
		doc := state.NewDocument(state.Meta{Epoch: "first", Gen: 1})
		if err := s.Seed(ctx, state.Meta{}, doc, nil); err != nil {
			return err
		}
		p, err = s.Pulse(ctx)
	}
	if err != nil {
		return err
	}
	for at := p.Meta; at.Rev < 14; {
		if at.Rev == 7 && at.Gen == 1 {
			next := state.Meta{Epoch: "second", Gen: 2, Rev: at.Rev, Head: at.Head}
			if err := reseed(ctx, s, at, next); err != nil {
				return err
			}
			at = next
			continue
		}
		c, err := counted(at.Rev + 1)
		if err != nil {
			return err
		}
		r, err := s.Commit(ctx, at, c)
		if err != nil {
			return err
		}
		at.Rev, at.Head = r.Frame.Rev, r.Frame.Head
	}
	return nil
}

// reseed begins a new generation with what the store holds.
func reseed(ctx context.Context, s *Store, at, next state.Meta) error {
	doc, err := s.Load(ctx)
	if err != nil {
		return err
	}
	private, err := s.Private(ctx)
	if err != nil {
		return err
	}
	if doc, err = doc.With(nil, next); err != nil {
		return err
	}
	return s.Seed(ctx, at, doc, private)
}

// Between any two steps of a commit or a seed the process may end: then all of it is there, or nothing.
func TestACrashBetweenAnyTwoSteps(t *testing.T) {
	for n := 0; ; n++ {
		path := filepath.Join(t.TempDir(), "state.json")
		s := crashing(t, path, n)
		err := script(t.Context(), s)
		crashed := err != nil
		if crashed {
			require.True(t, errors.Is(err, state.ErrUnavailable) || errors.Is(err, state.ErrUnknownOutcome), "%v", err)
		}
		var at state.Meta
		if p, err := s.Pulse(t.Context()); err == nil {
			at = p.Meta
		}
		s.crash(t)

		s, err = Open(path, Options{})
		require.NoError(t, err, "step %d", n)
		p, err := s.Pulse(t.Context())
		if at.Epoch != "" {
			require.NoError(t, err)
			require.Contains(t, []uint64{at.Rev, at.Rev + 1}, whole(t, s).Rev, "step %d", n)
			require.GreaterOrEqual(t, p.Gen, at.Gen)
		}
		require.NoError(t, script(t.Context(), s))
		require.Equal(t, uint64(14), whole(t, s).Rev)
		require.NoError(t, s.Close())
		if !crashed {
			require.Greater(t, n, 30, "the script has too few steps to say anything")
			return
		}
	}
}

// After a sync that failed nobody knows what is on disk: nothing is acknowledged until the next start.
func TestAFailedSyncIsAnUnknownOutcome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	failing := false
	s, err := open(path, Options{}, func(step string) error {
		if failing && step == "sync" {
			return errors.New("input/output error")
		}
		return nil
	})
	require.NoError(t, err)
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/1", "x")))
	failing = true
	_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/2", "x"))
	require.ErrorIs(t, err, state.ErrUnknownOutcome)
	failing = false
	_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/3", "x"))
	require.ErrorIs(t, err, state.ErrUnavailable)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, p.Meta, "reads go on")
	require.NoError(t, s.Close())
	s, err = Open(path, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	statetest.Commit(t, s, statetest.Block(t, "GET:/3", "x"))
}

// A disk that is full refuses a commit, and takes the next once there is room.
func TestAFailedWriteChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s, err := Open(path, Options{})
	require.NoError(t, err)
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/1", "x")))
	tail := s.journal.tail
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	s.journal.tail = full
	_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/2", "x"))
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.NoError(t, full.Close())
	s.journal.tail, s.journal.broken = tail, nil // a device has no length to take back
	r, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/3", "x"))
	require.NoError(t, err)
	require.Equal(t, base.Rev+1, r.Frame.Rev)
	require.NoError(t, s.Close())
	s, err = Open(path, Options{})
	require.NoError(t, err)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, statetest.After(base, r), p.Meta)
	require.NoError(t, s.Close())
}

// A start reads the whole log and checks it: a million entries take seconds.
func BenchmarkOpen(b *testing.B) {
	const entries = 100_000
	path := filepath.Join(b.TempDir(), "state.json")
	s, err := Open(path, Options{})
	require.NoError(b, err)
	base := statetest.Seeded(b, s)
	require.NoError(b, s.Close())
	logOf(b, path, base, entries)
	require.NoError(b, os.Remove(path))
	s, err = Open(path, Options{})
	require.NoError(b, err)
	require.NoError(b, s.Close())
	for b.Loop() {
		s, err := Open(path, Options{})
		require.NoError(b, err)
		frames, err := s.Frames(b.Context(), base.Epoch, entries/2, 100)
		require.NoError(b, err)
		require.Len(b, frames, 100)
		require.NoError(b, s.Close())
	}
}

// logOf writes a log of n commits as the store would, without a sync for each.
func logOf(tb testing.TB, path string, at state.Meta, n int) {
	tb.Helper()
	p := pathsOf(path)
	require.NoError(tb, p.sweep())
	change := statetest.Block(tb, "GET:/a", strings.Repeat("because ", 10))
	var text []byte
	var s *segment
	for range n {
		if s == nil || s.size+int64(len(text)) > segmentSize {
			flush(tb, s, text)
			var err error
			s, err = p.createSegment(at)
			require.NoError(tb, err)
			text = text[:0]
		}
		f, err := change.Frame(at)
		require.NoError(tb, err)
		r, err := newRecord(&f, time.Unix(0, 0), "", 0)
		require.NoError(tb, err)
		text = append(text, r.line()...)
		at.Rev, at.Head = f.Rev, f.Head
	}
	flush(tb, s, text)
}

func flush(tb testing.TB, s *segment, text []byte) {
	tb.Helper()
	if s == nil {
		return
	}
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(tb, err)
	_, err = f.Write(text)
	require.NoError(tb, err)
	require.NoError(tb, f.Close())
}
