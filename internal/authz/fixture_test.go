package authz

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	envoy_config_core_v3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/waygate/waygate/internal/state"
)

//nolint:gochecknoglobals // a flag of the test program
var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests take place.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// truth is a snapshot of what write puts into a document.
func truth(tb testing.TB, write func(state.Patch)) *state.Snapshot {
	tb.Helper()
	patch := state.Patch{}
	write(patch)
	meta := state.Meta{Epoch: "e", Gen: 1, Rev: 41}
	doc, err := state.NewDocument(meta).With(patch, state.Meta{Epoch: "e", Gen: 1, Rev: 42})
	require.NoError(tb, err)
	snapshot, err := state.Compile(doc)
	require.NoError(tb, err)
	return snapshot
}

// route is what a patch says about a key.
func route(tb testing.TB, p state.Patch, key string, change func(*state.Route)) {
	tb.Helper()
	k, shown, err := state.ParseKey(key)
	require.NoError(tb, err)
	r := state.Route{Key: k, Shown: shown, Origin: state.OriginCommand}
	change(&r)
	require.NoError(tb, p.SetRoute(r))
}

// gate is the document most tests use.
func gate(tb testing.TB) *state.Snapshot {
	tb.Helper()
	return truth(tb, func(p state.Patch) {
		route(tb, p, "GET:/payments", func(r *state.Route) {
			r.Standing = &state.Block{Effect: state.EffectMaintenance, Reason: "DB migration"}
		})
		route(tb, p, "/off", func(r *state.Route) {
			r.Standing = &state.Block{Effect: state.EffectDisabled, Reason: `quotes " and <b>`}
		})
		route(tb, p, "/beta", func(r *state.Route) { r.Gate = &state.Gate{Envs: []string{"staging", "dev"}, Reason: "not yet"} })
		route(tb, p, "/v1/users/{id}", func(r *state.Route) {
			r.Deprecation = &state.Deprecation{Since: noon.Add(-time.Hour), Sunset: noon.Add(24 * time.Hour), Successor: "GET:/v2/users/{id}"}
		})
		route(tb, p, "/known/{id}", func(*state.Route) {})
		until, _, err := state.ParseKey("/until")
		require.NoError(tb, err)
		require.NoError(tb, p.SetWindow(state.Window{
			ID: "w1", Target: state.Target{Key: until}, Start: noon.Add(-time.Minute), End: noon.Add(90*time.Minute + time.Millisecond),
			Effect: state.EffectMaintenance, Reason: "upgrade", Origin: state.OriginUntil,
		}))
		for path, effect := range map[string]state.Effect{"/old": state.EffectGone, "/frozen": state.EffectReadOnly} {
			key, _, err := state.ParseKey(path)
			require.NoError(tb, err)
			require.NoError(tb, p.SetWindow(state.Window{
				ID: path, Target: state.Target{Key: key}, Start: noon.Add(-time.Minute), End: noon.Add(time.Hour),
				Effect: effect, Reason: "moved", Origin: state.OriginWindow,
			}))
		}
		require.NoError(tb, p.SetService("shut", state.Switch{Standing: &state.Block{Effect: state.EffectMaintenance, Reason: "moving"}}))
	})
}

// newTestServer makes a server of the service "orders" that decides by a snapshot; ids of decisions begin with "boot".
func newTestServer(tb testing.TB, s *state.Snapshot, opt Options) *Server {
	tb.Helper()
	if opt.Service == "" {
		opt.Service = "orders"
	}
	opt.Cache = new(state.Cache)
	opt.Log = zap.NewNop()
	if s != nil {
		opt.Cache.Store(s)
	}
	server := NewServer(opt)
	server.answers.boot = "boot"
	return server
}

// asked is a CheckRequest as Envoy builds it with encode_raw_headers off.
func asked(method, path string, headers map[string]string) *envoy_service_auth_v3.CheckRequest {
	all := map[string]string{":method": method, ":path": path, ":authority": "test"}
	maps.Copy(all, headers)
	return &envoy_service_auth_v3.CheckRequest{Attributes: &envoy_service_auth_v3.AttributeContext{
		Request: &envoy_service_auth_v3.AttributeContext_Request{Http: &envoy_service_auth_v3.AttributeContext_HttpRequest{
			Id: "7433647621113101658", Method: method, Path: path, Host: "test", Scheme: "http", Protocol: "HTTP/1.1", Headers: all,
		}},
	}}
}

// rawHeader is a header as Envoy sends it with encode_raw_headers on.
func rawHeader(name, value string) *envoy_config_core_v3.HeaderValue {
	return &envoy_config_core_v3.HeaderValue{Key: name, RawValue: []byte(value)}
}

// wire is a message as it is sent.
func wire(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	require.NoError(tb, err)
	return b
}

// answered is what generated types read of an answer.
func answered(tb testing.TB, response []byte) *envoy_service_auth_v3.CheckResponse {
	tb.Helper()
	var r envoy_service_auth_v3.CheckResponse
	require.NoError(tb, proto.Unmarshal(response, &r))
	return &r
}

// headersOf are the values of the headers of a list, by name.
func headersOf(options []*envoy_config_core_v3.HeaderValueOption) map[string]string {
	all := map[string]string{}
	for _, o := range options {
		all[o.GetHeader().GetKey()] = o.GetHeader().GetValue()
	}
	return all
}

// captured are checks that a real Envoy sent.
func captured(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.bin")
	require.NoError(tb, err)
	require.NotEmpty(tb, files)
	all := map[string][]byte{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(tb, err)
		all[filepath.Base(file)] = b
	}
	return all
}
