package authz

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/waygate/waygate/internal/state"
)

// golden compares an answer with a file, which -update writes.
func golden(t *testing.T, name string, response []byte) {
	t.Helper()
	loose, err := protojson.Marshal(answered(t, response))
	require.NoError(t, err)
	// What protojson writes is not the same from build to build.
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, loose, "", "  "))
	path := filepath.Join("testdata", "answers", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, append(text.Bytes(), '\n'), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, string(want), text.String())
}

func TestAnswers(t *testing.T) {
	grpc := map[string]string{"content-type": "application/grpc+proto"}
	web := map[string]string{"content-type": "application/grpc-web+proto"}
	tests := []struct {
		name, method, path string
		headers            map[string]string
		service, env       string
	}{
		{name: "pass", method: "GET", path: "/orders"},
		{name: "pass without what was forged", method: "GET", path: "/orders", headers: map[string]string{"x-waygate-new": "1", "x_original_url": "/payments", "x.rewrite.url": "/payments"}},
		{name: "maintenance", method: "GET", path: "/payments?x=1"},
		{name: "maintenance for grpc", method: "GET", path: "/payments", headers: grpc},
		{name: "maintenance for grpc-web", method: "GET", path: "/payments", headers: web},
		{name: "disabled", method: "POST", path: "/off"},
		{name: "until", method: "GET", path: "/until"},
		{name: "until for grpc", method: "GET", path: "/until", headers: grpc},
		{name: "gone", method: "GET", path: "/old"},
		{name: "gone for grpc", method: "POST", path: "/old", headers: grpc},
		{name: "gone for grpc-web", method: "POST", path: "/old", headers: web},
		{name: "read-only refuses a write", method: "POST", path: "/frozen"},
		{name: "read-only lets a read pass", method: "GET", path: "/frozen"},
		{name: "gated", method: "GET", path: "/beta", env: "production"},
		{name: "gated without an environment", method: "GET", path: "/beta"},
		{name: "service switch", method: "GET", path: "/any/thing?a=b", service: "shut"},
		{name: "deprecated", method: "GET", path: "/v1/users/7"},
		{name: "unreadable", method: "GET", path: "/a#b<script>"},
		{name: "unreadable for grpc", method: "POST", path: "/a#b", headers: grpc},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestServer(t, gate(t), Options{Service: tt.service, Env: tt.env})
			golden(t, strings.ReplaceAll(tt.name, " ", "-"), s.Check(wire(t, asked(tt.method, tt.path, tt.headers)), noon))
		})
	}
}

func TestEveryRefusalCanBeRead(t *testing.T) {
	r := &request{Request: state.Request{Method: "GET", Target: "/p\xffath?q", Env: "pr\xffod"}}
	a := newAnswers("boot", nil, 0)
	for cause := state.CauseEnvGated; cause <= state.CauseStale; cause++ {
		for _, kind := range []string{"", "application/grpc", "application/grpc-web"} {
			r.contentType = kind
			d := &state.Decision{
				Cause: cause, Status: state.Maintenance, Path: "/x\xff", Reason: "a\r\nset-cookie: b\xff\x00ü%", RetryAt: noon.Add(time.Second), Envs: []string{"dev"},
			}
			got := answered(t, a.refuse(d, r, noon))
			require.NotZero(t, got.GetStatus().GetCode())
			require.Nil(t, got.GetErrorResponse(), "a code of 0 in it would let the request pass")
			denied := got.GetDeniedResponse()
			require.GreaterOrEqual(t, int32(denied.GetStatus().GetCode()), int32(400))
			for name, value := range headersOf(denied.GetHeaders()) {
				require.NotContains(t, value, "\n", name)
				require.NotContains(t, value, "\r", name)
			}
			if kind == "" {
				var into map[string]any
				require.NoError(t, json.Unmarshal([]byte(denied.GetBody()), &into))
			}
		}
	}
}

func TestIdsOfDecisionsDiffer(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	seen := map[string]bool{}
	for range 100 {
		got := answered(t, s.Check(wire(t, asked("GET", "/payments", nil)), noon))
		id := headersOf(got.GetDeniedResponse().GetHeaders())["x-waygate-decision"]
		require.Equal(t, id, got.GetDynamicMetadata().AsMap()["decision"])
		seen[id] = true
	}
	require.Len(t, seen, 100)
}

func TestRetryAfterIsWholeSecondsRoundedUp(t *testing.T) {
	tests := []struct {
		name string
		wait time.Duration
		want string
	}{
		{name: "an instant", wait: time.Nanosecond, want: "1"},
		{name: "a second", wait: time.Second, want: "1"},
		{name: "a little more", wait: time.Second + time.Millisecond, want: "2"},
		{name: "an hour", wait: time.Hour, want: "3600"},
		{name: "over", wait: -time.Second, want: "0"},
		{name: "as far as there are durations", wait: math.MaxInt64, want: "9223372037"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, retryAfter(noon.Add(tt.wait), noon, 0))
		})
	}
}

func TestJitterIsOnlyEverAdded(t *testing.T) {
	s := newTestServer(t, gate(t), Options{RetryJitter: 3 * time.Second})
	seen := map[string]bool{}
	for range 500 {
		denied := answered(t, s.Check(wire(t, asked("GET", "/until", nil)), noon)).GetDeniedResponse()
		seen[headersOf(denied.GetHeaders())["retry-after"]] = true
		require.Contains(t, denied.GetBody(), `"retry_after":"2026-06-01T13:30:01Z"`, "the end is when it is")
	}
	require.Equal(t, map[string]bool{"5401": true, "5402": true, "5403": true, "5404": true}, seen)
}

func TestWhatAClientSpeaks(t *testing.T) {
	tests := []struct {
		name, contentType string
		want              protocol
	}{
		{name: "nothing", want: speaksHTTP},
		{name: "json", contentType: "application/json", want: speaksHTTP},
		{name: "grpc", contentType: "application/grpc", want: speaksGRPC},
		{name: "grpc with a codec", contentType: "application/grpc+json", want: speaksGRPC},
		{name: "grpc with parameters", contentType: "Application/GRPC; charset=utf-8", want: speaksGRPC},
		{name: "grpc-web", contentType: "application/grpc-web", want: speaksGRPCWeb},
		{name: "grpc-web text", contentType: "application/grpc-web-text+proto", want: speaksGRPCWeb},
		{name: "another", contentType: "application/grpcx", want: speaksHTTP},
		{name: "connect", contentType: "application/connect+proto", want: speaksHTTP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, protocolOf(tt.contentType))
		})
	}
}

func TestASuccessorIsAReference(t *testing.T) {
	tests := []struct{ name, successor, want string }{
		{name: "path", successor: "/v2/users", want: "/v2/users"},
		{name: "key", successor: "orders:GET:/v2/users/{id}", want: "/v2/users/%7Bid%7D"},
		{name: "address", successor: "https://api.test/v2?x=1", want: "https://api.test/v2?x=1"},
		{name: "what would end the header", successor: "/a>; rel=\"x\"\r\nset-cookie: a", want: "/a%3E;%20rel=%22x%22%0D%0Aset-cookie:%20a"},
		{name: "letters", successor: "/ü%20", want: "/%C3%BC%20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := reference(tt.successor)
			require.Equal(t, tt.want, got)
			_, err := url.Parse(got)
			require.NoError(t, err)
		})
	}
}

func TestAMessageOfGRPCIsPercentEncoded(t *testing.T) {
	got := percentEncoded("50% ü\n")
	require.Equal(t, "50%25 %C3%BC%0A", got)
	back, err := url.PathUnescape(got)
	require.NoError(t, err)
	require.Equal(t, "50% ü\n", back)
}

func TestTheReadyMadeAnswerIsShared(t *testing.T) {
	s := newTestServer(t, gate(t), Options{KeepPathHeaders: []string{"x-original-url"}})
	first := s.Check(wire(t, asked("GET", "/orders", nil)), noon)
	before := bytes.Clone(first)
	second := s.Check(wire(t, asked("GET", "/other", map[string]string{"x-waygate-new": "1"})), noon)
	require.Equal(t, before, first)
	removed := answered(t, second).GetOkResponse().GetHeadersToRemove()
	require.Contains(t, removed, "x-waygate-new")
	require.NotContains(t, removed, "x-original-url")
	require.Subset(t, removed, answered(t, first).GetOkResponse().GetHeadersToRemove())
	require.Empty(t, maps.Collect(maps.All(headersOf(answered(t, first).GetOkResponse().GetHeaders()))), "nothing is sent upstream")
}
