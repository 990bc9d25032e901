package authz

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/state"
)

// fleet keeps what it is told, and when.
type fleet struct {
	mu      sync.Mutex
	reports []state.Report
	at      []time.Time
	down    bool
}

func (f *fleet) Report(ctx context.Context, r state.Report) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return errors.New("nobody answers")
	}
	f.reports, f.at = append(f.reports, r), append(f.at, time.Now())
	return nil
}

func (f *fleet) last() state.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reports[len(f.reports)-1]
}

// times are when the reports came.
func (f *fleet) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

func (f *fleet) fall(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func TestAnInstanceReportsEverySecondAndAfterEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status sync.Mutex
		at := state.FollowStatus{Meta: state.Meta{Epoch: "e", Gen: 7, Rev: 42, Head: state.Head{9}}, Link: state.LinkConnected}
		follow := func() state.FollowStatus {
			status.Lock()
			defer status.Unlock()
			return at
		}
		f := &fleet{}
		core, logs := observer.New(zap.InfoLevel)
		s := newTestServer(t, gate(t), Options{})
		r := NewReporter(state.Report{ID: "one", Version: "v", Service: "orders"}, s, follow, f, zap.New(core))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			r.Run(ctx)
			close(done)
		}()
		synctest.Wait()
		require.Len(t, f.times(), 1)
		require.Equal(t, state.Report{
			ID: "one", Boot: s.Boot(), Version: "v", Service: "orders", Epoch: "e", Gen: 7, Rev: 42, Head: state.Head{9}.String(), Link: "connected",
			Hits: map[string]uint64{}, Unseen: map[string]uint64{},
		}, f.last())

		s.Check(wire(t, asked("GET", "/payments", nil)), noon)
		status.Lock()
		at.Rev = 43
		status.Unlock()
		r.Applied()
		synctest.Wait()
		require.Len(t, f.times(), 2, "at once")
		require.Equal(t, uint64(43), f.last().Rev)
		require.Equal(t, []uint64{1, 1, 0}, []uint64{f.last().Checks, f.last().Refused, f.last().Unreadable})
		require.Equal(t, map[string]uint64{"GET:/payments": 1}, f.last().Hits)

		time.Sleep(3*time.Second + time.Millisecond)
		synctest.Wait()
		require.Len(t, f.times(), 5)
		require.Equal(t, time.Second, f.times()[4].Sub(f.times()[3]))

		// Nobody answers for a while: it is logged once, and never holds up more than a report.
		f.fall(true)
		time.Sleep(3 * time.Second)
		f.fall(false)
		status.Lock()
		at.Alarm = "the store is empty"
		at.Clock = state.ClockStatus{Skew: -400 * time.Second, Alarm: "too far"}
		status.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, "the store is empty; too far", f.last().Alarm)
		require.Equal(t, int64(-400_000), f.last().SkewMS)
		require.Equal(t, 1, logs.FilterMessage("reports to the fleet do not arrive").Len())
		require.Equal(t, 1, logs.FilterMessage("reports to the fleet arrive again").Len())

		cancel()
		<-done
		require.False(t, f.last().Bye)
		r.Bye(t.Context())
		require.True(t, f.last().Bye)
	})
}
