package authz

import (
	"strings"
	"testing"

	envoy_config_core_v3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/state"
)

func TestARequestIsRead(t *testing.T) {
	type check = *envoy_service_auth_v3.CheckRequest
	with := func(method, path string, headers map[string]string, change ...func(check)) check {
		c := asked(method, path, headers)
		for _, f := range change {
			f(c)
		}
		return c
	}
	http := func(c check) *envoy_service_auth_v3.AttributeContext_HttpRequest {
		return c.GetAttributes().GetRequest().GetHttp()
	}
	raw := func(headers ...*envoy_config_core_v3.HeaderValue) func(check) {
		return func(c check) {
			http(c).Headers = nil
			http(c).HeaderMap = &envoy_config_core_v3.HeaderMap{Headers: headers}
		}
	}
	tests := []struct {
		name   string
		check  check
		want   state.Request
		remove []string
		kind   string
	}{
		{name: "plain", check: with("GET", "/orders?x=1", nil), want: state.Request{Method: "GET", Target: "/orders?x=1"}},
		{
			name: "where it belongs", check: with("GET", "/", nil, func(c check) {
				c.Attributes.ContextExtensions = map[string]string{"waygate.service": "payments", "waygate.env": "production", "other": "x"}
			}),
			want: state.Request{Method: "GET", Target: "/", Service: "payments", Env: "production"},
		},
		{
			name:  "a client has no say in where it belongs",
			check: with("GET", "/", map[string]string{"x-waygate-env": "dev", "x-waygate-service": "mine", "x-waygate-bypass": "1"}),
			want:  state.Request{Method: "GET", Target: "/"}, remove: []string{"x-waygate-bypass"},
		},
		{
			name: "overrides", check: with("POST", "/", map[string]string{"x-http-method-override": "DELETE", "x_http_method": "put, patch"}),
			want: state.Request{Method: "POST", Target: "/", Overrides: []string{"DELETE", "put, patch"}},
		},
		{
			name: "preflight", check: with("OPTIONS", "/", map[string]string{"access-control-request-method": "PUT"}),
			want: state.Request{Method: "OPTIONS", Target: "/", Preflight: true},
		},
		{
			name: "raw headers", check: with("POST", "/a", nil, raw(rawHeader(":path", "/a"), rawHeader("content-type", "application/grpc"),
				rawHeader("x-method-override", "GET"), rawHeader("x-method-override", "PUT"), rawHeader("X-Waygate-Zzz", "\xff"))),
			want: state.Request{Method: "POST", Target: "/a", Overrides: []string{"GET", "PUT"}}, remove: []string{"X-Waygate-Zzz"}, kind: "application/grpc",
		},
		{
			name: "the path shown is another", check: with("GET", "/a!", nil, raw(rawHeader(":path", "/a\xff"))),
			want: state.Request{Method: "GET", Target: "/a!", Unreadable: true},
		},
		{
			name: "the path shown twice", check: with("GET", "/a", nil, raw(rawHeader(":path", "/b"), rawHeader(":path", "/a"))),
			want: state.Request{Method: "GET", Target: "/a", Unreadable: true},
		},
		{
			name: "no headers shown", check: with("GET", "/a", nil, func(c check) { http(c).Headers = nil }),
			want: state.Request{Method: "GET", Target: "/a"},
		},
		{
			name: "method and path come from no header", check: with("GET", "/a", map[string]string{":method": "PUT"}),
			want: state.Request{Method: "GET", Target: "/a"},
		},
		{
			name: "query apart", check: with("GET", "/a", nil, func(c check) { http(c).Query = "_method=PUT" }),
			want: state.Request{Method: "GET", Target: "/a?_method=PUT"},
		},
		{
			name: "fragment", check: with("GET", "/a", nil, func(c check) { http(c).Fragment = "f" }),
			want: state.Request{Method: "GET", Target: "/a", Unreadable: true},
		},
		{name: "a network filter asks", check: &envoy_service_auth_v3.CheckRequest{Attributes: &envoy_service_auth_v3.AttributeContext{}}, want: state.Request{}},
		{name: "nothing", check: &envoy_service_auth_v3.CheckRequest{}, want: state.Request{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r request
			r.read(wire(t, tt.check), &state.Request{})
			require.ElementsMatch(t, tt.want.Overrides, r.Overrides)
			require.ElementsMatch(t, tt.remove, r.remove)
			require.Equal(t, tt.kind, r.contentType)
			tt.want.Overrides, r.Overrides = nil, nil
			require.Equal(t, tt.want, r.Request)
		})
	}
}

func TestDefaultsGiveWayToTheGateway(t *testing.T) {
	defaults := state.Request{Service: "orders", Env: "dev"}
	check := asked("GET", "/", nil)
	var r request
	r.read(wire(t, check), &defaults)
	require.Equal(t, "orders", r.Service)
	require.Equal(t, "dev", r.Env)

	check.Attributes.ContextExtensions = map[string]string{"waygate.service": "payments", "waygate.env": ""}
	r = request{}
	r.read(wire(t, check), &defaults)
	require.Equal(t, "payments", r.Service)
	require.Equal(t, "dev", r.Env)
}

func TestAServiceThatNoKeyCanNameIsUnknown(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s := newTestServer(t, truth(t, func(p state.Patch) {
		route(t, p, "shop:/cart", func(r *state.Route) { r.Standing = &state.Block{Effect: state.EffectMaintenance} })
	}), Options{})
	s.opt.Log = zap.New(core)
	for _, name := range []string{"Shop", " shop", "shop ", "get", "trace", "any", "_", "shop/x"} {
		check := asked("GET", "/cart", nil)
		check.Attributes.ContextExtensions = map[string]string{"waygate.service": name}
		require.Equal(t, "MAINTENANCE_MODE", codeOf(t, s.Check(wire(t, check), noon)), "%q", name)
	}
	require.Equal(t, 1, logs.Len(), "it is told once")
	check := asked("GET", "/cart", nil)
	check.Attributes.ContextExtensions = map[string]string{"waygate.service": "orders"}
	require.Empty(t, codeOf(t, s.Check(wire(t, check), noon)))
}

func TestBrokenBytesCannotBeRead(t *testing.T) {
	whole := captured(t)["browser-bytes.bin"]
	tests := []struct {
		name    string
		message []byte
	}{
		{name: "garbage", message: []byte("\xff\xff\xff garbage")},
		{name: "cut", message: whole[:len(whole)-1]},
		{name: "cut in the middle", message: whole[:len(whole)/2]},
		{name: "field 0", message: []byte{0x02, 0x00}},
		{name: "length beyond the end", message: []byte{0x0a, 0x05, 0x00}},
		{name: "length beyond any message", message: []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
		{name: "broken inside", message: []byte{0x0a, 0x03, 0x22, 0x05, 0x00}},
		{name: "group without an end", message: []byte{0x0b}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r request
			r.read(tt.message, &state.Request{})
			require.True(t, r.Unreadable)
		})
	}
}

func TestAClientCannotGrowOurLists(t *testing.T) {
	var headers []*envoy_config_core_v3.HeaderValue
	for range maxNoted + 1 {
		headers = append(headers, rawHeader("x-http-method", "PUT"))
	}
	check := asked("GET", "/", nil)
	check.Attributes.Request.Http.HeaderMap = &envoy_config_core_v3.HeaderMap{Headers: headers}
	var r request
	r.read(wire(t, check), &state.Request{})
	require.True(t, r.Unreadable)
	require.Len(t, r.Overrides, maxNoted)
}

func TestKindsOfHeaders(t *testing.T) {
	tests := []struct {
		name string
		want headerKind
	}{
		{name: ":path", want: headerPath},
		{name: ":method", want: headerOther},
		{name: "Content-Type", want: headerContentType},
		{name: "content-typo", want: headerOther},
		{name: "access-control-request-method", want: headerPreflight},
		{name: "access-control-request-headers", want: headerOther},
		{name: "X_HTTP_Method-Override", want: headerOverride},
		{name: "x-http-method", want: headerOverride},
		{name: "x.http.method.override", want: headerOverride}, // PHP reads HTTP_X_HTTP_METHOD_OVERRIDE
		{name: "x-http-methods", want: headerOther},
		{name: "x-original-url", want: headerOther}, // the ready-made answer takes it off
		{name: "x_original-url", want: headerForged},
		{name: "x.original.url", want: headerForged},
		{name: "X_Envoy_Original_Path", want: headerForged},
		{name: "script_name", want: headerOther},
		{name: "x-script-name", want: headerOther},
		{name: "x_script_name", want: headerForged},
		{name: "x-waygate-env", want: headerOther},
		{name: "x_waygate_env", want: headerForged},
		{name: "x.waygate.env", want: headerForged},
		{name: "X-WAYGATE-anything", want: headerForged},
		{name: "x-waygate-" + strings.Repeat("a", 100), want: headerForged},
		{name: "x-waygates", want: headerOther},
		{name: "xwaygate-env", want: headerOther},
		{name: "x-envoy-auth-failure_mode_allowed", want: headerForged},
		{name: "te", want: headerOther},
		{name: "", want: headerOther},
		{name: "x----", want: headerOther},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, kindOf(tt.name))
		})
	}
}

func TestATrustedPathHeaderStays(t *testing.T) {
	require.Contains(t, alwaysRemoved(nil), "x-original-url")
	kept := alwaysRemoved([]string{"x-original-url"})
	require.NotContains(t, kept, "x-original-url")
	require.Contains(t, kept, "x-rewrite-url")
	require.Contains(t, kept, failOpenMark)
	for _, name := range append(alwaysRemoved(nil), PathHeaders()...) {
		require.True(t, isToken(name), name)
		require.NotEqual(t, headerForged, kindOf(name), "%s is taken off once, not twice", name)
	}
}
