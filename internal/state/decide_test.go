package state_test

import (
	"testing"

	"github.com/waygate/waygate/internal/state"
)

func TestDecide(t *testing.T) {
	maint := state.EffectMaintenance
	for _, tt := range []struct {
		name  string
		facts func(*facts)
		want  verdicts
	}{
		{
			name:  "nothing governs it: it passes",
			facts: func(*facts) {},
			want:  verdicts{"GET /payments": "active", "get /%zz#": "active", "TRACE /": "active"},
		},
		{
			name:  "a key governs its method and path and nothing else",
			facts: func(f *facts) { f.maintenance("GET:/payments") },
			want: verdicts{
				"GET /payments": "maintenance", "HEAD /payments": "maintenance", "POST /payments": "active", "GET /payments/1": "active",
				"GET /orders": "active", "GET /payments?x=1": "maintenance", "GET http://h/payments": "maintenance", "OPTIONS /payments": "active",
			},
		},
		{
			name:  "a key without a method governs every method",
			facts: func(f *facts) { f.disabled("ANY:/payments") },
			want:  verdicts{"GET /payments": "disabled", "DELETE /payments": "disabled", "OPTIONS /payments": "disabled"},
		},
		{
			name:  "HEAD follows GET, GET does not follow HEAD",
			facts: func(f *facts) { f.disabled("HEAD:/a").disabled("GET:/b") },
			want:  verdicts{"HEAD /a": "disabled", "GET /a": "active", "HEAD /b": "disabled"},
		},
		{
			name: "templates: one segment, text around it, the rest",
			facts: func(f *facts) {
				f.disabled("/users/{id}").disabled("/files/report-{n}.pdf").maintenance("/v1/**").disabled("/o/{a}/items/{b}")
			},
			want: verdicts{
				"GET /users/7": "disabled", "GET /users": "active", "GET /users/7/x": "active", "GET /users/7/": "disabled",
				"GET /files/report-.pdf": "active", "GET /files/report-1.pdf": "disabled", "GET /files/report-1.txt": "active", "GET /files/REPORT-x.PDF": "disabled",
				"GET /v1": "maintenance", "GET /v1/": "maintenance", "GET /v1/a/b/c": "maintenance", "GET /v12": "active",
				"GET /o/1/items/2": "disabled", "GET /o/1/item/2": "active",
			},
		},
		{
			name:  "the key of everything",
			facts: func(f *facts) { f.maintenance("/**") },
			want:  verdicts{"GET /": "maintenance", "PUT /a/b": "maintenance"},
		},
		{
			name:  "the root is a path of its own",
			facts: func(f *facts) { f.disabled("GET:/") },
			want:  verdicts{"GET /": "disabled", "GET /?q": "disabled", "GET /a": "active", "GET http://h": "disabled"},
		},
		{
			name:  "letter case does not open a block, but an exception must be spelled",
			facts: func(f *facts) { f.disabled("/Pay/{x}", "/Pay/Status") },
			want: verdicts{
				"GET /pay/now": "disabled", "GET /PAY/NOW": "disabled", "GET /Pay/Status": "active", "GET /pay/status": "disabled", "GET /%50ay/Status": "disabled",
			},
		},
		{
			name:  "of two keys that fold alike the one that blocks counts",
			facts: func(f *facts) { f.known("/pay").disabled("/PAY") },
			want:  verdicts{"GET /pay": "disabled", "GET /Pay": "disabled", "GET /PAY": "disabled"},
		},
		{
			name: "the strictest of all that govern",
			facts: func(f *facts) {
				f.deprecated("/a/**").gate("/a/b/**", "dev").maintenance("/a/b/{x}").disabled("/a/b/c")
			},
			want: verdicts{
				"GET /a": "deprecated", "GET /a/b": "env_gated", "GET /a/b env=dev": "deprecated", "GET /a/b/x": "maintenance", "GET /a/b/c env=dev": "disabled",
			},
		},
		{
			name:  "several gates must all admit, and an unknown environment is refused",
			facts: func(f *facts) { f.gate("/a/**", "dev", "qa").gate("/a/b", "qa", "prod") },
			want:  verdicts{"GET /a/b env=qa": "active", "GET /a/b env=dev": "env_gated", "GET /a/b env=prod": "env_gated", "GET /a/b": "env_gated", "GET /a env=dev": "active"},
		},
		{
			name: "services: the request's own keys and those of none",
			facts: func(f *facts) {
				f.disabled("pay:/x").maintenance("/y").disabled("orders:/z")
			},
			want: verdicts{
				"GET /x service=pay": "disabled", "GET /x service=orders": "active", "GET /y service=pay": "maintenance", "GET /z service=pay": "active",
				"GET /x": "disabled", "GET /z": "disabled", "GET /y": "maintenance",
			},
		},
		{
			name: "an exception of one service does not open a block where the service is not known",
			facts: func(f *facts) {
				f.disabled("/x/{id}", "pay:/x/ok").disabled("pay:/y/{id}", "/y/ok", "pay:/y/own")
			},
			want: verdicts{
				"GET /x/ok service=pay": "active", "GET /x/ok service=orders": "disabled", "GET /x/ok": "disabled",
				"GET /y/ok": "active", "GET /y/own": "active", "GET /y/ok service=pay": "active", "GET /y/own service=pay": "active",
			},
		},
		{
			name:  "what is known plays no part",
			facts: func(f *facts) { f.disabled("/users/{id}", "/users/me").known("/users/me").known("/users/you") },
			want:  verdicts{"GET /users/me": "active", "GET /users/you": "disabled"},
		},
		{
			name: "exceptions must hold under every reading of path and method",
			facts: func(f *facts) {
				f.disabled("/users/**", "GET:/users/me", "GET:/users/me/{x}", "/open/**")
			},
			want: verdicts{
				"GET /users/me": "active", "HEAD /users/me": "active", "POST /users/me": "disabled", "GET /users/me override=POST": "disabled",
				"GET /users/me?_method=delete": "disabled", "GET /users/me override=GET": "active", "GET /users/me;x": "disabled", "GET /users/%6de": "disabled",
				"GET /users/me/": "active", "GET /users/me/..": "disabled", "GET /users/me/a%2fb": "disabled", "GET /open/../users/x": "disabled",
			},
		},
		{
			name: "a window is in force from its start to before its end",
			facts: func(f *facts) {
				f.window("/endless", maint, -5, 0).window("/over", maint, -5, -1).window("/later", maint, 1, 5).window("/starts", maint, 0, 1)
				f.patch["w:w9"] = []byte(`{"target":"/ends","start":"2031-03-01T11:00:00Z","end":"2031-03-01T12:00:00Z","effect":"disabled","reason":"","origin":"window"}`)
			},
			want: verdicts{"GET /endless": "maintenance", "GET /over": "active", "GET /later": "active", "GET /starts": "maintenance", "GET /ends": "active"},
		},
		{
			name:  "the exceptions of a window",
			facts: func(f *facts) { f.window("/a/{x}", maint, -1, 5, "/a/b", "GET:/a/c") },
			want:  verdicts{"GET /a/x": "maintenance", "GET /a/b": "active", "HEAD /a/c": "active", "PUT /a/c": "maintenance"},
		},
		{
			name: "what is below a window is there when it is over",
			facts: func(f *facts) {
				f.deprecated("/d").window("/d", maint, -5, -1).window("/d", maint, 5, 9)
				f.maintenance("/m").window("/m", state.EffectDisabled, -5, -1)
				f.gate("/g", "dev").window("/g", maint, -5, 5)
			},
			want: verdicts{"GET /d": "deprecated", "GET /m": "maintenance", "GET /g": "maintenance"},
		},
		{
			name:  "the global switch shuts everything but what it exempts",
			facts: func(f *facts) { f.global(on(f, "GET:/health", "/docs/**")).disabled("/docs/old") },
			want: verdicts{
				"GET /a": "maintenance", "GET /health": "active", "HEAD /health": "active", "POST /health": "maintenance", "GET /docs/a/b": "active",
				"GET /docs/old": "disabled", "GET /Health": "maintenance", "GET /health/..;": "maintenance", "GET /docs/../a": "maintenance",
			},
		},
		{
			name:  "an exemption lifts only the switch that carries it",
			facts: func(f *facts) { f.global(on(f, "/health")).service("pay", on(f)) },
			want: verdicts{
				"GET /health service=pay": "maintenance", "GET /health service=orders": "active", "GET /health": "maintenance",
			},
		},
		{
			name:  "a service's switch",
			facts: func(f *facts) { f.service("pay", on(f, "pay:/health", "/ready")) },
			want: verdicts{
				"GET /a service=pay": "maintenance", "GET /a service=orders": "active", "GET /a": "maintenance",
				"GET /health service=pay": "active", "GET /health": "active", "GET /ready service=pay": "active",
			},
		},
		{
			name: "switches have windows",
			facts: func(f *facts) {
				f.window("__global__", maint, 1, 5).window("__waygate:svc_global:pay__", maint, -1, 5)
				f.service("pay", state.Switch{Exempt: on(f, "/health").Exempt})
			},
			want: verdicts{"GET /a service=orders": "active", "GET /a service=pay": "maintenance", "GET /health service=pay": "maintenance"},
		},
		{
			name: "protected: only switches that include it and do not exempt it",
			facts: func(f *facts) {
				f.protected("GET:/health").disabled("/**").gate("/health", "dev").global(on(f)).deprecated("/health").
					service("pay", including(on(f))).service("orders", including(on(f, "/health")))
			},
			want: verdicts{
				"GET /health service=web": "deprecated", "HEAD /health service=web": "deprecated", "POST /health service=web": "disabled",
				"GET /health service=pay": "maintenance", "GET /health service=orders": "deprecated", "GET /Health service=web": "disabled",
				"GET /health;a service=web": "disabled", "GET /health service=web override=POST": "disabled", "GET /health": "maintenance",
			},
		},
		{
			name: "a wider protected key protects what is inside, and several may do it together",
			facts: func(f *facts) {
				f.protected("GET:/ops/**").protected("POST:/ops/run").maintenance("/**").protected("web:/own")
			},
			want: verdicts{
				"GET /ops/a": "active", "POST /ops/run": "active", "GET /ops/run override=POST": "active", "GET /ops/a override=POST": "maintenance",
				"GET /own service=web": "active", "GET /own": "maintenance",
			},
		},
		{
			name:  "what cannot be read is refused while anything in its scope is not active",
			facts: func(f *facts) { f.disabled("pay:/x") },
			want: verdicts{
				"GET /a%zz service=pay": "unreadable", "GET /a%zz": "unreadable", "GET /a%zz service=orders": "active", "GET /a#b service=pay": "unreadable",
				"get /x service=pay": "unreadable", "TRACE /a service=pay": "unreadable", "CONNECT h:1 service=pay": "unreadable", "GET nothing service=pay": "unreadable",
				"GET /a unreadable service=pay": "unreadable", "GET /x unreadable service=orders": "active", "GET /%252561 service=pay": "unreadable",
			},
		},
		{
			name: "a gate and a switch close the unreadable, a deprecation, protection and what is over do not",
			facts: func(f *facts) {
				f.gate("a:/x", "dev").service("b", on(f)).deprecated("c:/x").protected("c:/y").window("c:/x", maint, -5, -1).window("c:/x", maint, 5, 9).window("d:/x", maint, -1, 1)
			},
			want: verdicts{
				"GET % service=a env=dev": "unreadable", "GET % service=b": "unreadable", "GET % service=c": "active", "GET % service=d": "unreadable", "GET %": "unreadable",
			},
		},
		{
			name: "a preflight passes unless a key with method OPTIONS refuses it",
			facts: func(f *facts) {
				f.disabled("/a").global(on(f)).maintenance("OPTIONS:/b")
			},
			want: verdicts{
				"OPTIONS /a preflight": "active", "OPTIONS /a": "disabled", "OPTIONS /b preflight": "maintenance", "OPTIONS /a preflight override=GET": "disabled",
				"OPTIONS /a?_method=GET preflight": "disabled", "GET /a preflight": "disabled", "OPTIONS /q preflight": "active",
			},
		},
		{
			name:  "headers and parameters that ask for another method",
			facts: func(f *facts) { f.disabled("DELETE:/a").disabled("/b") },
			want: verdicts{
				"POST /a": "active", "POST /a override=DELETE": "disabled", "POST /a override=put,delete": "disabled", "POST /a?_method=DELETE": "disabled",
				"POST /a?%5Fmethod=delete": "disabled", "POST /a?x_method=DELETE": "active", "POST /b override=FROB": "disabled", "POST /a override=FROB": "active",
			},
		},
		{
			name: "methods that no key can name are GET to some readers, and writing for all anybody knows",
			facts: func(f *facts) {
				f.disabled("GET:/a").disabled("/b").disabled("PUT:/c").protected("GET:/ops/**").protected("/free").maintenance("/ops/**").maintenance("/free/**")
			},
			want: verdicts{
				"PROPFIND /a": "disabled", "PROPFIND /b": "disabled", "PROPFIND /c": "active", "PROPFIND /c override=PUT": "disabled", "PROPFIND /d": "active",
				"M-SEARCH /a": "disabled", "PROPFIND /ops/x": "maintenance", "PROPFIND /free": "active", "propfind /d": "unreadable",
			},
		},
		{
			name: "a POST key of a procedure governs its Connect GET",
			facts: func(f *facts) {
				f.disabled("POST:/acme.pay.v1.Pay/Refund").maintenance("POST:/plain/path").disabled("POST:/acme.v1.Open/{m}", "POST:/acme.v1.Open/Get")
			},
			want: verdicts{
				"GET /acme.pay.v1.Pay/Refund?connect=v1": "disabled", "GET /acme.pay.v1.Pay/Refund": "active", "GET /acme.pay.v1.Pay/Refund?a=b": "active",
				"GET /plain/path?connect=v1": "active", "GET /acme.v1.Open/Get?connect=v1": "active", "GET /acme.v1.Open/Put?connect=v1": "disabled",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := factsOf(t)
			tt.facts(f)
			tt.want.check(t, f.compile())
		})
	}
}
