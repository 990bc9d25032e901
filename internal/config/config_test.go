package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/config"
)

type settings struct {
	Listen   []string      `env:"T_LISTEN"    envDefault:":9001" flag:"listen"    value:"HOST:PORT"          usage:"where to listen"`
	MaxStale time.Duration `env:"T_MAX_STALE"                    flag:"max-stale"                            usage:"how old the truth may be"`
	OnStale  string        `env:"T_ON_STALE"  envDefault:"keep"  flag:"on-stale"  choices:"keep,open,closed" usage:"what then"`
	Open     bool          `env:"T_OPEN"                         flag:"open"                                 usage:"without users"`
	Port     int           `env:"T_PORT"      envDefault:"7"     flag:"port"                                 usage:"a number"`
	Token    string        `env:"T_TOKEN"                                                                    usage:"a secret"`
	config.Log
	ready func()
}

func TestFlagsWinOverEnvironmentWinsOverFile(t *testing.T) {
	defaults := settings{Listen: []string{":9001"}, OnStale: "keep", Port: 7, Log: config.Log{LogLevel: "info", LogFormat: "json"}}
	with := func(change func(*settings)) settings { s := defaults; change(&s); return s }
	tests := []struct {
		name, file string
		environ    []string
		args       []string
		want       settings
	}{
		{name: "nothing", want: defaults},
		{name: "file", file: "T_ON_STALE=open\n# a comment\n\nexport T_TOKEN=\"a b\"\nT_PORT = 8\n", want: with(func(s *settings) {
			s.OnStale, s.Token, s.Port = "open", "a b", 8
		})},
		{name: "environment over file", file: "T_ON_STALE=open\nT_OPEN=true", environ: []string{"T_ON_STALE=closed"}, want: with(func(s *settings) {
			s.OnStale, s.Open = "closed", true
		})},
		{name: "empty is not set", file: "T_ON_STALE=open", environ: []string{"T_ON_STALE=", "T_PORT="}, want: with(func(s *settings) {
			s.OnStale = "open"
		})},
		{name: "flag over both", file: "T_ON_STALE=open", environ: []string{"T_ON_STALE=keep"}, args: []string{"--on-stale", "closed"}, want: with(func(s *settings) {
			s.OnStale = "closed"
		})},
		{name: "several", environ: []string{"T_LISTEN=:1,unix:///a"}, want: with(func(s *settings) { s.Listen = []string{":1", "unix:///a"} })},
		{
			name: "flags replace a list", environ: []string{"T_LISTEN=:1"}, args: []string{"--listen=:2", "--listen", ":3"},
			want: with(func(s *settings) { s.Listen = []string{":2", ":3"} }),
		},
		{name: "kinds", args: []string{"--open", "--max-stale=1m30s", "--port", "9", "--log-level=debug"}, want: with(func(s *settings) {
			s.Open, s.MaxStale, s.Port, s.LogLevel = true, 90*time.Second, 9, "debug"
		})},
		{name: "a flag can say no", environ: []string{"T_OPEN=true"}, args: []string{"--open=false"}, want: defaults},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.file != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, ".waygate"), []byte(tt.file), 0o600))
			}
			below := filepath.Join(dir, "a", "b")
			require.NoError(t, os.MkdirAll(below, 0o700))
			vars, err := config.Environment(below, tt.environ)
			require.NoError(t, err)
			var got settings
			require.NoError(t, config.Load(&got, "prog", tt.args, vars, os.Stderr))
			require.Nil(t, got.ready)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	tests := []struct {
		name string
		vars map[string]string
		args []string
		want string
	}{
		{name: "not a choice", args: []string{"--on-stale=shut"}, want: `--on-stale (T_ON_STALE): "shut" is not one of keep, open, closed`},
		{name: "not a choice in a variable", vars: map[string]string{"T_ON_STALE": "OPEN"}, want: `"OPEN" is not one of keep, open, closed`},
		{name: "not a duration", args: []string{"--max-stale", "soon"}, want: `--max-stale (T_MAX_STALE): "soon" is not a duration such as`},
		{name: "not a number", args: []string{"--port", "x"}, want: `--port (T_PORT): "x" is not a number`},
		{name: "not a yes or no", args: []string{"--open=perhaps"}, want: `--open (T_OPEN): "perhaps" is not true or false`},
		{name: "two at once", args: []string{"--open=perhaps", "--port=x"}, want: `(T_PORT): "x" is not a number`},
		{name: "embedded", vars: map[string]string{"WAYGATE_LOG_LEVEL": "loud"}, want: `--log-level (WAYGATE_LOG_LEVEL): "loud" is not one of debug, info, warn, error`},
		{name: "unknown flag", args: []string{"--nope"}, want: "unknown flag: --nope; prog --help lists the flags"},
		{name: "a secret is no flag", args: []string{"--token=x"}, want: "unknown flag: --token"},
		{name: "positional", args: []string{"start"}, want: `"start" is not expected`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			require.ErrorContains(t, config.Load(&settings{}, "prog", tt.args, tt.vars, &out), tt.want)
		})
	}
}

func TestHelpNamesEverything(t *testing.T) {
	var out strings.Builder
	require.ErrorIs(t, config.Load(&settings{}, "prog", []string{"--help"}, nil, &out), config.ErrHelp)
	for _, want := range []string{"--version", "--listen HOST:PORT", "default :9001; repeatable; T_LISTEN", "keep|open|closed", "T_TOKEN", "--log-level"} {
		require.Contains(t, out.String(), want)
	}
}

func TestTheVersionIsTold(t *testing.T) {
	var out strings.Builder
	require.ErrorIs(t, config.Load(&settings{}, "prog", []string{"--version"}, nil, &out), config.ErrVersion)
	require.Equal(t, "prog version "+config.Version()+"\n", out.String())
}

func TestASettingsFile(t *testing.T) {
	dir := t.TempDir()
	vars, path, err := config.File(dir)
	require.NoError(t, err)
	require.Empty(t, vars)
	require.Empty(t, path)

	// A login of the command line is a directory of the same name: no settings.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "home", ".waygate"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".waygate"), []byte("A='1'\nB=a=b\nC=\n"), 0o600))
	vars, path, err = config.File(filepath.Join(dir, "home"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, ".waygate"), path)
	require.Equal(t, map[string]string{"A": "1", "B": "a=b", "C": ""}, vars)

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".waygate"), []byte("A=1\nno sense\n"), 0o600))
	_, _, err = config.File(dir)
	require.ErrorContains(t, err, `.waygate, line 2: "no sense" is not KEY=value`)
}

func TestTheLogIsLinesOfJSON(t *testing.T) {
	var out strings.Builder
	log, err := config.Log{LogLevel: "warn", LogFormat: "json"}.Logger(&out)
	require.NoError(t, err)
	log.Info("not this")
	log.Warn("this")
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `"msg":"this"`)
}

func TestTheVersionIsKnown(t *testing.T) {
	require.NotEmpty(t, config.Version())
}
