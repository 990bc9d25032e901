package state_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestDisableAndScheduleAreOne(t *testing.T) {
	tests := []struct{ name, script string }{
		{"disabled to the end, then what was there before", `
			maintenance GET:/a
			disable GET:/a reason=x
			clock +2s
			schedule GET:/a start=+1s end=+2h reason=x
			= record disable GET:/a disabled->disabled until +2h0m0s
			GET /a is disabled
			cancel GET:/a
			= changed false
			clock +119m
			GET /a is disabled
			clock +1m
			GET /a is maintenance
		`},
		{"sent twice it is the same", `
			disable GET:/a
			disable GET:/a
			schedule GET:/a start=+0s end=+1h
			= changed true
			schedule GET:/a start=+0s end=+1h
			= changed false
			clock +1h
			GET /a is active
		`},
		{"what was opened inside the block before is open again after it", `
			maintenance /v1/**
			enable GET:/v1/a
			disable /v1/**
			= reclosed GET:/v1/a
			schedule /v1/** start=+0s end=+1h
			GET /v1/a is disabled
			clock +1h
			GET /v1/a is active
			GET /v1/b is maintenance
		`},
		{"another reason, another actor, too late or too far ahead is a window of its own", `
			disable GET:/a reason=x
			schedule GET:/a start=+0s end=+1h reason=y
			= action schedule
			@bob schedule GET:/a start=+0s end=+2h reason=x
			= action schedule
			schedule GET:/a start=+301s end=+3h reason=x
			= action schedule
			clock +11s
			schedule GET:/a start=+0s end=+4h reason=x
			= action schedule
			clock +100h
			GET /a is disabled
		`},
		{"after ten seconds and within five minutes still", `
			disable GET:/a
			clock +10s
			schedule GET:/a start=+300s end=+1h
			= action disable
			GET /a is disabled
			clock +1h
			GET /a is active
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestWhichKeyIsMeant(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a bare path is the one METHOD:path key that there is", `
			register POST:/pay
			maintenance /pay
			= target POST:/pay
			= narrowed true
			GET /pay is active
			POST /pay is maintenance
		`},
		{"several are ambiguous, and ANY names every method", `
			register POST:/pay
			register GET:/pay
			! maintenance /pay | is ambiguous
			! enable /pay | is ambiguous
			maintenance ANY:/pay
			= target /pay
			GET /pay is maintenance
			enable /pay
			= target /pay
			= cleared standing
			forget /pay
			! enable /pay | is ambiguous
		`},
		{"ANY is every method also where one key exists", `
			register POST:/pay
			maintenance ANY:/pay
			= target /pay
			= narrowed false
		`},
		{"forgetting a path twice does not forget another key", `
			register POST:/pay
			deprecate ANY:/pay
			forget /pay
			= changed true
			forget /pay
			= changed false
			= note nothing was forgotten: the key is POST:/pay
			= target /pay
			forget POST:/pay
			= changed true
		`},
		{"the same after a service prefix, and for that service alone", `
			register orders:POST:/pay
			maintenance orders:/pay
			= target orders:POST:/pay
			maintenance /pay
			= target /pay
		`},
		{"the first spelling is shown", `
			register GET:/users/{user_id}
			maintenance GET:/users/{id}
			= shown GET:/users/{user_id}
		`},
		{"nobody saw it: known is false once", `
			maintenance GET:/a
			= known false
			enable GET:/a
			= known true
			maintenance /**
			= known true
			maintenance /b/**
			= known false
		`},
		{"a service is known by a key or a switch", `
			enable @@orders
			= known false
			disable @@orders
			= known true
			register pay:GET:/a
			enable @@pay
			= known true
			enable @@global
			= known true
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestStrictRoutes(t *testing.T) {
	d := newDesk(t)
	d.run(`maintenance GET:/named`)
	d.by.Strict = true
	d.by.Seen = func(k state.Key) bool { return k.Path == "/seen" }
	d.run(`
		register GET:/declared
		! maintenance GET:/typo | nobody declared or saw this route
		! maintenance /typo/** | nobody declared or saw this route
		maintenance GET:/declared
		maintenance GET:/seen
		enable GET:/named
		maintenance ANY:/declared
	`)
	_, _, err := d.execute("alice", d.command(strings.Fields("maintenance GET:/typo")))
	require.ErrorIs(t, err, state.ErrUnknownKey)
}

func TestAmbiguousErrorNamesTheKeys(t *testing.T) {
	d := newDesk(t)
	d.run("register POST:/users/{id}\nregister GET:/users/{id}")
	s, err := state.ParseSpelling("/users/{x}")
	require.NoError(t, err)
	_, _, err = d.doc.Resolve(s)
	var ambiguous *state.AmbiguousError
	require.ErrorAs(t, err, &ambiguous)
	require.Equal(t, []string{"GET:/users/{id}", "POST:/users/{id}"}, ambiguous.Matches)
	require.Equal(t, "/users/{x}", ambiguous.Path)
}

func TestSeveralCommandsAreOneChange(t *testing.T) {
	d := newDesk(t)
	outs := d.do("alice", d.command(strings.Fields("maintenance GET:/a")), d.command(strings.Fields("disable GET:/b")),
		d.command(strings.Fields("enable GET:/c")), d.command(strings.Fields("register GET:/d")))
	require.Len(t, outs, 4)
	require.Len(t, d.made.Records, 3)
	require.Equal(t, state.KindChange, d.made.Kind)
	_, _, err := d.execute("alice", d.command(strings.Fields("enable GET:/a")), d.command(strings.Fields("disable GET:/b end=-1h")))
	require.ErrorContains(t, err, "change 2 of 2 (disable GET:/b): the end")
	var invalid *state.InvalidError
	require.ErrorAs(t, err, &invalid)
	d.run("GET /a is maintenance\nregister GET:/e")
	require.Equal(t, state.KindRegister, d.made.Kind)
}

func TestAnUntilThatEndedLeavesNothing(t *testing.T) {
	d := newDesk(t)
	d.run(`
		maintenance GET:/a end=+1h
		clock +1h
		state GET:/a is active
	`)
	require.Empty(t, d.state("GET:/a").Windows)
	d.run(`
		clock +2h
		announce
		deprecate GET:/a
	`)
	for w := range d.doc.Windows() {
		require.Fail(t, "a window is left", "%+v", w)
	}
}

func TestCancelWindowByID(t *testing.T) {
	d := newDesk(t)
	d.run("schedule GET:/a start=+1h end=+2h")
	first := d.out.WindowID
	d.run("schedule GET:/a start=+3h end=+4h\ncancel_window " + first + "\n= record schedule_cancel GET:/a active->active until -")
	d.run("! cancel_window " + first + " | not found\nclock +90m\nGET /a is active\nclock +2h\nGET /a is maintenance")
	d.run("maintenance GET:/b end=+1h")
	d.run("! cancel_window " + d.out.WindowID + " | end it, or enable GET:/b")
}

func TestRecurringOccurrences(t *testing.T) {
	d := newDesk(t)
	d.run("register GET:/v1/a\nregister ANY:/v1/**")
	w := state.Window{
		ID: "r", Target: state.Target{Key: state.Key{Path: "/v1/**"}}, Start: d.now, Effect: state.EffectMaintenance,
		Origin: state.OriginWindow, Recurs: &state.Recurrence{Rule: "RRULE:FREQ=DAILY"},
		Occurrences: []state.Occurrence{
			{Start: d.now, End: d.now.Add(time.Hour)},
			{Start: d.now.Add(24 * time.Hour), End: d.now.Add(25 * time.Hour)},
		},
	}
	p := state.Patch{}
	require.NoError(t, p.SetWindow(w))
	var err error
	d.doc, err = d.doc.With(p, d.doc.Meta)
	require.NoError(t, err)
	d.run(`
		enable GET:/v1/a
		= cleared excepted
		= next +24h0m0s
		GET /v1/a is active
		GET /v1/b is maintenance
		enable ANY:/v1/**
		= cleared window
		= next +24h0m0s
		GET /v1/b is active
		clock +24h
		GET /v1/a is maintenance
		cancel ANY:/v1/**
		GET /v1/a is active
	`)
}
