package state_test

import "testing"

func TestProtection(t *testing.T) {
	tests := []struct{ name, script string }{
		{"every command on a protected key is refused, but protect and unprotect", `
			protect GET:/a
			= record protect GET:/a active->active until -
			protect GET:/a
			= changed false
			! maintenance GET:/a | the route is protected
			! disable GET:/a end=+1h | the route is protected
			! schedule GET:/a start=+1h end=+2h | the route is protected
			! enable GET:/a | the route is protected
			! env GET:/a envs=dev | the route is protected
			! deprecate GET:/a | the route is protected
			! cancel GET:/a | the route is protected
			! forget GET:/a | the route is protected
			unprotect GET:/a
			= action unprotect
			unprotect GET:/a
			= changed false
			maintenance GET:/a
			GET /a is maintenance
		`},
		{"a key inside a protected one is protected", `
			protect /v1/**
			! maintenance GET:/v1/a | protected by /v1/**
			state GET:/v1/a is active
		`},
		{"a protected route stays open inside a block, and is named", `
			protect GET:/v1/health
			maintenance /v1/**
			= open_inside GET:/v1/health
			GET /v1/health is active
			state GET:/v1/health is active
			GET /v1/a is maintenance
		`},
		{"deprecation is told of a protected route too", `
			deprecate /v1/**
			protect GET:/v1/health
			GET /v1/health is deprecated
			state GET:/v1/health is deprecated
		`},
		{"nothing is protected while something on it, inside it or around it blocks or will", `
			maintenance GET:/a
			! protect GET:/a | a block on GET:/a
			! protect /** | a block on GET:/a
			enable GET:/a
			protect GET:/a
			env /v1/** envs=dev
			! protect GET:/v1/b | an environment gate on /v1/**
			schedule GET:/c/d start=+1h end=+2h
			! protect /c/** | a window on GET:/c/d
			clock +2h
			protect /c/**
		`},
		{"switches pass by a protected route unless they include it and do not exempt it", `
			protect GET:/a
			enable @@global
			= open_inside GET:/a
			GET /a is active
			enable @@global include
			= open_inside -
			GET /a is maintenance
			enable @@global include exempt=/a
			GET /a is active
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestDeclaring(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a status becomes the parts it stands for", `
			register GET:/a status=active
			register GET:/b status=maintenance reason=x
			register GET:/c status=disabled
			register GET:/d status=env_gated envs=dev
			register GET:/e status=deprecated
			= record register GET:/e active->deprecated until -
			GET /a is active
			GET /b is maintenance
			GET /c is disabled
			GET /d env=dev is active
			GET /d is env_gated
			GET /e is deprecated
			enable GET:/b
			GET /b is active
		`},
		{"a window is that window and nothing standing", `
			register GET:/a status=maintenance start=+1h end=+2h
			register GET:/b status=active start=+1h end=+2h
			register GET:/c status=maintenance start=-2h end=-1h
			GET /a is active
			GET /c is active
			clock +1h
			GET /a is maintenance
			GET /b is maintenance
			clock +1h
			GET /a is active
		`},
		{"a known key stays as it is", `
			maintenance GET:/a
			register GET:/a status=active
			= known true
			GET /a is maintenance
			register GET:/a status=disabled
			= changed false
			GET /a is maintenance
			register GET:/b
			register GET:/b status=disabled
			= changed false
			adopt GET:/b status=disabled
			= changed false
			GET /b is active
		`},
		{"who was only named is declared by a registration, and left alone by the next template", `
			deprecate GET:/users/me
			register GET:/users/me
			= changed true
			register GET:/users/me
			= changed false
			maintenance GET:/users/{id}
			= open_inside GET:/users/me
		`},
		{"a declared protection does not lift a block", `
			maintenance /v1/**
			register GET:/v1/a protected
			= note declared protected (force_active), stored unprotected: /v1/** (maintenance) blocks it
			GET /v1/a is maintenance
			enable @@global
			import GET:/b protected
			= note declared protected (force_active), stored unprotected: __global__ (maintenance) blocks it
			disable @@global
			schedule GET:/c/** start=+1h end=+2h
			register GET:/c/d protected
			state GET:/c/d is active
			clock +1h
			GET /c/d is maintenance
			register GET:/e protected
			= note
			! maintenance GET:/e | the route is protected
			register GET:/f protected status=maintenance
			= note declared protected (force_active), stored unprotected: its own declaration blocks it
			GET /f is maintenance
		`},
		{"an import adds what is lacking and lifts nothing", `
			disable GET:/a
			import GET:/a status=active
			= changed true
			GET /a is disabled
			import GET:/a status=maintenance
			= changed false
			GET /a is disabled
			register GET:/b
			import GET:/b status=maintenance reason=x
			= record import GET:/b active->maintenance until -
			GET /b is maintenance
			import GET:/b status=env_gated envs=dev
			enable GET:/b
			GET /b is env_gated
			import GET:/b status=env_gated envs=prod
			= changed false
			import GET:/c status=active start=+1h end=+2h
			import GET:/c status=active start=+1h end=+2h
			= changed false
		`},
		{"an import does not block what is protected", `
			protect GET:/a
			! import GET:/a status=maintenance | the route is protected
			import GET:/a
			= changed true
			import GET:/a
			= changed false
		`},
		{"a new key inside a protected one keeps the block it came with until the protection ends", `
			protect /v1/**
			import GET:/v1/a status=maintenance
			register GET:/v1/b status=disabled
			GET /v1/a is active
			state GET:/v1/b is active
			unprotect /v1/**
			GET /v1/a is maintenance
			GET /v1/b is disabled
		`},
		{"what is protected first stays so when the block of a wider key follows", `
			import GET:/health protected
			import ANY:/** status=maintenance
			= open_inside GET:/health
			GET /health is active
			GET /a is maintenance
		`},
		{"what is declared badly is refused", `
			! register GET:/a status=off | is no status
			! import GET:/a start=+2h end=+1h | not after the start
			! import GET:/a status=env_gated envs=, | cannot name an environment
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}

func TestForget(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a key is not forgotten while something is in force on it or to come", `
			maintenance GET:/a
			! forget GET:/a | something is in force: a block
			enable GET:/a
			schedule GET:/a start=+1h end=+2h
			! forget GET:/a | something is in force: a window
			cancel GET:/a
			env GET:/a envs=dev
			! forget GET:/a | something is in force: an environment gate
			env GET:/a
			forget GET:/a
			= record forget GET:/a active->active until -
			forget GET:/a
			= changed false
			= known false
		`},
		{"it leaves every exception, and the answer names what that shuts", `
			register GET:/users/me
			maintenance GET:/users/{id}
			maintenance /users/** end=+1h
			enable GET:/users/me
			GET /users/me is active
			forget GET:/users/me
			= exposed GET:/users/me
			= still /users/**:maintenance GET:/users/{id}:maintenance
			GET /users/me is maintenance
			register GET:/users/me
			GET /users/me is maintenance
			enable GET:/users/me
			GET /users/me is active
		`},
		{"what only the forgotten key opened is named as well", `
			maintenance /v1/**
			enable ANY:/v1/a/**
			register GET:/v1/a/b
			register GET:/v1/a/c
			enable GET:/v1/a/c
			forget ANY:/v1/a/**
			= exposed /v1/a/** GET:/v1/a/b GET:/v1/a/c
		`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { newDesk(t).run(tt.script) })
	}
}
