package state_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCommandsOnSwitches(t *testing.T) {
	tests := []struct{ name, script string }{
		{"the global switch shuts everything but what is exempt", `
			enable @@global reason=deploy exempt=/health,GET:/readiness
			= record global_maintenance_on __global__ active->maintenance until -
			= open_inside /health GET:/readiness
			GET /a is maintenance
			POST /health is active
			GET /readiness is active
			POST /readiness is maintenance
			disable @@global
			= record global_maintenance_off __global__ maintenance->active until -
			GET /a is active
		`},
		{"a service's switch shuts that service", `
			enable @@orders
			= record service_maintenance_on __waygate:svc_global:orders__ active->maintenance until -
			GET /a service=orders is maintenance
			GET /a service=pay is active
			disable @@orders
			= action service_maintenance_off
			GET /a service=orders is active
		`},
		{"what stood below is there again", `
			disable GET:/a
			deprecate GET:/b
			enable @@global
			GET /b is maintenance
			disable @@global
			GET /a is disabled
			GET /b is deprecated
		`},
		{"an exemption lifts only the switch that carries it", `
			enable @@global exempt=/a
			enable @@orders
			GET /a service=orders is maintenance
			GET /a service=pay is active
			maintenance ANY:/a
			GET /a service=pay is maintenance
		`},
		{"repeating changes nothing; enabling again replaces reason, exemptions and flag", `
			enable @@global reason=x exempt=/a,/b include
			enable @@global reason=x exempt=/b,/a include
			= changed false
			enable @@global reason=y exempt=/b
			= changed true
			GET /a is maintenance
			GET /b is active
			enable @@global reason=y
			GET /b is maintenance
			disable @@global
			disable @@global
			= changed false
		`},
		{"with an end it opens by itself", `
			enable @@global end=+1h
			= record global_maintenance_on __global__ active->maintenance until +1h0m0s
			enable @@global end=+1h
			= changed false
			GET /a is maintenance
			clock +1h
			GET /a is active
			disable @@global
			= changed false
		`},
		{"a standing part below stays", `
			enable @@global reason=x
			enable @@global reason=y end=+1h
			clock +1h
			GET /a is maintenance
			disable @@global
			GET /a is active
		`},
		{"disable ends both parts", `
			enable @@global
			enable @@global end=+1h
			disable @@global
			GET /a is active
		`},
		{"somebody else's switch is named", `
			@bob enable @@global reason=migration
			= replaced -
			clock +1m
			enable @@global reason=deploy
			= replaced bob migration +-1m0s
			clock +1m
			@bob disable @@global
			= replaced alice deploy +-1m0s
			@bob enable @@global
			@bob disable @@global
			= replaced -
		`},
		{"while it is on, exempt changes the list in force", `
			enable @@global exempt=/a
			exempt @@global add=/b remove=/a
			= record exempt __global__ maintenance->maintenance until -
			exempt @@global add=/b remove=/a
			= changed false
			GET /a is maintenance
			GET /b is active
		`},
		{"while it is off, exempt stages the list for the next enable that names none", `
			exempt @@global add=/a,/b
			= record exempt __global__ active->active until -
			exempt @@global remove=/b
			GET /c is active
			enable @@global
			GET /a is active
			GET /b is maintenance
			enable @@global
			= changed false
			GET /a is active
			disable @@global
			enable @@global
			GET /a is maintenance
		`},
		{"an enable that names some drops the staged list", `
			exempt @@global add=/a
			enable @@global exempt=/b
			GET /a is maintenance
			disable @@global
			enable @@global
			GET /a is maintenance
		`},
		{"a disable while it is off keeps the staged list", `
			exempt @@global add=/a
			disable @@global
			= changed false
			enable @@global
			GET /a is active
		`},
		{"a staged list that was taken is spent when its switch opened by itself", `
			exempt @@global add=/a
			enable @@global end=+1h
			GET /a is active
			clock +1h
			enable @@global
			GET /a is maintenance
			clock +1h
			disable @@global
			exempt @@global add=/b
			enable @@global
			GET /a is maintenance
			GET /b is active
		`},
		{"what a switch cannot do is refused", `
			! enable @@global end=-1h | not in the future
			! enable @@global start=+1h end=+2h | add a window to shut it later
			! maintenance @@global | cannot be done to a switch
			! enable @@Orders | cannot name a service
			! enable @@get | is a method
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestSwitchState(t *testing.T) {
	d := newDesk(t)
	d.run("exempt @@global add=/staged,GET:/users/{uid}")
	off := d.snapshot().Document().GlobalState(d.now)
	require.False(t, off.Enabled)
	require.Equal(t, []string{"/staged", "GET:/users/{uid}"}, off.ExemptPaths)
	require.Empty(t, off.Reason)
	require.NotNil(t, off.Windows)

	d.run("enable @@global reason=x include end=+1h")
	on := d.snapshot().Document().GlobalState(d.now)
	require.True(t, on.Enabled)
	require.True(t, on.IncludeForceActive)
	require.Equal(t, "x", on.Reason)
	require.Equal(t, d.now.Add(time.Hour), *on.Until)
	require.Len(t, on.Windows, 1)
	require.Equal(t, "alice", *on.UpdatedBy)

	d.run("enable @@global reason=y exempt=/a")
	on = d.snapshot().Document().GlobalState(d.now)
	require.Nil(t, on.Until, "a standing part has no end")
	require.Equal(t, "y", on.Reason)
	require.Equal(t, []string{"/a"}, on.ExemptPaths)

	d.run("disable @@global")
	require.Equal(t, []string{}, d.snapshot().Document().GlobalState(d.now).ExemptPaths)
	other := d.snapshot().Document().ServiceState("orders", d.now)
	require.False(t, other.Enabled)
	require.Equal(t, "orders", other.Service)
	require.Nil(t, other.UpdatedBy)
}

func TestEnableWithoutWordsKeepsThePatchSmall(t *testing.T) {
	d := newDesk(t)
	d.run("register GET:/a\nenable @@global reason=x")
	require.Len(t, d.made.Patch, 1)
	d.do("alice", d.command(strings.Fields("maintenance GET:/a")))
	require.Len(t, d.made.Patch, 1)
}
