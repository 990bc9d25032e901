package redisstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestContractOverAUnixSocket(t *testing.T) {
	server := parts.Redis(t)
	statetest.Run(t, opener(server.SocketURL()+"?db=3"))
	require.Zero(t, run(t, raw(t, server), "DBSIZE"), "all of it is in database 3")
}

func TestContractOnACluster(t *testing.T) {
	t.Parallel()
	url, nodes := startCluster(t)
	statetest.Run(t, opener(url))
	t.Run("users need one right more", func(t *testing.T) { clusterUsers(t, url, nodes) })
	t.Run("the slot moves to another node", func(t *testing.T) { slotMoves(t, url, nodes) })
}

// clusterUsers opens a store and a reader whose users have the rules of the docs and may ask who owns which slot.
func clusterUsers(t *testing.T, url string, nodes []*redis.Client) {
	for _, c := range nodes {
		user(t, c, "admin", adminRule+" +cluster|slots")
		user(t, c, "gate", readerRule+" +cluster|slots")
	}
	_, hosts, _ := strings.Cut(url, "://")
	s := admin(t, "redis+cluster://admin:s3cret%2F@"+hosts, "default")
	base := statetest.Seeded(t, s)
	reader, err := redisstore.OpenReader(t.Context(), "redis+cluster://gate:s3cret%2F@"+hosts, "default", redisstore.Options{})
	require.NoError(t, err)
	defer reader.Close()
	watching := watch(t, reader)
	r, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
	require.NoError(t, err)
	require.Equal(t, r.Frame, <-watching.frames)
	_, err = reader.Load(t.Context())
	require.NoError(t, err)
	require.NoError(t, reader.Report(t.Context(), state.Report{ID: "gate-1"}))
	reports, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1)
}

// slotMoves moves our keys to another node of a cluster in use: commits go on after a moment, and a watch that stays with
// the old node goes on as well, because a cluster tells all its nodes what is published.
func slotMoves(t *testing.T, url string, nodes []*redis.Client) {
	s := admin(t, url, "moving")
	base := statetest.Seeded(t, s)
	watching := watch(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "before")))
	require.Equal(t, base.Rev, (<-watching.frames).Rev)

	slot := run(t, nodes[0], "CLUSTER", "KEYSLOT", "{wg:moving}:meta")
	var from, to *redis.Client
	for _, c := range nodes {
		if run(t, c, "CLUSTER", "COUNTKEYSINSLOT", slot).(int64) > 0 {
			from = c
		} else {
			to = c
		}
	}
	fromID, toID := run(t, from, "CLUSTER", "MYID"), run(t, to, "CLUSTER", "MYID")
	run(t, to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	run(t, from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	host, port, err := net.SplitHostPort(to.Options().Addr)
	require.NoError(t, err)
	migrate := []any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}
	migrate = append(migrate, run(t, from, "CLUSTER", "GETKEYSINSLOT", slot, 100).([]any)...)
	run(t, from, migrate...)
	_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "during"))
	require.ErrorIs(t, err, state.ErrUnavailable, "half moved")
	for _, c := range []*redis.Client{to, from} {
		run(t, c, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	}

	start := time.Now()
	var r state.Receipt
	eventually(t, func() bool {
		r, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "after"))
		return err == nil
	}, "commits go on at the new node")
	t.Logf("commits went on after %v", time.Since(start))
	require.Equal(t, r.Frame, <-watching.frames)
}

// startCluster starts three nodes that own a third of the slots each, and gives the URL of two of them.
func startCluster(t *testing.T) (string, []*redis.Client) {
	t.Helper()
	const nodes = 3
	var servers []*parts.RedisServer
	var clients []*redis.Client
	for range nodes {
		server := parts.Redis(t, "--cluster-enabled", "yes")
		servers, clients = append(servers, server), append(clients, raw(t, server))
	}
	for i, c := range clients {
		run(t, c, "CLUSTER", "ADDSLOTSRANGE", i*16384/nodes, (i+1)*16384/nodes-1)
		run(t, c, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
	}
	host, port, err := net.SplitHostPort(servers[0].Addr())
	require.NoError(t, err)
	for _, c := range clients[1:] {
		run(t, c, "CLUSTER", "MEET", host, port)
	}
	for _, c := range clients {
		eventually(t, func() bool {
			return strings.Contains(run(t, c, "CLUSTER", "INFO").(string), "cluster_state:ok")
		}, "the cluster comes up")
	}
	return "redis+cluster://" + servers[0].Addr() + "," + servers[1].Addr(), clients
}

func TestContractOverTLS(t *testing.T) {
	ca, cert, key := certificates(t)
	port := freePort(t)
	parts.Redis(t, "--tls-port", port, "--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", key)
	url := "rediss://127.0.0.1:" + port
	statetest.Run(t, opener(url+"?ca="+ca+"&cert="+cert+"&key="+key))

	for _, test := range []struct{ name, url string }{
		{"an authority nobody knows", url + "?cert=" + cert + "&key=" + key},
		{"another name", url + "?ca=" + ca + "&cert=" + cert + "&key=" + key + "&server_name=other"},
		{"no certificate of ours", url + "?ca=" + ca},
		{"no TLS", "redis://127.0.0.1:" + port},
	} {
		s := admin(t, test.url, "tls")
		_, err := s.Pulse(t.Context())
		require.ErrorIs(t, err, state.ErrUnavailable, test.name)
	}
	_, err := redisstore.Open(t.Context(), url+"?ca=/nowhere", "tls", redisstore.Options{})
	require.ErrorContains(t, err, "/nowhere")
	_, err = redisstore.Open(t.Context(), url+"?ca="+key, "tls", redisstore.Options{})
	require.ErrorContains(t, err, "no certificate")
	_, err = redisstore.Open(t.Context(), url+"?cert="+ca+"&key="+ca, "tls", redisstore.Options{})
	require.ErrorContains(t, err, "cert and key")
}

// certificates writes an authority, and a certificate of it for 127.0.0.1 that serves both sides.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &private.PublicKey, private)
	require.NoError(t, err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	return write("ca.pem", "CERTIFICATE", rootDER), write("cert.pem", "CERTIFICATE", leafDER), write("key.pem", "EC PRIVATE KEY", keyDER)
}

// freePort is a port that nobody listens on now; redis-server cannot be told to take any.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Sentinels promote the replica of a primary that was killed, and everybody goes on with it.
func TestFailoverBySentinels(t *testing.T) {
	t.Parallel()
	primary, replica := parts.Redis(t), parts.Redis(t)
	host, port, err := net.SplitHostPort(primary.Addr())
	require.NoError(t, err)
	c := raw(t, replica)
	run(t, c, "REPLICAOF", host, port)
	eventually(t, func() bool {
		return strings.Contains(run(t, c, "INFO", "replication").(string), "master_link_status:up")
	}, "the replica is in sync")
	url := "redis+sentinel://127.0.0.1:" + startSentinel(t, host, port) + "/main"

	s := admin(t, url, "failover")
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "kept")))
	require.EqualValues(t, 1, run(t, raw(t, primary), "WAIT", 1, 5000))
	follower, cache := following(t, s)
	require.NoError(t, follower.Wait(t.Context(), base.Epoch, base.Rev))

	primary.Kill()
	start := time.Now()
	var r state.Receipt
	eventually(t, func() bool {
		require.Equal(t, "kept", statetest.Reason(t, cache.Load().Document(), "GET:/a"))
		var err error
		r, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/b", "after"))
		return err == nil
	}, "the replica takes over")
	t.Logf("the next commit succeeded after %v", time.Since(start))
	require.Equal(t, base.Rev+1, r.Frame.Rev)
	require.NoError(t, follower.Wait(t.Context(), r.Frame.Epoch, r.Frame.Rev))
	require.Equal(t, "kept", statetest.Reason(t, cache.Load().Document(), "GET:/a"))
}

// startSentinel starts one sentinel that alone decides, and gives its port.
func startSentinel(t *testing.T, host, port string) string {
	t.Helper()
	own := freePort(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 500\n"+
		"sentinel failover-timeout main 5000\n", own, host, port)
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), parts.RedisBinary(t), conf, "--sentinel")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the context of the test ends it
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: "127.0.0.1:" + own, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = sentinel.Close() })
	eventually(t, func() bool {
		replicas, err := sentinel.Replicas(t.Context(), "main").Result()
		return err == nil && len(replicas) == 1
	}, "the sentinel knows the replica")
	return own
}
