package app

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/authz"
)

func TestWhereTruthIs(t *testing.T) {
	tests := []struct {
		name string
		set  Config
		want source
		says string
	}{
		{name: "redis", set: Config{Source: "redis://h:1/0"}, want: source{url: "redis://h:1/0", redis: true}},
		{name: "sentinel", set: Config{Source: "rediss+sentinel://h/m"}, want: source{url: "rediss+sentinel://h/m", redis: true}},
		{name: "socket", set: Config{Source: "unix:///r.sock"}, want: source{url: "unix:///r.sock", redis: true}},
		{name: "admin", set: Config{Source: "https://h/waygate", Backend: "redis"}, want: source{url: "https://h/waygate"}},
		{name: "backend", set: Config{Backend: "redis", RedisURL: "redis://r", ServerURL: "http://a"}, want: source{url: "redis://r", redis: true}},
		{name: "server", set: Config{Backend: "file", ServerURL: "http://a/waygate"}, want: source{url: "http://a/waygate"}},
		{name: "server that is a Redis", set: Config{ServerURL: "redis://a"}, says: "name a Redis by --source"},
		{name: "nothing", set: Config{Backend: "file"}, says: "nothing says where truth is"},
		{name: "file", set: Config{Source: "waygate.json"}, says: `--source: "waygate.json" is no source`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.set.whichSource()
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestTheProgramSaysWhatItCannotDo(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		env    []string
		status int
		says   string
	}{
		{name: "help", args: []string{"--help"}, status: 0},
		{name: "version", args: []string{"--version"}, status: 0},
		{name: "half a certificate", args: []string{"--source=redis://127.0.0.1:1", "--tls-cert=x"}, status: 2, says: "--tls-key"},
		{name: "a certificate that is not there", args: []string{"--source=redis://127.0.0.1:1", "--tls-cert=x", "--tls-key=y"}, status: 2, says: "no such file"},
		{name: "no source", status: 2, says: "waygate-authz: nothing says where truth is"},
		{name: "unknown flag", args: []string{"--lisen=:1"}, status: 2, says: "unknown flag: --lisen"},
		{name: "address", args: []string{"--source=redis://h", "--listen=9001"}, status: 2, says: "--listen: cannot listen on \"9001\": write HOST:PORT or unix:///path"},
		{name: "ops address", args: []string{"--source=redis://h", "--ops-listen=none"}, status: 2, says: `or "off"`},
		{name: "on stale", args: []string{"--source=redis://h", "--on-stale=shut"}, status: 2, says: "keep, open, closed"},
		{name: "on stale without a limit", env: []string{"WAYGATE_SOURCE=redis://h", "WAYGATE_ON_STALE=closed"}, status: 2, says: "needs --max-stale"},
		{name: "negative", args: []string{"--source=redis://h", "--drain-delay=-1s"}, status: 2, says: "not negative"},
		{name: "service", args: []string{"--source=redis://h", "--service=Orders"}, status: 2, says: "--service:"},
		{name: "path header", args: []string{"--source=redis://h", "--keep-path-headers=x-path"}, status: 2, says: "is not one of x-original-url"},
		{name: "jitter", args: []string{"--source=redis://h", "--retry-jitter=1500ms"}, status: 2, says: "--retry-jitter"},
		{name: "backend", env: []string{"WAYGATE_BACKEND=postgres"}, status: 2, says: "is not one of memory, file, redis"},
		{name: "redis address", args: []string{"--source=redis://", "--listen=127.0.0.1:0", "--ops-listen=off"}, status: 1, says: "redis://"},
		{name: "TLS files", args: []string{"--source=redis://127.0.0.1:1", "--listen=127.0.0.1:0", "--ops-listen=off", "--namespace=No Name"}, status: 1, says: "namespace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut strings.Builder
			status := Main(t.Context(), Process{Args: tt.args, Environ: tt.env, Dir: t.TempDir(), Out: &out, Err: &errOut})
			require.Equal(t, tt.status, status, errOut.String())
			require.Contains(t, errOut.String(), tt.says)
			require.Equal(t, tt.name == "help", strings.Contains(out.String(), "--keep-path-headers"))
		})
	}
}

func TestTheChoicesOfPathHeadersAreThoseOfTheServer(t *testing.T) {
	cfg := settings(t, "--keep-path-headers", strings.Join(authz.PathHeaders(), ","))
	require.Equal(t, authz.PathHeaders(), cfg.KeepPathHeaders)
}

func TestAnInstanceHasAName(t *testing.T) {
	redis, s := seeded(t)
	host, err := os.Hostname()
	require.NoError(t, err)
	path := socket(t)
	r := run(t, "--source", redis.URL(), "--listen", "unix://"+path, "--listen", "127.0.0.1:0", "--instance-id", "", "--ops-listen", "off")
	require.Empty(t, r.ready.Ops)
	require.Eventually(t, func() bool {
		all, err := s.Reports(t.Context())
		require.NoError(t, err)
		return len(all) == 1 && all[0].ID == host+":"+path
	}, patience, again)
}
