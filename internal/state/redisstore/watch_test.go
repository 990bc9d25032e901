package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// noticed is how long it may take until a watch notices that the other side is gone without a word.
const noticed = 3 * time.Second

// atOnce is sooner than the store would notice a silent server, or give up on it, by itself.
const atOnce = 2 * time.Second

func TestWatchNoticesThatTheOtherSideIsSilent(t *testing.T) {
	t.Parallel()
	server := parts.Redis(t)
	direct := admin(t, server.URL(), "silent")
	base := statetest.Seeded(t, direct)
	w := newWire(t, server.Addr())
	for _, test := range []struct {
		name         string
		silence, end func()
	}{
		{"a network that drops everything", func() { w.silent.Store(true) }, func() { w.silent.Store(false) }},
		{"a server that is paused", server.Pause, server.Resume},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := admin(t, w.url(), "silent")
			watching := watch(t, s)
			base = statetest.After(base, statetest.Commit(t, direct, statetest.Block(t, "GET:/a", test.name)))
			require.Equal(t, base.Rev, (<-watching.frames).Rev)
			test.silence()
			after, err := watching.end(t)
			test.end()
			require.ErrorIs(t, err, state.ErrUnavailable)
			require.Less(t, after, noticed)
			// The next one works again.
			watching = watch(t, s)
			base = statetest.After(base, statetest.Commit(t, direct, statetest.Block(t, "GET:/b", test.name)))
			require.Equal(t, base.Rev, (<-watching.frames).Rev)
		})
	}
}

func TestWatchOfASilentServerStopsAtOnce(t *testing.T) {
	server := parts.Redis(t)
	w := newWire(t, server.Addr())
	s := admin(t, w.url(), "stop")
	watching := watch(t, s)
	w.silent.Store(true)
	watching.cancel()
	after, err := watching.end(t)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, after, atOnce)

	// Also while it connects.
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	err = s.Watch(ctx, state.Watcher{Subscribed: func() { t.Error("confirmed by nobody") }})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(start), atOnce)
}

func TestWatchEndsWithItsConnection(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "ends"), raw(t, server)
	base := statetest.Seeded(t, s)
	for _, test := range []struct {
		name string
		do   func()
		is   error
	}{
		{"killed by an operator", func() { run(t, c, "CLIENT", "KILL", "TYPE", "pubsub") }, state.ErrUnavailable},
		{"a message that is no frame", func() { run(t, c, "PUBLISH", "{wg:ends}:ev", "junk") }, state.ErrDamaged},
		{"a frame that was tampered with", func() {
			run(t, c, "PUBLISH", "{wg:ends}:ev", `{"epoch":"e","rev":7,"prev":"`+base.Head.String()+`","head":"`+base.Head.String()+`","entry":{}}`)
		}, state.ErrDamaged},
		{"the store is seeded", func() {
			doc := state.Genesis(base.Gen + 1)
			require.NoError(t, s.Seed(t.Context(), base, doc, nil))
			base = doc.Meta
		}, state.ErrUnavailable},
		{"the server is killed", server.Kill, state.ErrUnavailable},
	} {
		watching := watch(t, s)
		test.do()
		after, err := watching.end(t)
		require.ErrorIs(t, err, test.is, test.name)
		require.Less(t, after, atOnce, test.name)
		require.Empty(t, watching.frames, test.name)
		if test.name != "the server is killed" {
			eventually(t, func() bool { return subscribers(t, c) == 0 }, "it subscribed again by itself")
		}
	}
}

// subscribers is how many subscriptions the server has: one that connected again by itself would be among them.
func subscribers(t *testing.T, c *redis.Client) int64 {
	t.Helper()
	return run(t, c, "PUBSUB", "NUMSUB", "{wg:ends}:ev").([]any)[1].(int64)
}

func TestIdleWatchStaysUp(t *testing.T) {
	t.Parallel()
	server := parts.Redis(t)
	s := admin(t, server.URL(), "idle")
	base := statetest.Seeded(t, s)
	watching := watch(t, s)
	// Longer than any silence may last: the answers to our pings are what keeps it up.
	select {
	case err := <-watching.ended:
		require.FailNow(t, "an idle watch ended", "%v", err)
	case <-time.After(noticed + time.Second):
	}
	statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x"))
	require.Equal(t, base.Rev+1, (<-watching.frames).Rev)
}

func TestWatchWorksOnAnEmptyStore(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "empty")
	watching := watch(t, s)
	statetest.Seeded(t, s)
	_, err := watching.end(t)
	require.ErrorContains(t, err, "seeded")
}

// A frame of many megabytes is one message, however long it takes within the limit.
func TestWatchTakesLargeFrames(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "large")
	base := statetest.Seeded(t, s)
	watching := watch(t, s)
	change := statetest.Block(t, "GET:/a", "x")
	for _, r := range routes(t, 20_000) {
		require.NoError(t, change.Patch.SetRoute(r))
	}
	r := statetest.Commit(t, s, change)
	require.Greater(t, len(r.Frame.Payload), 4<<20)
	select {
	case f := <-watching.frames:
		require.Equal(t, r.Frame, f)
		require.Equal(t, base.Rev+1, f.Rev)
	case err := <-watching.ended:
		require.FailNow(t, "the watch ended", "%v", err)
	case <-time.After(patience):
		require.FailNow(t, "no frame")
	}
}

// A watcher that does not read fast enough for the server's limit is cut off by it, and catches up from the log.
func TestWatcherThatIsCutOffCatchesUp(t *testing.T) {
	server := parts.Redis(t, "--client-output-buffer-limit", "pubsub 64kb 64kb 1")
	s := admin(t, server.URL(), "slow")
	base := statetest.Seeded(t, s)
	follower, _ := following(t, s)
	require.NoError(t, follower.Wait(t.Context(), base.Epoch, base.Rev))
	change := statetest.Block(t, "GET:/a", "x")
	for _, r := range routes(t, 10_000) {
		require.NoError(t, change.Patch.SetRoute(r))
	}
	r := statetest.Commit(t, s, change)
	require.Greater(t, len(r.Frame.Payload), 1<<20)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, follower.Wait(ctx, r.Frame.Epoch, r.Frame.Rev))
}
