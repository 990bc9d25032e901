package proof_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/proof"
	"github.com/waygate/waygate/internal/state"
)

// forge builds n frames after a place.
func forge(tb testing.TB, at state.Meta, n int, what string) []state.Frame {
	tb.Helper()
	out := make([]state.Frame, n)
	for i := range out {
		c := state.Change{Entry: state.Entry{
			Kind: state.KindChange, Actor: "ada", Platform: state.PlatformCLI,
			Records: []state.Record{{Action: state.ActionDisable, Path: fmt.Sprintf("GET:/%s/%d", what, i), Reason: "<why & how>"}},
		}}
		f, err := c.Frame(at)
		require.NoError(tb, err)
		out[i], at.Rev, at.Head = f, f.Rev, f.Head
	}
	return out
}

// evidence is an honest log with all that proves it: the head of the store, and checkpoints.
type evidence struct {
	frames []state.Frame
	at     state.Meta
	file   []byte
	key    ed25519.PublicKey
}

func collect(tb testing.TB, n int) *evidence {
	tb.Helper()
	e := &evidence{frames: forge(tb, state.Meta{Epoch: "ONE"}, n, "a")}
	last := e.frames[n-1]
	next := state.Meta{Epoch: "TWO", Rev: last.Rev + 1000, Head: last.Head} // a repair
	e.frames = append(e.frames, forge(tb, next, n, "b")...)
	last = e.frames[2*n-1]
	e.at = state.Meta{Epoch: last.Epoch, Rev: last.Rev, Head: last.Head}
	public, private, err := ed25519.GenerateKey(rand.NewChaCha8([32]byte{1}))
	require.NoError(tb, err)
	e.key = public
	for i := 9; i < len(e.frames); i += 10 {
		f := e.frames[i]
		c := proof.Checkpoint{Namespace: "default", Epoch: f.Epoch, Rev: f.Rev, Head: f.Head}
		e.file = append(e.file, c.Sign(private)...)
	}
	return e
}

// lines are the frames as they stand in files.
func lines(frames []state.Frame) [][]byte {
	out := make([][]byte, len(frames))
	for i := range frames {
		out[i] = frames[i].AppendJSON(nil)
	}
	return out
}

// judge verifies a log as the command does.
func (e *evidence) judge(log [][]byte, file []byte) error {
	points, _, err := proof.ParseCheckpoints(file, e.key)
	if err != nil {
		return err
	}
	w, err := proof.NewWitness("default", points, 0)
	if err != nil {
		return err
	}
	c := proof.Chain{Known: w.Saw}
	for _, line := range log {
		f, err := proof.ParseFrame(line)
		if err != nil {
			return err
		}
		if err := c.Add(&f); err != nil {
			return err
		}
	}
	return errors.Join(c.CheckBegin(0), c.CheckEnd(e.at), w.Finish(e.at.Head))
}

// rehash makes a chain that fits of entries that were changed from i on, as somebody would who can write the store.
func rehash(log []state.Frame, i int) {
	for ; i < len(log); i++ {
		if i > 0 {
			log[i].Prev = log[i-1].Head
		}
		log[i].Head = log[i].Prev.Next(log[i].Rev, log[i].Payload)
	}
}

// tamper does one thing to a copied log or its checkpoints. It never leaves both as they were.
func (e *evidence) tamper(random *rand.Rand) (how string, log [][]byte, file []byte) {
	frames, file := slices.Clone(e.frames), slices.Clone(e.file)
	n := len(frames)
	i, j := random.IntN(n), random.IntN(n)
	for i == j {
		j = random.IntN(n)
	}
	how = []string{
		"a byte edited", "an entry edited and all hashed anew", "deleted", "deleted and hashed anew", "reordered", "inserted", "doubled",
		"cut at the end", "cut at the beginning", "a checkpoint forged", "another epoch", "segments swapped",
	}[random.IntN(12)]
	switch how {
	case "a byte edited":
		log = lines(frames)
		at := random.IntN(len(log[i]))
		log[i][at] ^= byte(1 + random.IntN(255))
		return how, log, file
	case "an entry edited and all hashed anew":
		frames[i].Payload = bytes.Replace(frames[i].Payload, []byte("ada"), []byte("eve"), 1)
		rehash(frames, i)
	case "deleted":
		frames = slices.Delete(frames, i, min(n, i+1+random.IntN(5)))
	case "deleted and hashed anew":
		frames = slices.Delete(frames, i, i+1)
		for k := i; k < len(frames); k++ {
			frames[k].Rev--
		}
		rehash(frames, i)
	case "reordered":
		frames[i], frames[j] = frames[j], frames[i]
	case "inserted":
		frames = slices.Insert(frames, i, forge(nilTB{}, state.Meta{Epoch: frames[i].Epoch, Rev: frames[i].Rev - 1, Head: frames[i].Prev}, 1, "x")...)
	case "doubled":
		frames = slices.Insert(frames, i, frames[i])
	case "cut at the end":
		frames = frames[:i]
	case "cut at the beginning":
		frames = frames[i+1:]
	case "a checkpoint forged":
		points := bytes.SplitAfter(file, []byte("\n\n"))
		k := random.IntN(len(points) - 1)
		at := random.IntN(len(points[k]) - 2)
		points[k] = slices.Clone(points[k])
		points[k][at] ^= byte(1 + random.IntN(255))
		file = bytes.Join(points, nil)
	case "another epoch":
		frames[i].Epoch = "EVE"
	case "segments swapped":
		i, j = min(i, j), max(i, j)
		frames = slices.Concat(frames[:i], frames[j:], frames[i:j])
		if i == 0 {
			frames = slices.Concat(e.frames[j:], e.frames[:j])
		}
	}
	return how, lines(frames), file
}

type nilTB struct{ testing.TB }

func (nilTB) Helper() {}

func TestTenThousandTamperingsAreFound(t *testing.T) {
	e := collect(t, 20)
	require.NoError(t, e.judge(lines(e.frames), e.file))
	random := rand.New(rand.NewPCG(1, 2))
	times := 10_000
	if testing.Short() { // the race detector makes each ten times as dear
		times = 1000
	}
	for n := range times {
		how, log, file := e.tamper(random)
		require.Error(t, e.judge(log, file), "%d: %s", n, how)
	}
}

// write archives frames.
func write(t *testing.T, dir string, frames []state.Frame) {
	t.Helper()
	w, err := proof.OpenWriter(dir, "default")
	require.NoError(t, err)
	for i := range frames {
		require.NoError(t, w.Add(&frames[i]))
	}
	require.NoError(t, w.Save())
}

func TestAnArchiveGoesOnWhereItEnded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	e := collect(t, 10_020)
	write(t, dir, e.frames[:500])
	write(t, dir, e.frames[500:500])
	write(t, dir, e.frames[500:12_000])
	write(t, dir, e.frames[12_000:])
	var c proof.Chain
	m, err := proof.Replay(dir, &c)
	require.NoError(t, err)
	require.Equal(t, uint64(20_040), c.Count())
	require.Len(t, m.Segments, 4, "10,000 and 20 of each epoch")
	require.NoError(t, c.CheckBegin(0))
	require.NoError(t, c.CheckEnd(e.at))
	require.True(t, c.Runs()[1].Joined)
	require.Equal(t, uint64(10_020), c.Runs()[1].From)
	head, found, err := proof.Holds(dir, "ONE", 1, 77)
	require.NoError(t, err)
	require.True(t, found)
	_, found, err = proof.Holds(dir, "ONE", 0, 77)
	require.NoError(t, err)
	require.False(t, found, "it begins later")
	require.Equal(t, e.frames[76].Head, head)
	_, err = proof.OpenWriter(dir, "other")
	require.ErrorContains(t, err, "namespace")

	// What a crash leaves between a segment and the manifest does not count.
	last := filepath.Join(dir, m.Segments[3].File)
	text, err := os.ReadFile(last)
	require.NoError(t, err)
	more := forge(t, e.at, 1, "z")[0]
	require.NoError(t, os.WriteFile(last, append(more.AppendJSON(text), '\n'), 0o600))
	_, err = proof.Replay(dir, new(proof.Chain))
	require.ErrorContains(t, err, "by the manifest it does not belong")
	write(t, dir, []state.Frame{more})
	_, err = proof.Replay(dir, new(proof.Chain))
	require.NoError(t, err)
}

// A crash between a new segment and the manifest that names it does not end the archive.
func TestAnArchiveGoesOnAfterACrash(t *testing.T) {
	e := collect(t, 20)
	for _, saved := range []int{0, 20} { // in an empty archive, and where an epoch begins
		dir := t.TempDir()
		if saved > 0 {
			write(t, dir, e.frames[:saved])
		}
		left := filepath.Join(dir, proof.SegmentName(e.frames[saved].Rev))
		require.NoError(t, os.WriteFile(left, append(e.frames[saved].AppendJSON(nil), '\n'), 0o600))
		write(t, dir, e.frames[saved:])
		var c proof.Chain
		_, err := proof.Replay(dir, &c)
		require.NoError(t, err)
		require.NoError(t, c.CheckEnd(e.at))
		for rev := range uint64(2) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, proof.SegmentName(90_000+rev)), nil, 0o600))
		}
		_, err = proof.OpenWriter(dir, "default")
		require.ErrorIs(t, err, state.ErrDamaged, "more than a crash leaves")
	}
}

func TestATamperedArchiveNamesTheFirstBadEntry(t *testing.T) {
	e := collect(t, 10_020)
	for _, c := range []struct {
		name string
		do   func(dir string, m *proof.Manifest)
		want string
	}{
		{"segments swapped", func(dir string, m *proof.Manifest) {
			a, b := filepath.Join(dir, m.Segments[0].File), filepath.Join(dir, m.Segments[1].File)
			require.NoError(t, os.Rename(a, a+".x"))
			require.NoError(t, os.Rename(b, a))
			require.NoError(t, os.Rename(a+".x", b))
		}, "revision 1 "},
		{"a segment is gone", func(dir string, m *proof.Manifest) {
			require.NoError(t, os.Remove(filepath.Join(dir, m.Segments[1].File)))
		}, "revision 10001 "},
		{"an entry edited", func(dir string, m *proof.Manifest) {
			path := filepath.Join(dir, m.Segments[0].File)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			text = bytes.Replace(text, []byte("/a/4999"), []byte("/a/4998"), 1)
			require.NoError(t, os.WriteFile(path, text, 0o600))
		}, "revision 5000 (epoch ONE): its content does not fit its hash"},
		{"a segment too many", func(dir string, _ *proof.Manifest) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, proof.SegmentName(99_999)), nil, 0o600))
		}, "not in the manifest"},
		{"a segment left out of the manifest", func(dir string, m *proof.Manifest) {
			require.NoError(t, os.Remove(filepath.Join(dir, m.Segments[1].File)))
			m.Segments = slices.Delete(m.Segments, 1, 2)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, e.frames)
			m, err := proof.ReadManifest(dir)
			require.NoError(t, err)
			c.do(dir, &m)
			text, err := json.Marshal(m)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
			points, _, err := proof.ParseCheckpoints(e.file, e.key)
			require.NoError(t, err)
			w, err := proof.NewWitness("default", points, 0)
			require.NoError(t, err)
			_, err = proof.Replay(dir, &proof.Chain{Known: w.Saw})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckpointsAreRead(t *testing.T) {
	e := collect(t, 20)
	all, torn, err := proof.ParseCheckpoints(e.file, e.key)
	require.NoError(t, err)
	require.False(t, torn)
	require.Len(t, all, 4)
	_, torn, err = proof.ParseCheckpoints(append(slices.Clone(e.file), "waygate checkpoint 1\nnamesp"...), e.key)
	require.NoError(t, err)
	require.True(t, torn)
	last := proof.WholeCheckpoints(e.file[:len(e.file)-1])
	for end := last; end < len(e.file); end++ { // wherever a crash tears the last one off
		some, torn, err := proof.ParseCheckpoints(e.file[:end], e.key)
		require.NoError(t, err)
		require.Len(t, some, 3)
		require.Equal(t, end > last, torn)
	}
	half := bytes.SplitAfter(e.file, []byte("\n\n"))
	half[0], half[1] = half[1], half[0]
	_, _, err = proof.ParseCheckpoints(bytes.Join(half, nil), e.key)
	require.ErrorContains(t, err, "checkpoint 2 (revision 10)")
	_, err = proof.NewWitness("other", all, 0)
	require.Error(t, err)

	// Where the log need not be there from its beginning, what proves the beginning does not count.
	for from, bad := range map[uint64]bool{0: true, 15: false} {
		w, err := proof.NewWitness("default", all, from)
		require.NoError(t, err)
		c := proof.Chain{Known: w.Saw}
		for _, f := range e.frames[14:] {
			if err = c.Add(&f); err != nil {
				break
			}
		}
		require.Equal(t, bad, err != nil, "%v", err)
	}
	require.Error(t, new(proof.Chain).CheckBegin(15), "what has to be there is not")
}

// BenchmarkVerify measures lines read, parsed, hashed and compared.
func BenchmarkVerify(b *testing.B) {
	frames := forge(b, state.Meta{Epoch: "ONE"}, 10_000, "a")
	var text bytes.Buffer
	for _, line := range lines(frames) {
		text.Write(append(line, '\n'))
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		var c proof.Chain
		err := proof.EachLine(bytes.NewReader(text.Bytes()), func(line []byte) error {
			f, err := proof.ParseFrame(line)
			if err != nil {
				return err
			}
			return c.Add(&f)
		})
		require.NoError(b, err)
		require.Equal(b, uint64(len(frames)), c.Count())
	}
	b.ReportMetric(float64(len(frames)*b.N)/b.Elapsed().Seconds(), "entries/s")
}
