package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/authz"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
	"github.com/waygate/waygate/internal/state"
)

// Config is all that waygate-authz can be told. Every flag has a variable.
type Config struct {
	Listen    []string `env:"WAYGATE_AUTHZ_LISTEN"     envDefault:":9001" flag:"listen"     value:"HOST:PORT" usage:"where gateways ask, HOST:PORT or unix:///path[?mode=0660]"`
	OpsListen string   `env:"WAYGATE_AUTHZ_OPS_LISTEN" envDefault:":9002" flag:"ops-listen" value:"HOST:PORT" usage:"where to serve /livez, /readyz and /metrics, or off"`
	ReadyFile string   `env:"WAYGATE_AUTHZ_READY_FILE"                    flag:"ready-file" value:"FILE"      usage:"write the bound addresses here when ready"`

	Source    string `env:"WAYGATE_SOURCE"     flag:"source"    value:"URL"  usage:"where truth is: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://, or an admin's base URL such as http://localhost:8000/waygate"`
	Namespace string `env:"WAYGATE_NAMESPACE"  flag:"namespace" value:"NAME" usage:"tells several Waygates in one Redis apart" envDefault:"default"`
	Backend   string `env:"WAYGATE_BACKEND"    usage:"without a source: redis means the Redis of WAYGATE_REDIS_URL" choices:"memory,file,redis"`
	RedisURL  string `env:"WAYGATE_REDIS_URL"  usage:"the source where WAYGATE_BACKEND is redis" envDefault:"redis://localhost:6379/0"`
	ServerURL string `env:"WAYGATE_SERVER_URL" usage:"the source otherwise: an admin's base URL"`
	Token     string `env:"WAYGATE_TOKEN"      usage:"for a source that is an admin with users"`

	SnapshotDir string        `env:"WAYGATE_SNAPSHOT_DIR" flag:"snapshot-dir" value:"DIR" usage:"keep the last snapshot here, to start with while the source is away"`
	MaxStale    time.Duration `env:"WAYGATE_MAX_STALE"    flag:"max-stale"    usage:"how old a snapshot may be that the source does not confirm (default: no limit)"`
	OnStale     string        `env:"WAYGATE_ON_STALE"     flag:"on-stale"     usage:"what to answer after that" envDefault:"keep" choices:"keep,open,closed"`

	InstanceID string `env:"WAYGATE_INSTANCE_ID" flag:"instance-id" value:"ID"   usage:"name in the fleet (default: host and listen address)"`
	Service    string `env:"WAYGATE_SERVICE"     flag:"service"     value:"NAME" usage:"service of requests that the gateway names none for"`
	Env        string `env:"WAYGATE_ENV"         flag:"env"         value:"NAME" usage:"environment of requests that the gateway names none for: dev, staging, production…"`

	KeepPathHeaders []string      `env:"WAYGATE_KEEP_PATH_HEADERS" flag:"keep-path-headers" value:"NAME" choices:"x-original-url,x-rewrite-url,x-original-uri,x-forwarded-uri,x-forwarded-path,x-envoy-original-path,script_name,x-script-name" usage:"leave this header alone, because a proxy in front of the gateway sets it"`
	RetryJitter     time.Duration `env:"WAYGATE_RETRY_JITTER" flag:"retry-jitter" envDefault:"0s" usage:"add up to this much to Retry-After at random, in whole seconds, so that clients do not all come back at once"`
	DrainDelay      time.Duration `env:"WAYGATE_DRAIN_DELAY" flag:"drain-delay" envDefault:"0s" usage:"on SIGTERM, be unhealthy for this long before stopping; only where gateways know other instances"`

	serve.TLS
	config.Log

	// OwnProcess says that nothing else runs in this process: memory and processors are then tuned for it.
	OwnProcess bool

	// local is a machine's clock that is wrong, in a test; nil is the real one.
	local func() time.Time
}

// off turns a listener off.
const off = "off"

// plan is a Config that was understood.
type plan struct {
	Config
	listen []serve.Address
	opsAt  *serve.Address // nil: off
	source source
}

// settle fills in what depends on other settings, and refuses what does not go together.
func (c Config) settle() (*plan, error) {
	p := &plan{Config: c}
	for _, text := range c.Listen {
		a, err := serve.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
		p.listen = append(p.listen, a)
	}
	if c.OpsListen != off {
		a, err := serve.ParseAddress(c.OpsListen)
		if err != nil {
			return nil, fmt.Errorf("--ops-listen: %w; or %q", err, off)
		}
		p.opsAt = &a
	}
	if c.Service != "" {
		if err := state.CheckService(c.Service); err != nil {
			return nil, fmt.Errorf("--service: %w", err)
		}
	}
	switch {
	case len(p.listen) == 0:
		return nil, errors.New("--listen: write HOST:PORT or unix:///path")
	case c.MaxStale < 0 || c.DrainDelay < 0:
		return nil, errors.New("--max-stale and --drain-delay are not negative")
	case c.RetryJitter < 0 || c.RetryJitter%time.Second != 0:
		return nil, errors.New("--retry-jitter is in whole seconds: write 10s, or 0s for none")
	case c.MaxStale == 0 && authz.Stale(c.OnStale) != authz.StaleKeep:
		return nil, fmt.Errorf("--on-stale %s needs --max-stale: without it no snapshot is ever too old", c.OnStale)
	}
	// A certificate that cannot be used is told now, and not once the source has answered.
	if _, err := c.Config(zap.NewNop()); err != nil {
		return nil, err //nolint:wrapcheck // it names the files
	}
	var err error
	p.source, err = c.whichSource()
	return p, err
}

// source says where truth is.
type source struct {
	url   string
	redis bool
}

// whichSource finds the source by what was named first.
func (c Config) whichSource() (source, error) {
	switch {
	case c.Source != "":
		return parseSource("--source", c.Source)
	case c.Backend == "redis":
		return source{url: c.RedisURL, redis: true}, nil
	case c.ServerURL != "":
		s, err := parseSource("WAYGATE_SERVER_URL", c.ServerURL)
		if err == nil && s.redis {
			err = fmt.Errorf("WAYGATE_SERVER_URL is an admin's base URL; name a Redis by --source %s", s.url)
		}
		return s, err
	default:
		return source{}, errors.New("nothing says where truth is: --source redis://localhost:6379/0, or an admin's base URL " +
			"such as --source http://localhost:8000/waygate")
	}
}

func parseSource(setting, url string) (source, error) {
	scheme, _, _ := strings.Cut(url, "://")
	switch {
	case slices.Contains([]string{"http", "https"}, scheme):
		return source{url: url}, nil
	case slices.Contains([]string{"redis", "rediss", "unix"}, scheme), strings.HasPrefix(scheme, "redis+"), strings.HasPrefix(scheme, "rediss+"):
		return source{url: url, redis: true}, nil
	default:
		return source{}, fmt.Errorf("%s: %q is no source: write redis://, rediss://, unix://, redis+sentinel://, redis+cluster:// "+
			"or an admin's base URL, http:// or https://", setting, url)
	}
}

// instanceID is the name in the fleet: the one chosen, or the host and where the first listener was bound.
func (c Config) instanceID(first *serve.Listener) string {
	if c.InstanceID != "" {
		return c.InstanceID
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	where := strings.TrimPrefix(first.String(), "unix://")
	if first.TCP() {
		where = where[strings.LastIndexByte(where, ':')+1:]
	}
	return host + ":" + where
}
