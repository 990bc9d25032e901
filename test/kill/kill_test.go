package kill_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// The steps of a change at which the admin ends, in their order. Everything up to the acknowledgement comes before
// "committed"; "apply" is when its own view gets the change, "answer" when the client is about to be told.
var (
	fileSteps  = []string{"file prepare", "file append", "file sync", "file promote", "committed", "apply", "answer", "file checkpoint"} //nolint:gochecknoglobals // a table
	redisSteps = []string{"redis before", "redis sent", "redis answered", "committed", "apply", "answer"}                                //nolint:gochecknoglobals // a table
)

func TestMain(m *testing.M) { parts.RunTests(m) }

func TestKillsAtEveryStep(t *testing.T) { killAtEveryStep(t, 5) }

func killAtEveryStep(t *testing.T, times int) {
	program := parts.BuildTagged(t, parts.AdminProgram, "crash")
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		onFile(t, program).kills(fileSteps, times)
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		onRedis(t, program).kills(redisSteps, times)
	})
}

// holdEvery is how many rounds have one in which the receiver takes and does not answer: the kill of the next one comes while
// something is under way. It has no factor in common with the number of steps, so that each of them is met like that.
const holdEvery = 5

// tally counts what the kills at one step left.
type tally struct{ made, notMade, answered int }

// kills ends the admin so often at each of the steps, each time in a change of its own, which the client then asks for
// again. Whatever the step, the change is all there or not at all; once asked for again, it is there once.
func (s *scene) kills(steps []string, times int) {
	s.t.Helper()
	s.begin()
	tallies := map[string]*tally{}
	for round := range times * len(steps) {
		step := steps[round%len(steps)]
		if tallies[step] == nil {
			tallies[step] = &tally{}
		}
		s.killOnce(round+round/len(steps), round, step, tallies[step])
	}
	s.admin.Kill()
	s.look()
	for round := range times * len(steps) {
		require.Equal(s.t, reasonOf(round), s.reader.seen[round], "every entry is read once, in the order of the log")
	}
	require.Len(s.t, s.reader.seen, times*len(steps))
	s.start()
	s.told.await()
	s.admin.Stop()
	s.look()
	s.told.judge()
	for _, step := range steps {
		n := tallies[step]
		s.t.Logf("%-16s %d kills: the change was there %d times, not there %d times; the client had its answer %d times",
			step, n.made+n.notMade, n.made, n.notMade, n.answered)
	}
}

// begin has the admin make its store and leaves it running. What happened before an endpoint of a file had its place in
// the log is not for it: the first change comes after that.
func (s *scene) begin() {
	s.t.Helper()
	for limit := time.Now().Add(patience); s.told == nil; {
		require.True(s.t, time.Now().Before(limit), "the endpoint has no place in the log")
		s.start()
		s.admin.Stop()
		s.found()
	}
	s.start()
}

// found looks at the store that the admin made.
func (s *scene) found() {
	s.t.Helper()
	store, done := s.open()
	defer done()
	if !begun(s.t, store) {
		return
	}
	doc, err := store.Load(s.t.Context())
	require.NoError(s.t, err)
	s.reader = newReader(s.t, doc)
	s.told = &told{t: s.t, receiver: s.receiver, reader: s.reader}
	s.told.weigh(store)
}

// look reads what the store has while the admin is down: the log, and what is still to be sent of it.
func (s *scene) look() {
	s.t.Helper()
	store, done := s.open()
	defer done()
	s.reader.read(store)
	s.told.weigh(store)
}

// killOnce is one round; the turn says what kind of change it makes.
func (s *scene) killOnce(turn, round int, step string, n *tally) {
	s.t.Helper()
	reason, key := reasonOf(round), fmt.Sprintf("key %d", round)
	c := changeOf(turn, round, reason)
	if round%holdEvery == 0 {
		s.receiver.hold()
	}
	s.arm(step)
	_, failed := s.call(c, key)
	s.await(step)
	if round%holdEvery == 1 {
		s.receiver.release()
	}
	s.look()
	made := s.reader.times(reason)
	require.LessOrEqual(s.t, made, 1)
	if failed == nil {
		n.answered++
		require.Equal(s.t, 1, made, "what was acknowledged is there")
	}
	n.made += made
	n.notMade += 1 - made

	s.start()
	duplicate, err := s.call(c, key)
	require.NoError(s.t, err)
	require.Equal(s.t, made == 1, duplicate, "a change that is there is not made again, and one that is not is made (%s)", step)
	if round%holdEvery == 0 {
		life := s.life()
		require.Eventually(s.t, func() bool { return s.receiver.holds(life) }, patience, 5*time.Millisecond, "nothing is sent")
	}
	if round%holdEvery == 3 {
		s.settle()
	}
}

// settle lets a life send all that it owes, and stops it: then nothing that came is owed. Lives that end in a kill are so
// short that some get no lease.
func (s *scene) settle() {
	s.t.Helper()
	s.told.await()
	s.admin.Stop()
	s.look()
	require.Zero(s.t, s.told.again, "what was delivered before a stop is owed")
	s.start()
}

func reasonOf(round int) string { return fmt.Sprintf("round %d", round) }
