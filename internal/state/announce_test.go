package state_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestWhatWindowsDoIsAnnouncedOnce(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a window: ahead of its start, its start, ahead of its end, its end", `
			add_window GET:/a start=+1h end=+2h
			announce
			= announced -
			clock +45m
			announce
			= announced window_upcoming GET:/a active->active due 0s
			clock +15m
			announce
			= announced maintenance_on GET:/a active->maintenance due 0s
			clock +50m
			announce
			= announced window_ending GET:/a maintenance->maintenance due 0s
			clock +10m
			announce
			= announced maintenance_off GET:/a maintenance->active due 0s
		`},
		{"late, all of it, in its order", `
			add_window GET:/a start=+1h end=+2h
			clock +10h
			announce
			= announced window_upcoming GET:/a active->active due -9h15m0s; maintenance_on GET:/a active->maintenance due -9h0m0s; window_ending GET:/a maintenance->maintenance due -8h10m0s; maintenance_off GET:/a maintenance->active due -8h0m0s
		`},
		{"what was so when it was made is not announced", `
			add_window GET:/a start=-1m end=+5m
			announce
			= announced -
			add_window GET:/b start=+10m end=+12m
			clock +10m
			announce
			= announced maintenance_off GET:/a maintenance->active due -5m0s; maintenance_on GET:/b active->maintenance due 0s
		`},
		{"the end says what still blocks", `
			add_window GET:/a start=+1h end=+2h
			disable GET:/a
			clock +2h
			announce
			= announced window_upcoming GET:/a disabled->disabled due -1h15m0s; maintenance_on GET:/a disabled->disabled due -1h0m0s; window_ending GET:/a disabled->disabled due -10m0s; maintenance_off GET:/a disabled->disabled due 0s
		`},
		{"an until of a disable ends with enable", `
			disable GET:/a end=+5m
			clock +5m
			announce
			= announced enable GET:/a disabled->active due 0s
		`},
		{"a window ended by a command has no second end", `
			add_window GET:/a start=+1h end=+2h
			add_window GET:/b rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h
			clock +1h
			announce
			enable GET:/a
			enable GET:/b
			clock +2h
			announce
			= announced -
		`},
		{"one that was extended ends when it does", `
			maintenance GET:/a end=+1h
			clock +55m
			announce
			= announced window_ending GET:/a maintenance->maintenance due -5m0s
			change_window $ end=+1h
			clock +55m
			announce
			= announced window_ending GET:/a maintenance->maintenance due -5m0s
		`},
		{"switches", `
			add_window @@global start=+1h end=+2h
			enable @@orders end=+1h
			clock +1h
			announce
			= announced window_upcoming __global__ active->active due -15m0s; window_ending __waygate:svc_global:orders__ maintenance->maintenance due -10m0s; service_maintenance_off __waygate:svc_global:orders__ maintenance->active due 0s; global_maintenance_on __global__ active->maintenance due 0s
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestTheNextMomentIsTheNextThatIsDue(t *testing.T) {
	d := newDesk(t)
	require.Zero(t, d.doc.NextMoment(leads))
	d.run("add_window GET:/a start=+1h end=+2h")
	for _, want := range []time.Duration{45 * time.Minute, time.Hour, 110 * time.Minute, 2 * time.Hour} {
		require.Equal(t, epoch0.Add(want), d.doc.NextMoment(leads))
		d.now = epoch0.Add(want)
		require.Len(t, d.doc.Due(leads, d.now), 1)
		d.run("announce")
	}
	require.Zero(t, d.doc.NextMoment(leads))
}

func TestTheHorizonMovesOn(t *testing.T) {
	d := newDesk(t)
	d.run(`
		add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h
		cancel_window $ occurrence=+73h
	`)
	require.Equal(t, epoch0.Add(26*time.Hour), d.doc.Horizon())
	day := func(n int) state.Occurrence {
		start := epoch0.Add(time.Hour + time.Duration(n)*24*time.Hour)
		return state.Occurrence{Start: start, End: start.Add(time.Hour)}
	}
	d.run("clock +3h\nannounce")
	c, failed := state.Extend(d.doc, d.now, epoch0.Add(100*time.Hour), func(w *state.Window) (state.Expansion, error) {
		require.Equal(t, "GET:/a", w.Target.String())
		return state.Expansion{Occurrences: []state.Occurrence{day(1), day(2), day(3), day(4)}, Through: epoch0.Add(120 * time.Hour)}, nil
	})
	require.Empty(t, failed)
	require.Equal(t, state.KindHorizon, c.Kind)
	require.Empty(t, c.Records)
	var err error
	d.doc, err = d.doc.With(c.Patch, state.Meta{Epoch: "e", Rev: 3})
	require.NoError(t, err)
	w, _ := d.doc.Window(d.last)
	require.Equal(t, []state.Occurrence{day(1), day(2), day(4)}, w.Occurrences, "what is over goes, what was cancelled stays away")
	require.Empty(t, w.Skipped)
	require.Equal(t, epoch0.Add(120*time.Hour), d.doc.Horizon())

	c, failed = state.Extend(d.doc, d.now, epoch0.Add(100*time.Hour), nil)
	require.Empty(t, failed)
	require.Empty(t, c.Patch, "far enough")
	broken := errors.New("no such zone")
	c, failed = state.Extend(d.doc, d.now, epoch0.Add(200*time.Hour), func(*state.Window) (state.Expansion, error) {
		return state.Expansion{}, broken
	})
	require.Equal(t, map[string]error{d.last: broken}, failed)
	require.Empty(t, c.Patch)
}
