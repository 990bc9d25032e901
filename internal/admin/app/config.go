package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
)

// Config is all that waygate-admin can be told. Every flag has a variable.
type Config struct {
	Listen    []string `env:"WAYGATE_ADMIN_LISTEN"     flag:"listen"     value:"HOST:PORT" usage:"where to listen, HOST:PORT or unix:///path (default :8000; without users 127.0.0.1:8000)"`
	OpsListen string   `env:"WAYGATE_ADMIN_OPS_LISTEN" flag:"ops-listen" value:"HOST:PORT" usage:"where to serve /livez, /readyz and /metrics (default: with everything else)"`
	ReadyFile string   `env:"WAYGATE_ADMIN_READY_FILE" flag:"ready-file" value:"FILE"      usage:"write the bound addresses here when ready"`
	BasePath  string   `env:"WAYGATE_BASE_PATH" envDefault:"/waygate" flag:"base-path" value:"PATH" usage:"where everything lives; / for the root"`

	Backend     string `env:"WAYGATE_BACKEND"   envDefault:"file" flag:"backend" choices:"memory,file,redis" usage:"where truth is kept"`
	FilePath    string `env:"WAYGATE_FILE_PATH" envDefault:"waygate.json" flag:"file-path" value:"FILE" usage:"the document of the file backend"`
	RedisURL    string `env:"WAYGATE_REDIS_URL" envDefault:"redis://localhost:6379/0" flag:"redis-url" value:"URL" usage:"the Redis of the redis backend: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://"`
	Namespace   string `env:"WAYGATE_NAMESPACE" envDefault:"default" flag:"namespace" value:"NAME" usage:"tells several Waygates in one Redis apart"`
	SnapshotDir string `env:"WAYGATE_SNAPSHOT_DIR" flag:"snapshot-dir" value:"DIR" usage:"keep the last good document here, to start with and to repair a lost store from"`

	CheckpointFile string `env:"WAYGATE_CHECKPOINT_FILE" flag:"checkpoint-file" value:"FILE" usage:"append signed checkpoints of the log here, at most one a minute; - for the standard output (default: none)"`
	CheckpointKey  string `env:"WAYGATE_CHECKPOINT_KEY"  flag:"checkpoint-key"  value:"FILE" usage:"the Ed25519 key that signs them (PEM, PKCS #8); made if it is not there, with its public key beside it as FILE.pub"`

	AllowOpen     bool `env:"WAYGATE_ALLOW_OPEN"     flag:"allow-open"     usage:"without users, serve on other addresses than loopback too"`
	RequireReason bool `env:"WAYGATE_REQUIRE_REASON" flag:"require-reason" usage:"refuse to block, schedule, restore or enable a route without a reason"`
	StrictRoutes  bool `env:"WAYGATE_STRICT_ROUTES"  flag:"strict-routes"  usage:"refuse commands on routes that nobody declared or saw"`

	UpcomingLead    time.Duration `env:"WAYGATE_UPCOMING_LEAD" envDefault:"15m" flag:"upcoming-lead" usage:"how long before its start a window is announced; 0 announces none ahead"`
	DefaultOverride time.Duration `env:"WAYGATE_DEFAULT_OVERRIDE" flag:"default-override" usage:"how long a block lasts that names no end (default: until it is lifted)"`
	MaxOverride     time.Duration `env:"WAYGATE_MAX_OVERRIDE"     flag:"max-override"     usage:"how long a block may last that nobody scheduled (default: for ever)"`

	User      string        `env:"WAYGATE_USER" envDefault:"admin" flag:"user" value:"NAME" usage:"the user whose password WAYGATE_PASS is"`
	Pass      string        `env:"WAYGATE_PASS" usage:"the password of the user; without it and a users file the server is open"`
	UsersFile string        `env:"WAYGATE_USERS_FILE" flag:"users-file" value:"FILE" usage:"lines name:argon2id-hash[:viewer|operator|admin]; without a role: operator"`
	SecretKey string        `env:"WAYGATE_SECRET_KEY" usage:"signs tokens; without it a key is made and kept in the store"`
	CLITerm   time.Duration `env:"WAYGATE_CLI_TOKEN_TTL" envDefault:"24h"   flag:"cli-token-ttl" usage:"how long a login of the command line lasts"`
	SDKTerm   time.Duration `env:"WAYGATE_SDK_TOKEN_TTL" envDefault:"8760h" flag:"sdk-token-ttl" usage:"how long a login of the SDK lasts"`

	SecurityLog string `env:"WAYGATE_SECURITY_LOG" flag:"security-log" value:"FILE" usage:"write what was refused here, as JSON lines (default: to the log, under the name security)"`

	Webhooks
	serve.TLS
	config.Log
}

// users reports whether people have to log in.
func (c *Config) users() bool { return c.Pass != "" || c.UsersFile != "" }

// settle fills in what depends on other settings and refuses what does not go together.
func (c *Config) settle() error {
	if len(c.Listen) == 0 {
		c.Listen = []string{":8000"}
		if !c.users() && !c.AllowOpen {
			c.Listen = []string{"127.0.0.1:8000"}
		}
	}
	if c.BasePath == "/" {
		c.BasePath = ""
	}
	if err := errors.Join(c.checkAddresses(), api.CheckBasePath(c.BasePath)); err != nil {
		return err
	}
	if _, err := c.Config(zap.NewNop()); err != nil {
		return err //nolint:wrapcheck // it names the files
	}
	if c.CLITerm <= 0 || c.SDKTerm <= 0 {
		return errors.New("--cli-token-ttl and --sdk-token-ttl are longer than nothing")
	}
	if (c.CheckpointFile == "") != (c.CheckpointKey == "") {
		return errors.New("--checkpoint-file and --checkpoint-key belong together")
	}
	switch {
	case c.UpcomingLead < 0 || c.DefaultOverride < 0 || c.MaxOverride < 0:
		return errors.New("--upcoming-lead, --default-override and --max-override are not negative")
	case c.MaxOverride > 0 && c.DefaultOverride > c.MaxOverride:
		return errors.New("--default-override is not longer than --max-override")
	}
	return nil
}

// checkAddresses refuses what nobody can listen on, and where it can be told without binding it, what others could reach.
func (c *Config) checkAddresses() error {
	for _, text := range c.Listen {
		a, err := serve.ParseAddress(text)
		if err != nil {
			return fmt.Errorf("--listen: %w", err)
		}
		if host, _, err := net.SplitHostPort(a.Target); err == nil && a.Network == "tcp" && !c.users() && !c.AllowOpen {
			if addr, err := netip.ParseAddr(host); host == "" || err == nil && !addr.Unmap().IsLoopback() {
				return fmt.Errorf("--listen: %s: %w", text, errOpen)
			}
		}
	}
	if c.OpsListen == "" {
		return nil
	}
	if _, err := serve.ParseAddress(c.OpsListen); err != nil {
		return fmt.Errorf("--ops-listen: %w", err)
	}
	return nil
}

// errOpen is what a server without users that others could reach is refused with.
var errOpen = errors.New("without users this server may only be reached from this machine: " +
	"set WAYGATE_PASS or --users-file, listen on 127.0.0.1, or say --allow-open")

// checkOpen refuses a bound address that other machines reach, where nobody has to log in.
func (c *Config) checkOpen(l *serve.Listener) error {
	if c.users() || c.AllowOpen || !l.TCP() {
		return nil
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		if addr, ok := netip.AddrFromSlice(tcp.IP); ok && addr.Unmap().IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", l, errOpen)
}
