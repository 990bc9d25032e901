package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandsOnWindows(t *testing.T) {
	tests := []struct{ name, script string }{
		{"any number of windows on one key; the strictest speaks, and ending one leaves the others", `
			add_window GET:/a start=+1h end=+3h reason=one
			= record schedule GET:/a active->active until +3h0m0s
			add_window GET:/a start=+2h end=+4h effect=disabled reason=two
			GET /a is active
			clock +1h
			GET /a is maintenance
			clock +1h
			GET /a is disabled
			end_window $
			= record enable GET:/a disabled->maintenance until -
			= still GET:/a:maintenance
			GET /a is maintenance
			clock +1h
			GET /a is active
		`},
		{"a window without a start begins now and is none of the untils", `
			add_window GET:/a end=+1h
			= record maintenance_on GET:/a active->maintenance until +1h0m0s
			cancel GET:/a
			GET /a is active
		`},
		{"read-only refuses what writes and lets the rest pass", `
			add_window /a end=+1h effect=read_only
			= note read-only: requests by GET, HEAD and OPTIONS pass
			GET /a is active
			HEAD /a is active
			POST /a is maintenance
			DELETE /a is maintenance
			GET /a?_method=POST is maintenance
			state /a is maintenance
			state GET:/a is active
			state POST:/a is maintenance
			enable GET:/a
			= changed false
			POST /a is maintenance
			enable ANY:/a
			= cleared window
			POST /a is active
			! add_window GET:/a end=+1h effect=read_only | changes nothing
		`},
		{"gone is a kind of disabled", `
			add_window /old start=+1h end=+2h effect=gone
			clock +1h
			GET /old is disabled
			end_window $
			= record enable /old disabled->active until -
		`},
		{"exceptions of its own", `
			add_window /v1/** end=+1h except=/v1/health
			= open_inside /v1/health
			GET /v1/health is active
			GET /v1/a is maintenance
			add_window /v1/** end=+1h except=/v1/health
			= changed false
			! add_window /v1/** end=+1h except=/v1/other | the same but for its exceptions
			add_window /v1/** end=+1h ticket=https://tickets.example/2
			= changed true
			add_window /v1/** end=+1h
			= changed false
			! change_window $ occurrence=+30h end=+3h | no occurrence
			! change_window nobody end=+3h | not found
		`},
		{"a window on everything that is there is not taken for one that includes protected routes", `
			register GET:/pay protected
			add_window @@global end=+1h
			! add_window @@global end=+1h include | the same, but for whether protected routes
		`},
		{"a key under a window that recurs is not declared protected, whatever is known of that", `
			add_window /a/** rule=RRULE:FREQ=DAILY at=+1h..+2h
			cancel_window $ occurrence=+1h
			! protect /a/b | in force
			register /a/b protected
			= note declared protected (force_active), stored unprotected: a window that recurs on /a/** blocks it
		`},
		{"a window is changed: extended, shortened, moved, named anew", `
			add_window GET:/a start=+1h end=+2h reason=old
			change_window $ end=+3h
			= record schedule_change GET:/a active->active until +3h0m0s
			change_window $ end=+3h
			= changed false
			change_window $ start=+90m retitle=new ticket=https://tickets.example/1
			= record schedule_change GET:/a active->active until +3h0m0s
			clock +1h
			GET /a is active
			clock +30m
			GET /a is maintenance
			! change_window $ start=+10m | only its end can be changed
			! change_window $ end=-1m | is not after the start
			! change_window $ end=+0s | is not after the start
			clock +1m
			! change_window $ end=-30s | is not in the future
			change_window $ end=+10m
			clock +10m
			GET /a is active
			! change_window $ end=+1h | not found
			! end_window $ | not found
		`},
		{"an until is extended and ended by its id, and never cancelled", `
			maintenance GET:/a end=+1h
			change_window $ end=+2h
			clock +1h
			GET /a is maintenance
			! cancel_window $ | end it, or enable GET:/a
			end_window $
			= record maintenance_off GET:/a maintenance->active until -
			GET /a is active
		`},
		{"a window that does not run cannot be ended", `
			add_window GET:/a start=+1h end=+2h
			! end_window $ | cancel it
			! end_window nobody | not found
		`},
		{"a protected key keeps its windows", `
			add_window GET:/a start=+1h end=+2h
			! protect GET:/a | in force
			register GET:/b protected
			! add_window GET:/b start=+1h end=+2h | protected
		`},
		{"what cannot be a window is refused", `
			! add_window GET:/a start=+2h end=+1h | is not after the start
			! add_window GET:/a start=-2h end=-1h | not in the future
			! add_window GET:/a end=+1h effect=teapot | no effect
			! add_window GET:/a end=+1h include | for protected routes
			! add_window GET:/a rule=RRULE:FREQ=DAILY at=-2h..-1h | still to come
			! add_window GET:/a rule=RRULE:FREQ=DAILY at=+2h..+3h,+1h..+2h | rising order
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestCommandsOnRecurringWindows(t *testing.T) {
	tests := []struct{ name, script string }{
		{"one occurrence is cancelled, extended, ended; the others stay", `
			add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h,+49h..+50h
			= record schedule GET:/a active->active until -
			cancel_window $ occurrence=+25h
			= record schedule_cancel GET:/a active->active until -
			! cancel_window $ occurrence=+25h | no occurrence
			! cancel_window $ occurrence=+5h | no occurrence
			clock +1h
			GET /a is maintenance
			change_window $ end=+2h
			clock +1h
			GET /a is maintenance
			end_window $
			GET /a is active
			clock +23h
			GET /a is active
			clock +24h
			GET /a is maintenance
			! change_window $ start=+1h | keeps its start
			cancel_window $
			GET /a is active
			! cancel_window $ | not found
		`},
		{"an end is moved by some time", `
			add_window GET:/a end=+1h
			change_window $ by=30m
			= record schedule_change GET:/a maintenance->maintenance until +1h30m0s
			change_window $ by=-1h
			! change_window $ by=-1h | is not after the start
			! change_window $ by=1h end=+2h | one of them
			clock +30m
			! change_window $ by=1h | not found
			add_window GET:/a start=+1h
			! change_window $ by=1h | no end that could be moved
		`},
		{"an end of an occurrence is moved by some time", `
			add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h
			change_window $ by=30m
			change_window $ occurrence=+25h by=-30m
			= record schedule_change GET:/a active->active until +25h30m0s
			clock +2h
			GET /a is maintenance
		`},
		{"of occurrences that overlap, a change is about the one that began last, however often it is given", `
			add_window GET:/a rule=RRULE:FREQ=HOURLY at=+0m..+80m,+60m..+140m
			clock +70m
			change_window $ end=+5m
			= changed true
			change_window $ end=+5m
			= changed false
			clock +5m
			GET /a is maintenance
			clock +5m
			GET /a is active
		`},
		{"an occurrence beyond what is known is remembered as cancelled", `
			add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h
			cancel_window $ occurrence=+100h
			= changed true
			cancel_window $ occurrence=+100h
			= changed false
			! change_window $ occurrence=+100h end=+102h | are known up to
			! change_window $ occurrence=+90m end=+102h | has no occurrence
		`},
		{"what an occurrence leaves alone is told when the window is asked for again", `
			add_window /a/** rule=RRULE:FREQ=DAILY at=+0h..+1h except=/a/b
			enable /a/c
			add_window /a/** rule=RRULE:FREQ=DAILY at=+0h..+1h
			= open_inside /a/b /a/c
		`},
		{"the same rule again is the same window", `
			add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h reason=x
			add_window GET:/a rule=RRULE:FREQ=DAILY at=+1h..+2h,+25h..+26h reason=x
			= changed false
			add_window GET:/a rule=RRULE:FREQ=WEEKLY at=+1h..+2h reason=x
			= changed true
		`},
		{"a series of which nothing is left to come is not the same as one that is asked for anew", `
			add_window GET:/a rule=RRULE:FREQ=DAILY;COUNT=2 at=+1h..+2h,+25h..+27h finished
			clock +25h
			end_window $
			add_window GET:/a rule=RRULE:FREQ=DAILY;COUNT=2 at=+0h..+2h finished
			= changed true
			GET /a is maintenance
		`},
		{"one that is finished goes with its last occurrence", `
			add_window GET:/a rule=RRULE:FREQ=DAILY;COUNT=1 at=+0h..+1h finished
			= record maintenance_on GET:/a active->maintenance until -
			enable GET:/a
			= cleared window
			! cancel_window $ | not found
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestWindowsOnSwitches(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a window on everything has exemptions and a flag of its own", `
			register GET:/pay protected
			enable @@global exempt=/old end=+1h
			add_window @@global start=+2h end=+3h except=/health
			= record schedule __global__ maintenance->maintenance until +3h0m0s
			GET /old is active
			GET /health is maintenance
			clock +2h
			GET /old is maintenance
			GET /health is active
			GET /pay is active
			add_window @@global end=+1h include effect=disabled
			= record global_maintenance_on __global__ maintenance->maintenance until +1h0m0s
			GET /pay is disabled
		`},
		{"what runs is ended by disable, and what is to come stays", `
			add_window @@orders end=+1h
			add_window @@orders start=+2h end=+3h
			GET /a service=orders is maintenance
			GET /a service=other is active
			disable @@orders
			GET /a service=orders is active
			clock +2h
			GET /a service=orders is maintenance
			end_window $
			= record service_maintenance_off __waygate:svc_global:orders__ maintenance->active until -
		`},
		{"exemptions in force are those of the enable and of the window that runs", `
			add_window @@global end=+1h except=/a
			exempt @@global add=/b
			= record exempt __global__ maintenance->maintenance until -
			GET /a is active
			GET /b is active
			exempt @@global remove=/a
			GET /a is maintenance
			enable @@global exempt=/b,/c
			GET /b is active
			GET /c is maintenance
			exempt @@global add=/c
			GET /c is active
		`},
		{"of a window that recurs, those of the occurrence", `
			add_window @@global rule=RRULE:FREQ=DAILY at=+0h..+1h,+24h..+25h except=/a
			exempt @@global add=/b
			GET /b is active
			! exempt @@global remove=/a | exception of every occurrence
			exempt @@global remove=/b
			exempt @@global add=/b
			clock +24h
			GET /a is active
			GET /b is maintenance
		`},
		{"a window tells what stays open: its exceptions and what is protected, the second time too", `
			register GET:/pay protected
			add_window @@global end=+1h except=/health
			= open_inside /health GET:/pay
			exempt @@global add=/b
			add_window @@global end=+1h
			= changed false
			= open_inside /b /health GET:/pay
			add_window @@orders end=+1h include
			= open_inside -
		`},
		{"what is removed and added again stays", `
			add_window @@global end=+1h
			exempt @@global add=/a,/b remove=/a
			= changed true
			exempt @@global add=/a,/b remove=/a
			= changed false
		`},
		{"everything read-only", `
			add_window @@global end=+1h effect=read_only except=POST:/login
			GET /a is active
			POST /a is maintenance
			POST /login is active
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestASwitchShowsTheExemptionsThatHold(t *testing.T) {
	d := newDesk(t)
	d.run(`
		enable @@global exempt=/a,/b
		add_window @@global end=+1h except=/b,/c include
	`)
	st := d.snapshot().Document().GlobalState(d.now)
	require.Equal(t, []string{"/b"}, st.ExemptPaths)
	require.True(t, st.IncludeForceActive)
	d.run("disable @@global")
	st = d.snapshot().Document().GlobalState(d.now)
	require.Empty(t, st.ExemptPaths)
	require.False(t, st.Enabled || st.IncludeForceActive)
}
