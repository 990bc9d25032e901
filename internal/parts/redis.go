package parts

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a real redis-server on a loopback port and on a Unix socket, without persistence unless its
// arguments say otherwise. Its methods belong to the test's goroutine.
type RedisServer struct {
	tb      testing.TB
	binary  string
	args    []string
	dir     string
	port    int
	process *process
}

// portTries is how many ports are tried before a start is given up.
const portTries = 20

// Redis starts a redis-server and returns when it answers PING. Args are those of redis-server ("--appendonly", "yes")
// and win over the defaults (no snapshots, no append-only file). It is killed when the test ends.
func Redis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	binary := RedisBinary(tb)
	dir, err := os.MkdirTemp("", "wg-redis-") //nolint:usetesting // tb.TempDir has the test's name: too long for a socket
	if err != nil {
		tb.Fatalf("directory for redis: %v", err)
	}
	r := &RedisServer{tb: tb, binary: binary, args: args, dir: dir}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("remove what redis left: %v", err)
		}
	})
	for range portTries {
		r.port = FreePort(tb)
		if err = r.start(); err == nil {
			return r
		}
		if !r.addressInUse() {
			break
		}
	}
	tb.Fatal(err)
	return nil
}

// Addr is its TCP address, "127.0.0.1:21873". It stays the same over [RedisServer.Restart].
func (r *RedisServer) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// URL is "redis://127.0.0.1:21873/0".
func (r *RedisServer) URL() string { return "redis://" + r.Addr() + "/0" }

// Socket is the path of its Unix socket.
func (r *RedisServer) Socket() string { return filepath.Join(r.dir, "redis.sock") }

// SocketURL is "unix:///tmp/…/redis.sock".
func (r *RedisServer) SocketURL() string { return "unix://" + r.Socket() }

// PID is the id of the running process.
func (r *RedisServer) PID() int { return r.process.pid() }

// Stop ends it with SIGTERM, as an orderly shutdown does.
func (r *RedisServer) Stop() {
	r.tb.Helper()
	r.process.stop()
}

// Kill ends it with SIGKILL: nothing is written any more, connections are reset.
func (r *RedisServer) Kill() {
	r.tb.Helper()
	r.process.kill()
}

// Pause freezes it with SIGSTOP: connections stay open and nothing answers, which is what a dead network looks like.
func (r *RedisServer) Pause() {
	r.tb.Helper()
	r.process.signal(syscall.SIGSTOP)
}

// Resume ends [RedisServer.Pause].
func (r *RedisServer) Resume() {
	r.tb.Helper()
	r.process.signal(syscall.SIGCONT)
}

// Restart starts it again at the same address and with the files it left, killing it first where it still runs.
func (r *RedisServer) Restart() {
	r.tb.Helper()
	r.process.kill()
	if err := r.start(); err != nil {
		r.tb.Fatal(err)
	}
}

// RestartEmpty is [RedisServer.Restart] after everything it stored was removed.
func (r *RedisServer) RestartEmpty() {
	r.tb.Helper()
	r.process.kill()
	left, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil {
		r.tb.Fatalf("list what redis left: %v", err)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			r.tb.Fatalf("remove what redis left: %v", err)
		}
	}
	r.Restart()
}

// start runs redis-server on the port chosen and waits until it answers.
func (r *RedisServer) start() error {
	args := []string{
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--unixsocket", r.Socket(), "--dir", r.dir,
		"--daemonize", "no", "--save", "", "--appendonly", "no",
	}
	r.process = start(r.tb, "redis-server", r.binary, append(args, r.args...)...)
	return r.process.wait(r.ping)
}

// ping is nil once the server answers commands, and it is ours: when several test programs run, another one's may have
// got hold of the port. One that asks for a password answers them too.
func (r *RedisServer) ping() error {
	conn, err := net.DialTimeout("tcp", r.Addr(), time.Second) //nolint:noctx // a loopback dial with its own deadline
	if err != nil {
		return fmt.Errorf("dial redis: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return fmt.Errorf("send PING: %w", err)
	}
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the answer to PING: %w", err)
	}
	switch {
	case strings.HasPrefix(line, "-NOAUTH"):
		return nil
	case !strings.HasPrefix(line, "+PONG"):
		return errors.New("redis answered PING with " + strings.TrimSpace(line))
	}
	return r.ours(conn, answers)
}

// ours is nil unless the server says that it is another process.
func (r *RedisServer) ours(conn io.Writer, answers *bufio.Reader) error {
	if _, err := io.WriteString(conn, "INFO server\r\n"); err != nil {
		return fmt.Errorf("send INFO: %w", err)
	}
	for {
		line, err := answers.ReadString('\n')
		if err != nil {
			return fmt.Errorf("read the answer to INFO: %w", err)
		}
		id, found := strings.CutPrefix(strings.TrimSpace(line), "process_id:")
		switch {
		case found && id != strconv.Itoa(r.process.pid()):
			return fmt.Errorf("port %d is that of another redis, process %s", r.port, id)
		case found || strings.HasPrefix(line, "-"):
			return nil
		}
	}
}

// addressInUse reports whether the last start failed because somebody else listens on the port.
func (r *RedisServer) addressInUse() bool {
	return strings.Contains(r.process.output.tail(), "Address already in use")
}

// FreePort is a port on which nobody listens now, for a program that cannot be told to choose one itself. It lies
// below the range from which the kernel takes the local ports of clients (32768 and up on Linux): while the server is
// down, a client's own port could otherwise be the one it has to come back to.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for range portTries {
		port := 20_000 + rand.IntN(12_000)
		listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			tb.Fatalf("give a port back: %v", err)
		}
		return port
	}
	tb.Fatalf("no free port in %d tries", portTries)
	return 0
}
