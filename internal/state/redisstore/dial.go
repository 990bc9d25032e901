package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/waygate/waygate/internal/crash"
)

const (
	// One attempt to connect, with TLS.
	dialTimeout = time.Second
	// A bound for what has no earlier deadline of its own, so that nothing ever waits for good.
	hardTimeout = 5 * time.Minute
	// How many connections are kept while nobody needs them.
	idleConns = 4
	// A size of the pool that is out of reach for what we do at once. Once it has counted as many failed dials as the
	// pool has places, go-redis dials once a second only, and the first commit after an outage would find it so.
	manyConns = 1 << 16
)

// dialed is a client of go-redis with what the packages around it need to know.
type dialed struct {
	client redis.UniversalClient
	// cluster is the same client where the address is a cluster.
	cluster *redis.ClusterClient
}

// dial makes the client of an address. It connects to nothing yet.
func dial(a Address, name string) (dialed, error) {
	secure, err := a.tlsConfig()
	if err != nil {
		return dialed{}, err
	}
	o := &redis.UniversalOptions{
		Addrs: a.hosts, DB: a.db, Username: a.user, Password: a.pass, MasterName: a.master,
		SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPass, IsClusterMode: a.kind == cluster,
		ClientName: clientName(name), TLSConfig: secure,
		// RESP2 has no push messages that could come between a command and its reply.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		// Never send a command twice: whether that is safe is ours to know.
		MaxRetries: -1, MaxRedirects: -1, DialerRetries: 1, PipelinePoolSize: -1,
		DialTimeout: dialTimeout, ReadTimeout: hardTimeout, WriteTimeout: hardTimeout, ContextTimeoutEnabled: true,
		PoolSize: manyConns, MaxIdleConns: idleConns, ConnMaxIdleTime: 5 * time.Minute,
	}
	switch a.kind {
	case cluster:
		c := redis.NewClusterClient(o.Cluster())
		c.OnNewNode(func(node *redis.Client) { node.AddHook(dialOnce{}) })
		return dialed{client: c, cluster: c}, nil
	case sentinel:
		c := redis.NewFailoverClient(o.Failover())
		c.AddHook(dialOnce{})
		return dialed{client: c}, nil
	default:
		c := redis.NewClient(o.Simple())
		c.AddHook(dialOnce{})
		return dialed{client: c}, nil
	}
}

// node is the client of the server that holds the keys: the one server, the primary the sentinels name, or the owner
// of the slot. Everything goes to it, so that clock, scripts, pipelines and subscription belong to the same server.
func (d dialed) node(ctx context.Context, key string) (*redis.Client, error) {
	if d.cluster != nil {
		return d.cluster.MasterForKey(ctx, key)
	}
	return d.client.(*redis.Client), nil
}

// moved asks for a new map of the cluster where an answer tells that the old one is wrong.
func (d dialed) moved(ctx context.Context, err error) {
	if d.cluster == nil || err == nil {
		return
	}
	switch word(err) {
	case "MOVED", "ASK", "READONLY", "CLUSTERDOWN", "": // no reply: a node that is gone may have been replaced
		d.cluster.ReloadState(ctx)
	}
}

// clientName is a name that CLIENT SETNAME accepts: no spaces, no control characters.
func clientName(name string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return '-'
		}
		return c
	}, name)
}

// tlsConfig reads the files of a TLS address; nil without TLS. Without a name of its own every server is checked against
// the host it was dialed by.
func (a Address) tlsConfig() (*tls.Config, error) {
	if !a.tls {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.files.serverName}
	if a.files.ca != "" {
		pem, err := os.ReadFile(a.files.ca)
		if err != nil {
			return nil, bad("the file of option ca of the Redis URL: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, bad("%s holds no certificate in PEM form", a.files.ca)
		}
	}
	if a.files.cert != "" {
		pair, err := tls.LoadX509KeyPair(a.files.cert, a.files.key)
		if err != nil {
			return nil, bad("the files of options cert and key of the Redis URL: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// dialOnce lets a context with a [onceKey] dial one time only. A subscription of go-redis connects and subscribes again
// by itself when its connection breaks; for us that would be frames missed without a word.
type dialOnce struct{}

// onceKey is the key under which a context carries an *atomic.Bool: whether it dialed.
type onceKey struct{}

var errDialedBefore = errors.New("the connection of this subscription is gone")

// DialHook implements redis.Hook.
func (dialOnce) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dialedBefore, ok := ctx.Value(onceKey{}).(*atomic.Bool); ok && dialedBefore.Swap(true) {
			return nil, errDialedBefore
		}
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return crash.Conn(conn, `"records":`, "redis sent"), nil // what has records is a change
	}
}

// ProcessHook implements redis.Hook.
func (dialOnce) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (dialOnce) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
