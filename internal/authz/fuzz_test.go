package authz

import (
	"slices"
	"testing"

	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/waygate/waygate/internal/state"
)

// FuzzCheck says that whatever the bytes, there is a verdict that generated types can read, and that where generated
// types can read the bytes, the scan reads the same.
func FuzzCheck(f *testing.F) {
	for _, message := range captured(f) {
		f.Add(message)
		f.Add(message[:len(message)/3])
	}
	for _, c := range []*envoy_service_auth_v3.CheckRequest{
		asked("GET", "/payments", nil),
		asked("POST", "/v1/users/1?_method=PUT", map[string]string{"x-http-method-override": "GET", "x_original_url": "/", "content-type": "application/grpc"}),
		asked("OPTIONS", "/a/../%2e/b;c", map[string]string{"access-control-request-method": "PUT", "x-waygate-a": "b"}),
	} {
		f.Add(wire(f, c))
	}
	misnamed := asked("GET", "/payments", nil)
	misnamed.Attributes.ContextExtensions = map[string]string{"waygate.service": "Sh[p", "waygate.env": "dev"}
	f.Add(wire(f, misnamed))
	f.Add([]byte{})
	f.Add([]byte("\x0a\x02\x22\x00\x0a\x00"))
	s := newTestServer(f, gate(f), Options{Service: "orders", Env: "dev"})
	f.Fuzz(func(t *testing.T, message []byte) {
		before := slices.Clone(message)
		got := answered(t, s.Check(message, noon))
		require.Equal(t, before, message)
		require.Nil(t, got.GetErrorResponse())
		refused := got.GetStatus().GetCode() != 0
		require.Equal(t, refused, got.GetDeniedResponse() != nil)
		require.Equal(t, !refused, got.GetOkResponse() != nil)
		require.Zero(t, s.panicked.Load())

		var generated envoy_service_auth_v3.CheckRequest
		if proto.Unmarshal(message, &generated) != nil {
			return
		}
		want := generatedReading(&generated, s.defaults)
		var r request
		r.read(message, &s.defaults)
		require.Equal(t, want.Method, r.Method)
		require.Equal(t, want.Target, r.Target)
		require.Equal(t, want.Service, r.Service)
		require.Equal(t, want.Env, r.Env)
		// Of a header that the bytes hold twice, generated types keep one.
		require.False(t, want.Unreadable && !r.Unreadable)
		require.False(t, want.Preflight && !r.Preflight)
		if len(want.Overrides) <= maxNoted {
			require.Subset(t, append(r.Overrides, ""), want.Overrides)
		}

		// Written again there is one of each: then everything is the same, and so is the verdict.
		again := wire(t, &generated)
		r = request{}
		r.read(again, &s.defaults)
		if len(want.Overrides) > maxNoted || len(r.remove) >= maxNoted {
			return
		}
		require.ElementsMatch(t, want.Overrides, r.Overrides)
		require.Equal(t, want.Unreadable, r.Unreadable)
		require.Equal(t, want.Preflight, r.Preflight)
		decision := s.opt.Cache.Load().Decide(&want, noon)
		require.Equal(t, decision.Refused(), answered(t, s.Check(again, noon)).GetDeniedResponse() != nil)
	})
}

// generatedReading is what there is to read in a check, by way of the generated types.
func generatedReading(c *envoy_service_auth_v3.CheckRequest, defaults state.Request) state.Request {
	http := c.GetAttributes().GetRequest().GetHttp()
	extensions := c.GetAttributes().GetContextExtensions()
	r := state.Request{Method: http.GetMethod(), Target: http.GetPath(), Service: defaults.Service, Env: defaults.Env}
	if service := extensions[extensionService]; service != "" {
		r.Service = service
		if !state.IsService(service) {
			r.Service = ""
		}
	}
	if env := extensions[extensionEnv]; env != "" {
		r.Env = env
	}
	var paths []string
	see := func(name, value string) {
		switch kindOf(name) {
		case headerPath:
			paths = append(paths, value)
		case headerOverride:
			r.Overrides = append(r.Overrides, value)
		case headerPreflight:
			r.Preflight = true
		case headerOther, headerContentType, headerForged:
		}
	}
	for name, value := range http.GetHeaders() {
		see(name, value)
	}
	for _, h := range http.GetHeaderMap().GetHeaders() {
		value := h.GetValue()
		if len(h.GetRawValue()) > 0 {
			value = string(h.GetRawValue())
		}
		see(h.GetKey(), value)
	}
	r.Unreadable = http.GetFragment() != ""
	path := r.Target
	if query := http.GetQuery(); query != "" && !slices.Contains([]byte(path), '?') {
		r.Target += "?" + query
	}
	for _, shown := range paths {
		r.Unreadable = r.Unreadable || shown != path && shown != r.Target || shown != paths[0]
	}
	return r
}
