package authz

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/waygate/waygate/internal/parts"
)

// seen is what the service behind Envoy saw of a request.
type seen struct {
	Path    string
	Headers http.Header
}

// behindEnvoy starts a service, and Envoy in front of it that asks a socket.
func behindEnvoy(t *testing.T, socket string) *parts.EnvoyProxy {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(seen{Path: r.RequestURI, Headers: r.Header})
	}))
	t.Cleanup(service.Close)
	return parts.StartEnvoy(t, parts.SidecarYAML(t, "envoy/envoy.yaml", service.Listener.Addr().String(), "unix://"+socket))
}

// reply is what a client of Envoy got.
type reply struct {
	status int
	header http.Header
	body   string
}

// through sends a request through Envoy.
func through(t *testing.T, proxy *parts.EnvoyProxy, method, path string, headers http.Header) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+proxy.Addr+path, http.NoBody)
	require.NoError(t, err)
	maps.Copy(req.Header, headers)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

func TestEnvoyDoesAsItIsTold(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	e := NewEdge(s)
	path := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- e.Serve(l, nil) }()
	proxy := behindEnvoy(t, path)
	require.Eventually(t, func() bool {
		through(t, proxy, "GET", "/orders", nil)
		return s.Totals().Checks > 0 // Envoy has seen that we are healthy
	}, 20*time.Second, 10*time.Millisecond)

	refused := through(t, proxy, "GET", "/payments?x=1", nil)
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.JSONEq(t, `{"error":{"code":"MAINTENANCE_MODE","message":"This route is temporarily unavailable for maintenance",
		"reason":"DB migration","path":"GET:/payments"}}`, refused.body)
	require.Equal(t, "application/json", refused.header.Get("content-type"))
	require.Equal(t, "no-store", refused.header.Get("cache-control"))
	require.Equal(t, "Origin", refused.header.Get("vary"))
	require.Regexp(t, `^boot-`, refused.header.Get("x-waygate-decision"))
	head := through(t, proxy, "HEAD", "/payments", nil)
	require.Equal(t, http.StatusServiceUnavailable, head.status)
	require.Empty(t, head.body)
	gated := through(t, proxy, "GET", "/beta", nil)
	require.Equal(t, http.StatusForbidden, gated.status)
	require.Contains(t, gated.body, `"current_env":"production"`)
	unreadable := through(t, proxy, "GET", "/pay%2525256Dents", nil)
	require.Equal(t, http.StatusBadRequest, unreadable.status)
	require.Contains(t, unreadable.body, "UNREADABLE_REQUEST")

	// Passed: without what a client must not send, and with what is known of the end of the route.
	passed := through(t, proxy, "GET", "/v1/users/7", http.Header{
		"X-Waygate-Env": {"staging"}, "X-Waygate-Made-Up": {"1"}, "X-Original-Url": {"/payments"},
		"X-Envoy-Auth-Failure-Mode-Allowed": {"true"}, "X-Kept": {"yes"},
		"X.Original.Url": {"/payments"}, "X-Rewrite.Url": {"/payments"}, "Script_name": {"/v1"}, "X-Script-Name": {"/v1"},
	})
	require.Equal(t, http.StatusOK, passed.status)
	require.Regexp(t, `^@\d+$`, passed.header.Get("deprecation"))
	require.Equal(t, "Tue, 02 Jun 2026 12:00:00 GMT", passed.header.Get("sunset"))
	require.Equal(t, `</v2/users/%7Bid%7D>; rel="successor-version"`, passed.header.Get("link"))
	var saw seen
	require.NoError(t, json.Unmarshal([]byte(passed.body), &saw))
	require.Equal(t, "yes", saw.Headers.Get("x-kept"))
	for name := range saw.Headers {
		require.NotRegexp(t, `(?i)waygate|original.url|rewrite.url|script.name`, name)
	}
	require.Empty(t, saw.Headers.Get(failOpenMark))

	// A gRPC client gets a status and a sentence.
	conn, err := grpc.NewClient(proxy.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	err = conn.Invoke(t.Context(), "/off", &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Equal(t, `This route is disabled: quotes " and <b>`, status.Convert(err).Message())
	require.NoError(t, conn.Close())

	counters := proxy.Counters("http.ingress.ext_authz.waygate")
	require.Zero(t, counters["http.ingress.ext_authz.waygate.error"])
	require.Zero(t, counters["http.ingress.ext_authz.waygate.invalid"])
	proxy.Stop()
	e.Stop(t.Context())
	require.NoError(t, <-served)
}

// TestChecksAreCaptured writes testdata/*.bin anew with -update: what a real Envoy sends with the shipped bootstrap
// (headers as bytes) and without encode_raw_headers (headers as a map).
func TestChecksAreCaptured(t *testing.T) {
	requests := []struct {
		name, method, path string
		headers            http.Header
	}{
		{name: "browser", method: "GET", path: "/orders/42?b=2&a=1", headers: http.Header{
			"Accept": {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "Accept-Language": {"en-GB,en;q=0.9"},
			"Accept-Encoding": {"gzip, deflate, br"}, "Cookie": {"session=abcdef0123456789; theme=dark"}, "Referer": {"https://shop.test/a"},
			"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Safari/537.36"},
		}},
		{name: "api", method: "POST", path: "/orders", headers: http.Header{
			"Accept": {"*/*"}, "Content-Type": {"application/json"}, "User-Agent": {"curl/8.5.0"}, "X-Waygate-Env": {"dev"},
		}},
	}
	if !*update {
		require.Len(t, captured(t), 2*len(requests))
		for name, message := range captured(t) {
			var r request
			r.read(message, &newTestServer(t, nil, Options{}).defaults)
			require.Equal(t, "shop", r.Service, name)
			require.Equal(t, "production", r.Env, name)
			require.True(t, strings.HasPrefix(r.Target, "/orders"), name)
			require.False(t, r.Unreadable, name)
		}
		return
	}
	for _, form := range []struct{ name, setting string }{{name: "bytes", setting: "encode_raw_headers: true"}, {name: "map", setting: "encode_raw_headers: false"}} {
		messages := make(chan []byte, 1)
		path := filepath.Join(t.TempDir(), "a.sock")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		require.NoError(t, err)
		server := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			if method, _ := grpc.MethodFromServerStream(stream); method != checkMethod {
				return status.Error(codes.Unimplemented, "Envoy asks whether it likes it or not")
			}
			var message, pass []byte
			if err := stream.RecvMsg(&message); err != nil {
				return err
			}
			messages <- message
			return stream.SendMsg(&pass)
		}))
		go func() { _ = server.Serve(l) }()
		bootstrap := parts.Replace(t, parts.SidecarYAML(t, "envoy/envoy.yaml", "127.0.0.1:1", "unix://"+path),
			"encode_raw_headers: true", form.setting, "healthy_panic_threshold: { value: 0 }", "healthy_panic_threshold: { value: 100 }")
		proxy := parts.StartEnvoy(t, bootstrap)
		for _, ask := range requests {
			through(t, proxy, ask.method, ask.path, ask.headers)
			require.NoError(t, os.WriteFile(filepath.Join("testdata", ask.name+"-"+form.name+".bin"), <-messages, 0o600))
		}
		proxy.Stop()
		server.Stop()
	}
}
