package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/waygate/waygate/internal/authz/app"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// What this program is when it starts itself.
const (
	roleServe   = "serve-plain"
	roleWaygate = "serve-waygate"
)

// captured are checks as a real Envoy sent them.
//
//go:embed testdata/*.bin
var captured embed.FS //nolint:gochecknoglobals // files

// bench is everything that runs.
type bench struct {
	settings
	dir      string
	messages [][]byte
	running  []*exec.Cmd
	plain    *peer
	waygate  *peer
}

// peer is a server under test.
type peer struct {
	name   string
	socket string
	cmd    *exec.Cmd
}

// newBench starts what is needed. What was started must be stopped also where it returns an error.
func newBench(ctx context.Context, s settings) (*bench, error) {
	b := &bench{settings: s}
	var err error
	if b.dir, err = os.MkdirTemp("", "wg-bench-"); err != nil {
		return b, fmt.Errorf("directory for sockets: %w", err)
	}
	if b.messages, err = messages(); err != nil {
		return b, err
	}
	url, err := b.startRedis(ctx)
	if err != nil {
		return b, err
	}
	store, err := redisstore.Open(ctx, url, "default", redisstore.Options{})
	if err != nil {
		return b, fmt.Errorf("open the store: %w", err)
	}
	defer func() { _ = store.Close() }() // everything was answered
	if err := seed(ctx, store, s.routes); err != nil {
		return b, err
	}
	b.plain = &peer{name: "plain", socket: filepath.Join(b.dir, "plain.sock")}
	b.waygate = &peer{name: "waygate", socket: filepath.Join(b.dir, "waygate.sock")}
	if b.plain.cmd, err = b.startSelf(roleServe, b.plain.socket); err != nil {
		return b, err
	}
	b.waygate.cmd, err = b.startSelf(roleWaygate, "--listen", "unix://"+b.waygate.socket, "--ops-listen", "off", "--source", url, "--log-level", "warn")
	if err != nil {
		return b, err
	}
	return b, errors.Join(appears(ctx, b.plain.socket), appears(ctx, b.waygate.socket))
}

func messages() ([][]byte, error) {
	files, err := fs.Glob(captured, "testdata/*.bin")
	if err != nil {
		return nil, fmt.Errorf("captured checks: %w", err)
	}
	var all [][]byte
	for _, file := range files {
		m, err := captured.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("captured checks: %w", err)
		}
		all = append(all, m)
	}
	return all, nil
}

// serveWaygate is waygate-authz.
func serveWaygate(args []string) int {
	return app.Main(context.Background(), app.Process{Args: args, Environ: nil, Dir: "/", Out: os.Stdout, Err: os.Stderr})
}

// start starts a program that ends with the bench.
func (b *bench) start(path string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(path, args...) //nolint:noctx // stop ends it, in order
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	b.running = append(b.running, cmd)
	return cmd, nil
}

func (b *bench) startSelf(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return b.start(self, args...)
}

// stop ends all that was started, last thing first.
func (b *bench) stop() {
	for len(b.running) > 0 {
		last := b.running[len(b.running)-1]
		b.running = b.running[:len(b.running)-1]
		_ = last.Process.Kill() // it may have ended
		_ = last.Wait()         // and says how, which is of no interest
	}
	_ = os.RemoveAll(b.dir) // a directory for temporary files
}

// startRedis starts a Redis on a socket and gives its URL.
func (b *bench) startRedis(ctx context.Context) (string, error) {
	path, err := program("WAYGATE_TEST_REDIS", "redis-server", "make redis")
	if err != nil {
		return "", err
	}
	socket := filepath.Join(b.dir, "redis.sock")
	if _, err := b.start(path, "--port", "0", "--unixsocket", socket, "--dir", b.dir, "--save", "", "--appendonly", "no"); err != nil {
		return "", err
	}
	return "unix://" + socket, appears(ctx, socket)
}

// program finds one in the variable the Makefile sets, in PATH, or among the tools of this repository.
func program(variable, name, get string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path := filepath.Join(".tools", "bin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is needed: run %q here, or set %s", name, get, variable)
	}
	return path, nil
}

// appears waits until there is a socket.
func appears(ctx context.Context, socket string) error {
	return until(ctx, func() error {
		_, err := os.Stat(socket)
		return err
	})
}

// until asks again and again until there is an answer or the patience is over.
func until(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// seed puts a document into an empty store.
func seed(ctx context.Context, store *redisstore.Store, routes int) error {
	fields, err := fieldsOf(routes)
	if err != nil {
		return err
	}
	genesis := state.Genesis(1)
	doc, err := genesis.With(fields, genesis.Meta)
	if err != nil {
		return fmt.Errorf("make a document: %w", err)
	}
	if err := store.Seed(ctx, state.Meta{}, doc, nil); err != nil {
		return fmt.Errorf("seed the store: %w", err)
	}
	return nil
}

// fieldsOf makes the fields of a document: routes of which every tenth is in maintenance, none of them one that is
// asked for.
func fieldsOf(routes int) (state.Patch, error) {
	fields := state.Patch{}
	for i := range routes {
		key, shown, err := state.ParseKey(fmt.Sprintf("shop:GET:/catalogue/part-%d/{id}", i))
		if err != nil {
			return nil, fmt.Errorf("make a route: %w", err)
		}
		r := state.Route{Key: key, Shown: shown, Origin: state.OriginRegister}
		if i%10 == 0 {
			r.Standing = &state.Block{Effect: state.EffectMaintenance, Reason: "counting"}
		}
		if err := fields.SetRoute(r); err != nil {
			return nil, fmt.Errorf("make a route: %w", err)
		}
	}
	return fields, nil
}
