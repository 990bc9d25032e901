package state_test

import "testing"

func TestCommandsOnRoutes(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a standing block holds until it is enabled", `
			maintenance GET:/a reason=x
			= record maintenance_on GET:/a active->maintenance until -
			GET /a is maintenance
			POST /a is active
			clock +1000h
			GET /a is maintenance
			enable GET:/a
			= cleared standing
			= record enable GET:/a maintenance->active until -
			GET /a is active
		`},
		{"disable shows as disabled", `
			disable GET:/a
			= record disable GET:/a active->disabled until -
			GET /a is disabled
			state GET:/a is disabled
		`},
		{"a repeated command changes nothing but the reason", `
			maintenance GET:/a reason=x
			clock +1s
			maintenance GET:/a reason=x
			= changed false
			maintenance GET:/a reason=y
			= changed true
			maintenance GET:/a reason=y
			= changed false
		`},
		{"disable replaces maintenance and the other way round", `
			maintenance GET:/a
			disable GET:/a
			GET /a is disabled
			maintenance GET:/a
			GET /a is maintenance
			enable GET:/a
			GET /a is active
		`},
		{"a standing command shuts again what was opened inside", `
			maintenance /v1/**
			enable GET:/v1/a
			= cleared excepted
			GET /v1/a is active
			GET /v1/b is maintenance
			maintenance /v1/**
			= reclosed GET:/v1/a
			= changed true
			GET /v1/a is maintenance
			maintenance /v1/**
			= changed false
			= reclosed -
		`},
		{"a timed block on top shuts again what was opened inside, while it runs", `
			maintenance /v1/**
			enable GET:/v1/a
			maintenance /v1/** end=+1h
			= reclosed GET:/v1/a
			GET /v1/a is maintenance
			clock +1h
			GET /v1/a is active
		`},
		{"a block on a template leaves the known routes inside alone, and no later one", `
			register GET:/users/me
			register /users/all
			maintenance GET:/users/{id}
			= open_inside /users/all GET:/users/me
			register GET:/users/new
			GET /users/me is active
			GET /users/all is active
			GET /users/new is maintenance
			GET /users/1 is maintenance
			maintenance GET:/users/{id}
			= changed false
			= open_inside /users/all GET:/users/me
			GET /users/new is maintenance
			disable GET:/users/{id}
			= open_inside /users/all GET:/users/me
			GET /users/new is disabled
			GET /users/me is active
			enable GET:/users/new
			GET /users/new is active
		`},
		{"what was only named in a command is not left alone, nor is another method, nor the same path", `
			deprecate GET:/users/me
			register POST:/users/you
			register GET:/users/{id}
			register orders:GET:/users/{id}
			maintenance ANY:/users/{id}
			= open_inside POST:/users/you
			GET /users/me is maintenance
			GET /users/1 is maintenance
			maintenance GET:/users/{id}
			= open_inside -
		`},
		{"imported and adopted routes are left alone too; a set takes all inside", `
			import GET:/users/me
			adopt GET:/users/you
			maintenance GET:/users/{id}
			= open_inside GET:/users/me GET:/users/you
			maintenance /users/**
			= open_inside -
			GET /users/me is maintenance
		`},
		{"a gate on a template leaves the known routes inside alone", `
			register GET:/users/me
			env GET:/users/{id} envs=dev
			= open_inside GET:/users/me
			= record env_gate GET:/users/{id} active->env_gated until -
			register GET:/users/new
			env GET:/users/{id} envs=dev,staging
			= open_inside GET:/users/me
			GET /users/me env=prod is active
			GET /users/new env=prod is env_gated
			GET /users/new env=staging is active
			GET /users/new is env_gated
		`},
		{"an until blocks now and ends by itself", `
			maintenance GET:/a end=+1h
			= record maintenance_on GET:/a active->maintenance until +1h0m0s
			GET /a is maintenance
			clock +1h
			GET /a is active
			state GET:/a is active
		`},
		{"disable with an end stays disabled until then", `
			disable GET:/a end=+2h
			= record disable GET:/a active->disabled until +2h0m0s
			GET /a is disabled
			clock +119m
			GET /a is disabled
			clock +1m
			GET /a is active
		`},
		{"the same until again is that one, whenever it is said", `
			disable GET:/a end=+2h
			clock +1h
			disable GET:/a end=+1h
			= changed false
			disable GET:/a end=+30m
			= changed true
			clock +45m
			GET /a is disabled
		`},
		{"a window for tomorrow does not block now", `
			schedule GET:/a start=+24h end=+25h
			= record schedule GET:/a active->active until +25h0m0s
			GET /a is active
			state GET:/a is active
			clock +24h
			GET /a is maintenance
			clock +1h
			GET /a is active
		`},
		{"maintenance with a start ahead is scheduled, not now", `
			maintenance GET:/a start=+1h end=+2h
			= action schedule
			GET /a is active
			clock +1h
			GET /a is maintenance
		`},
		{"maintenance with a start that has passed blocks at once", `
			maintenance GET:/a start=-1s end=+10m
			= action maintenance_on
			GET /a is maintenance
			enable GET:/a
			= cleared window
			GET /a is active
		`},
		{"a start alone has no end", `
			maintenance GET:/a start=+1h
			GET /a is active
			clock +1000h
			GET /a is maintenance
			cancel GET:/a
			GET /a is active
		`},
		{"the same window again is that window", `
			schedule GET:/a start=+1h end=+2h reason=x
			schedule GET:/a start=+1h end=+2h reason=x
			= changed false
			schedule GET:/a start=+1h end=+2h reason=y
			= changed true
			cancel GET:/a
			clock +90m
			GET /a is active
		`},
		{"cancelling a window for tomorrow leaves nothing blocked", `
			schedule GET:/a start=+24h end=+25h
			cancel GET:/a
			= record schedule_cancel GET:/a active->active until -
			GET /a is active
			clock +24h
			GET /a is active
			cancel GET:/a
			= changed false
		`},
		{"cancelling ends a running window and never an until", `
			maintenance GET:/a start=-1m end=+1h
			disable GET:/a end=+30m
			cancel GET:/a
			= record schedule_cancel GET:/a disabled->disabled until -
			GET /a is disabled
			clock +30m
			GET /a is active
		`},
		{"a window's end restores a deprecation, a gate and a standing block", `
			deprecate GET:/old
			env GET:/gated envs=dev
			disable GET:/off
			schedule GET:/old start=+1h end=+2h
			schedule GET:/gated start=+1h end=+2h
			schedule GET:/off start=+1h end=+2h
			clock +1h
			GET /old is maintenance
			GET /gated is maintenance
			GET /off is disabled
			clock +1h
			GET /old is deprecated
			GET /gated is env_gated
			GET /off is disabled
		`},
		{"an end that is not after now is refused", `
			! maintenance GET:/a end=-1s | not in the future
			! disable GET:/a end=+0s | not in the future
			! schedule GET:/a start=-2h end=-1h | not in the future
			! schedule GET:/a start=+2h end=+1h | not after the start
			! schedule GET:/a start=+2h end=+2h | not after the start
			! maintenance GET:/a start=+2h end=+1h | not after the start
			! schedule GET:/a start=+1h | needs an end
			! schedule GET:/a end=+1h | needs a start
			GET /a is active
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestEnable(t *testing.T) {
	tests := []struct{ name, script string }{
		{"it ends the standing part, running untils and running windows, and no pending ones", `
			maintenance GET:/a
			disable GET:/a end=+1h
			maintenance GET:/a start=-1m end=+1h
			schedule GET:/a start=+3h end=+4h
			enable GET:/a
			= cleared standing until window
			= still -
			= next +3h0m0s
			GET /a is active
			clock +3h
			GET /a is maintenance
		`},
		{"it has every running block of a key that contains it leave it alone", `
			maintenance /v1/**
			disable GET:/v1/** end=+1h
			maintenance ANY:/** start=-1m end=+2h
			enable GET:/v1/a
			= cleared excepted
			= still -
			GET /v1/a is active
			POST /v1/a is maintenance
			GET /v1/A is disabled
			GET /v1/b is disabled
		`},
		{"it leaves switches alone and says so", `
			enable @@global reason=deploy
			enable @@orders
			maintenance orders:GET:/a
			enable orders:GET:/a
			= cleared standing
			= still __global__:maintenance __waygate:svc_global:orders__:maintenance
			GET /a service=orders is maintenance
		`},
		{"an exempt key is not still blocked by that switch", `
			enable @@global exempt=/a
			maintenance GET:/a
			enable GET:/a
			= still -
			GET /a is active
		`},
		{"it leaves a wider gate and deprecation alone and names what blocks inside and across", `
			env /v1/** envs=dev
			deprecate /v1/**
			maintenance GET:/v1/a/b
			disable GET:/v1/{x}/b
			maintenance GET:/v1/a/{y}
			enable GET:/v1/a/{y}
			= still GET:/v1/{x}/b:disabled GET:/v1/a/b:maintenance /v1/**:env_gated
			GET /v1/a/c env=dev is deprecated
			GET /v1/a/c is env_gated
		`},
		{"an exception of one service counts for that service's block", `
			maintenance orders:GET:/**
			enable orders:GET:/x
			maintenance GET:/x
			enable GET:/x
			= still -
			maintenance pay:GET:/**
			enable GET:/x
			= still pay:GET:/**:maintenance
		`},
		{"next is what a wider key or a switch will do", `
			schedule /v1/** start=+2h end=+3h
			schedule GET:/v1/a start=+5h end=+6h
			maintenance GET:/v1/a
			enable GET:/v1/a
			= next +2h0m0s
		`},
		{"it clears a gate or a deprecation only when setting that was the last command on the key", `
			env GET:/a envs=dev
			enable GET:/a
			= cleared gate
			GET /a is active
			deprecate GET:/a
			enable GET:/a
			= cleared deprecation
			GET /a is active
		`},
		{"a retried or late enable does not open a staging route", `
			env GET:/a envs=staging
			maintenance GET:/a
			enable GET:/a
			= cleared standing
			= still GET:/a:env_gated
			enable GET:/a
			= cleared -
			= changed false
			GET /a is env_gated
			deprecate GET:/a
			enable GET:/a
			= cleared deprecation
			= still GET:/a:env_gated
			env GET:/a envs=staging
			enable GET:/a
			= cleared gate
		`},
		{"a gate that a service declared is not cleared by enable, but by an empty list", `
			register GET:/a status=env_gated envs=dev
			enable GET:/a
			= changed false
			= still GET:/a:env_gated
			env GET:/a
			= record env_gate GET:/a env_gated->active until -
			GET /a is active
		`},
		{"enabling what nothing blocks changes nothing", `
			enable GET:/a
			= changed false
			= known false
			enable GET:/a
			= known false
		`},
		{"what was opened stays open to the end of the block alone", `
			maintenance /v1/** end=+1h
			enable GET:/v1/a
			maintenance /v1/** end=+2h
			= reclosed GET:/v1/a
			GET /v1/a is maintenance
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}
