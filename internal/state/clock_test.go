package state_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// machine is one whose clocks may be wrong, and the store it asks. The bubble's time is the true one.
type machine struct {
	t *testing.T
	*state.Clock
	mu    sync.Mutex    // for wrong and slept, where a follower reads the clock
	wrong time.Duration // the wall clock minus the true time
	slept time.Duration // for how long the monotonic clock stood still
	store time.Duration // the store's clock minus the true time
	told  []state.ClockStatus
}

func newMachine(t *testing.T, wrong time.Duration) *machine {
	m := &machine{t: t, wrong: wrong}
	m.Clock = state.NewClock(state.ClockOptions{Local: m.local, OnChange: func(s state.ClockStatus) { m.told = append(m.told, s) }})
	return m
}

// local reads the wall clock and the monotonic clock, each as wrong as it is.
func (m *machine) local() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	const (
		hasMonotonic = 1 << 63
		since1885    = 2682288000 // seconds from there to 1970
	)
	wall, monotonic := time.Now().Add(m.wrong), time.Now().Add(-m.slept)
	// There is no other way to a time of which only one half is wrong, as a machine that was set or slept has it; and in
	// a bubble times have only one. This is how package time keeps both.
	t := struct {
		wall      uint64
		monotonic int64
		zone      *time.Location
	}{hasMonotonic | uint64(wall.Unix()+since1885)<<30 | uint64(wall.Nanosecond()), monotonic.UnixNano(), time.Local}
	return *(*time.Time)(unsafe.Pointer(&t))
}

// set makes the clocks wrong in another way.
func (m *machine) set(wrong, slept time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrong, m.slept = wrong, slept
}

// ask asks the store; the ways there and back take so long.
func (m *machine) ask(there, back time.Duration) (again bool) {
	sent := m.Local()
	time.Sleep(there)
	remote := time.Now().Add(m.store).Round(0)
	time.Sleep(back)
	return m.Observe(sent, m.Local(), remote)
}

// poll asks n times, a second apart, over a good network.
func (m *machine) poll(n int) {
	for range n {
		m.ask(200*time.Microsecond, 200*time.Microsecond)
		time.Sleep(time.Second)
	}
}

// off is by how much Now is wrong, by the store's clock.
func (m *machine) off() time.Duration { return m.Now().Sub(time.Now().Add(m.store).Round(0)) }

// right requires that Now is the store's time, within d.
func (m *machine) right(d time.Duration) {
	m.t.Helper()
	require.LessOrEqual(m.t, m.off().Abs(), d)
}

// bubble runs a test with a machine whose clock is wrong.
func bubble(t *testing.T, wrong time.Duration, test func(*testing.T, *machine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newMachine(t, wrong)) })
}

func TestClockIsTheLocalOneBeforeTheFirstSample(t *testing.T) {
	bubble(t, 90*time.Second, func(t *testing.T, m *machine) {
		require.Equal(t, 90*time.Second, m.off())
		require.Zero(t, m.Status().Skew)
		require.False(t, m.Observe(m.Local(), m.Local(), time.Time{}), "an answer without a time is no sample")
		require.Equal(t, 90*time.Second, m.off())
		require.Zero(t, m.Status())
	})
}

func TestClockCorrectsAMachine(t *testing.T) {
	for _, wrong := range []time.Duration{90 * time.Second, -90 * time.Second, 4*time.Minute + 59*time.Second, 20 * time.Millisecond} {
		t.Run(wrong.String(), func(t *testing.T) {
			bubble(t, wrong, func(t *testing.T, m *machine) {
				m.ask(time.Millisecond, time.Millisecond)
				m.right(0)
				require.Equal(t, -wrong, m.Status().Skew)
				m.poll(20)
				time.Sleep(time.Hour) // the store is away
				m.right(0)
				require.Empty(t, m.Status().Alarm)
			})
		})
	}
}

func TestClockIsTheMedian(t *testing.T) {
	bubble(t, 0, func(t *testing.T, m *machine) {
		// Whatever the ways are like, of each round trip they are all there is; more than half are short.
		for _, ways := range [][2]time.Duration{{9, 0}, {5, 5}, {5, 5}, {0, 9}, {5, 5}, {2, 8}, {5, 5}, {4, 4}, {6, 4}} {
			m.store = 30 * time.Second
			m.ask(ways[0]*time.Millisecond, ways[1]*time.Millisecond)
			time.Sleep(time.Second)
		}
		m.right(time.Millisecond)
	})
}

func TestClockHeedsLongRoundTripsOnlyWhereThereIsNothingBetter(t *testing.T) {
	bubble(t, -90*time.Second, func(t *testing.T, m *machine) {
		require.True(t, m.ask(700*time.Millisecond, 0), "the first one alone is not much")
		m.right(350 * time.Millisecond)
		require.True(t, m.ask(600*time.Millisecond, 0))
		m.right(350 * time.Millisecond)
		require.False(t, m.ask(2*time.Millisecond, 0))
		m.right(time.Millisecond)
		for range 100 { // most questions meet a store that is busy
			m.ask(700*time.Millisecond, 0)
			m.ask(0, 300*time.Millisecond)
			m.ask(time.Millisecond, 2*time.Millisecond)
			m.right(2 * time.Millisecond)
		}
		for range 20 { // and then all of them
			m.ask(400*time.Millisecond, 400*time.Millisecond)
			time.Sleep(time.Second)
			m.right(2 * time.Millisecond)
		}
	})
}

func TestClockDoesNotWanderWithNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bubble(t, 0, func(t *testing.T, m *machine) {
		way := func() time.Duration { return time.Duration(random.IntN(900)) * time.Microsecond }
		for range 500 {
			m.ask(way(), way())
			time.Sleep(time.Second)
			m.right(0)
		}
		require.Empty(t, m.told)
	})
}

func TestClockFollowsADriftingMachine(t *testing.T) {
	bubble(t, 0, func(_ *testing.T, m *machine) {
		for range 3600 { // 200 ppm, four times what a bad oscillator does
			m.ask(300*time.Microsecond, 300*time.Microsecond)
			time.Sleep(time.Second)
			m.wrong += 200 * time.Microsecond
			m.slept -= 200 * time.Microsecond
			m.right(3 * time.Millisecond)
		}
	})
}

func TestClockDoesNotMoveWhenTheMachineIsSet(t *testing.T) {
	bubble(t, -90*time.Second, func(t *testing.T, m *machine) {
		m.poll(10)
		for _, wrong := range []time.Duration{0, time.Minute, -2 * time.Minute, 0} {
			m.wrong = wrong
			m.right(0)
			require.Equal(t, -wrong, m.Status().Skew, "the skew is that of the wall clock")
			m.poll(1)
			m.right(0)
		}
		m.wrong = 30 * time.Second // in the middle of a question
		sent := m.Local()
		m.wrong = 0
		require.True(t, m.Observe(sent, m.Local(), time.Now()))
		m.right(0)
	})
}

func TestClockWakesWithTheMachine(t *testing.T) {
	for _, asleep := range []time.Duration{50 * time.Millisecond, 2 * time.Minute, 24 * time.Hour} {
		t.Run(asleep.String(), func(t *testing.T) {
			bubble(t, 10*time.Second, func(t *testing.T, m *machine) {
				m.poll(10)
				m.slept += asleep
				if asleep > state.ClockLimit {
					require.Equal(t, m.wrong, m.off(), "the wall clock of the machine is better than nothing")
				}
				require.True(t, m.ask(time.Millisecond, time.Millisecond), "the window is new")
				m.right(0)
				require.Empty(t, m.Status().Alarm)
			})
		})
	}
}

func TestClockFollowsAStoreThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{30 * time.Second, -30 * time.Second, 40 * time.Millisecond} {
		t.Run(jump.String(), func(t *testing.T) {
			bubble(t, -20*time.Second, func(t *testing.T, m *machine) {
				m.poll(10)
				before := m.off()
				m.store = jump // a failover to a machine with another clock
				require.True(t, m.ask(time.Millisecond, time.Millisecond), "one may be a mistake: it asks again")
				require.Equal(t, before-jump, m.off())
				require.True(t, m.ask(time.Millisecond, time.Millisecond), "the new window is filled")
				m.right(0)
				m.poll(10)
				m.right(0)
			})
		})
	}
}

func TestClockFollowsAMachineOfWhichBothClocksJump(t *testing.T) {
	bubble(t, 0, func(t *testing.T, m *machine) {
		m.poll(10)
		m.wrong, m.slept = 50*time.Second, -50*time.Second // a machine that was moved to another host
		m.ask(time.Millisecond, time.Millisecond)
		m.ask(time.Millisecond, time.Millisecond)
		m.right(0)
	})
}

func TestClockIgnoresASingleMistake(t *testing.T) {
	bubble(t, 0, func(t *testing.T, m *machine) {
		m.poll(10)
		for i := range 20 {
			m.store = time.Duration(i+1) * time.Minute
			require.True(t, m.ask(time.Millisecond, 0))
			m.store = 0
			m.right(0)
			require.False(t, m.ask(0, time.Millisecond))
			m.right(0)
		}
		require.Empty(t, m.told)

		// Two mistakes that do not agree are no reason either, and not asked about for ever.
		m.store = time.Minute
		require.True(t, m.ask(time.Millisecond, 0))
		m.store = 2 * time.Minute
		require.False(t, m.ask(time.Millisecond, 0))
		m.store = 0
		m.right(0)
	})
}

func TestClockStandsBeyondTheLimit(t *testing.T) {
	for _, tt := range []struct {
		wrong time.Duration
		alarm string
	}{
		{wrong: 6 * time.Minute, alarm: "the store's clock is 6m0s behind this machine's"},
		{wrong: -time.Hour, alarm: "the store's clock is 1h0m0s ahead of this machine's"},
	} {
		t.Run(tt.wrong.String(), func(t *testing.T) {
			bubble(t, tt.wrong, func(t *testing.T, m *machine) {
				m.poll(10)
				require.Equal(t, tt.wrong, m.off())
				require.Equal(t, -tt.wrong, m.Status().Skew)
				require.Contains(t, m.Status().Alarm, tt.alarm)
				require.Contains(t, m.Status().Alarm, "NTP")
				require.Equal(t, []state.ClockStatus{{Skew: -tt.wrong, Alarm: m.Status().Alarm}}, m.told, "once")
				m.wrong = 0 // NTP came to it
				m.poll(1)
				m.right(0)
				require.Empty(t, m.Status().Alarm)
				require.Len(t, m.told, 2)
			})
		})
	}
}

func TestClockDoesNotFlapAtABorder(t *testing.T) {
	tests := []struct {
		name       string
		low, high  time.Duration
		told, over int // how often it is told of a change at the border, and once it is over
		after      time.Duration
	}{
		{name: "the limit", low: 4*time.Minute + 52*time.Second, high: 5*time.Minute + time.Second, told: 1, over: 2, after: 4*time.Minute + 40*time.Second},
		{name: "a second", low: 600 * time.Millisecond, high: 1100 * time.Millisecond, told: 1, over: 2, after: 300 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.high, func(t *testing.T, m *machine) {
				for i := range 50 {
					m.wrong = tt.high
					if i%2 == 1 {
						m.wrong = tt.low
					}
					m.poll(1)
				}
				require.Len(t, m.told, tt.told)
				m.wrong = tt.after
				m.poll(1)
				require.Len(t, m.told, tt.over)
				m.right(0)
			})
		})
	}
}

func TestClockAlarmIsSteady(t *testing.T) {
	bubble(t, 10*time.Minute, func(t *testing.T, m *machine) {
		m.poll(3)
		first := m.Status().Alarm
		for range 20 {
			m.wrong += 2 * time.Second
			m.poll(1)
			require.Equal(t, first, m.Status().Alarm, "it is not another alarm with each second")
		}
		m.wrong += time.Minute
		m.poll(1)
		require.NotEqual(t, first, m.Status().Alarm)
		require.Len(t, m.told, 1)
	})
}

// A clock is read by checks while follower and commands feed it.
func TestClockIsSafeForConcurrentUse(t *testing.T) {
	c := state.NewClock(state.ClockOptions{Local: func() time.Time { return time.Now().Add(90 * time.Second) }})
	sample := func() { c.Observe(c.Local(), c.Local(), time.Now()) }
	sample()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				sample()
			}
		})
		all.Go(func() {
			for range 1000 {
				_, _ = c.Now(), c.Status()
			}
		})
	}
	all.Wait()
	require.Zero(t, testing.AllocsPerRun(1000, func() { c.Now() }))
}

func TestFollowerFeedsItsClock(t *testing.T) {
	bubble(t, 90*time.Second, func(t *testing.T, m *machine) {
		link := statetest.NewFlaky(seeded(t, "GET:/a"))
		f := state.NewFollower(link, &state.Cache{}, state.FollowerOptions{Clock: m.Clock})
		go f.Run(t.Context())
		synctest.Wait()
		m.right(0)
		require.Equal(t, state.ClockStatus{Skew: -90 * time.Second}, f.Status().Clock)
		link.Cut()
		time.Sleep(time.Hour)
		m.right(0)
		link.Heal()

		// A machine of which both clocks jump is put right by one poll, which asks twice.
		m.set(0, 90*time.Second)
		time.Sleep(4 * time.Second) // reconnecting included
		synctest.Wait()
		m.right(0)
		m.set(40*time.Second, 50*time.Second)
		time.Sleep(1300 * time.Millisecond)
		synctest.Wait()
		m.right(0)

		m.set(-time.Hour, 50*time.Second)
		time.Sleep(1300 * time.Millisecond)
		synctest.Wait()
		s := f.Status()
		require.Empty(t, s.Alarm)
		require.Contains(t, s.Clock.Alarm, "1h0m0s ahead")
		require.Equal(t, s.Clock.Alarm, s.Alarms())
		s.Alarm = "the store is empty"
		require.Equal(t, "the store is empty; "+s.Clock.Alarm, s.Alarms())
	})
}
