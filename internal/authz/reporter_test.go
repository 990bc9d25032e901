package authz

import (
	"context"
	"errors"
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
	reports []state.Report
	at      []time.Time
	down    bool
}

func (f *fleet) Report(ctx context.Context, r state.Report) error {
	if f.down {
		<-ctx.Done()
		return errors.New("nobody answers")
	}
	f.reports, f.at = append(f.reports, r), append(f.at, time.Now())
	return nil
}

func (f *fleet) last() state.Report { return f.reports[len(f.reports)-1] }

func TestAnInstanceReportsEverySecondAndAfterEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := state.FollowStatus{Meta: state.Meta{Epoch: "e", Rev: 42}, Link: state.LinkConnected}
		f := &fleet{}
		core, logs := observer.New(zap.InfoLevel)
		s := newTestServer(t, gate(t), Options{})
		r := NewReporter(state.Report{ID: "one", Version: "v", Service: "orders"}, s, func() state.FollowStatus { return at }, f, zap.New(core))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			r.Run(ctx)
			close(done)
		}()
		synctest.Wait()
		require.Len(t, f.reports, 1)
		require.Equal(t, state.Report{
			ID: "one", Boot: s.Boot(), Version: "v", Service: "orders", Epoch: "e", Rev: 42, Link: "connected",
			Hits: map[string]uint64{}, Unseen: map[string]uint64{},
		}, f.last())

		s.Check(wire(t, asked("GET", "/payments", nil)), noon)
		at.Rev = 43
		r.Applied()
		synctest.Wait()
		require.Len(t, f.reports, 2, "at once")
		require.Equal(t, uint64(43), f.last().Rev)
		require.Equal(t, []uint64{1, 1, 0}, []uint64{f.last().Checks, f.last().Refused, f.last().Unreadable})
		require.Equal(t, map[string]uint64{"GET:/payments": 1}, f.last().Hits)

		time.Sleep(3*time.Second + time.Millisecond)
		synctest.Wait()
		require.Len(t, f.reports, 5)
		require.Equal(t, time.Second, f.at[4].Sub(f.at[3]))

		// Nobody answers for a while: it is logged once, and never holds up more than a report.
		f.down = true
		time.Sleep(3 * time.Second)
		f.down = false
		at.Alarm = "the store is empty"
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, "the store is empty", f.last().Alarm)
		require.Equal(t, 1, logs.FilterMessage("reports to the fleet do not arrive").Len())
		require.Equal(t, 1, logs.FilterMessage("reports to the fleet arrive again").Len())

		cancel()
		<-done
		require.False(t, f.last().Bye)
		r.Bye(t.Context())
		require.True(t, f.last().Bye)
	})
}
