package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/parts"
)

// path is one way of a request: through an Envoy to the service, past a server of checks or none.
type path struct {
	name  string
	peer  *peer // nil: nobody is asked
	envoy *envoy

	proxy, server []float64 // microseconds of processor time for a request, one for each round
	waiting       []time.Duration
}

// wholePrice measures what a request costs Envoy and the server together, and prints it. Nothing is promised: the ratio is 0.
func (b *bench) wholePrice(ctx context.Context) (ratio float64, err error) {
	service, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port for this process alone
	if err != nil {
		return 0, fmt.Errorf("service: %w", err)
	}
	defer service.Close()
	go serveService(service)
	paths := []*path{{name: "none"}, {name: "plain", peer: b.plain}, {name: "waygate", peer: b.waygate}}
	for _, p := range paths {
		socket := ""
		if p.peer != nil {
			socket = p.peer.socket
		}
		if p.envoy, err = b.startEnvoy(ctx, p.name, service.Addr().String(), socket); err != nil {
			return 0, err
		}
	}
	for _, load := range []struct {
		title string
		rate  float64
	}{
		{title: fmt.Sprintf("%d requests under way", b.streams)},
		{title: fmt.Sprintf("%.0f requests a second", b.rate), rate: b.rate},
	} {
		if err := b.priceUnder(ctx, paths, load.rate); err != nil {
			return 0, fmt.Errorf("%s: %w", load.title, err)
		}
		fmt.Printf("the whole price of a request, %s through Envoy (one worker)\n", load.title)
		show(paths)
	}
	for _, p := range paths[1:] {
		if err := judged(ctx, p.envoy.admin); err != nil {
			return 0, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return 0, nil
}

// priceUnder measures all paths in rounds that take turns. A rate of 0 keeps requests under way all the time.
func (b *bench) priceUnder(ctx context.Context, paths []*path, rate float64) error {
	for _, p := range paths {
		p.proxy, p.server, p.waiting = nil, nil, nil
	}
	order := slices.Clone(paths)
	for range b.rounds {
		for _, p := range order {
			if err := b.ride(ctx, p, rate); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// ride sends requests along one path for one round.
func (b *bench) ride(ctx context.Context, p *path, rate float64) error {
	if _, err := requests(ctx, p.envoy.address, b.streams, rate, b.length/4); err != nil {
		return err
	}
	processes := []int{p.envoy.pid}
	if p.peer != nil {
		processes = append(processes, p.peer.cmd.Process.Pid)
	}
	before, err := times(processes)
	if err != nil {
		return err
	}
	waiting, err := requests(ctx, p.envoy.address, b.streams, rate, b.length)
	if err != nil {
		return err
	}
	after, err := times(processes)
	if err != nil {
		return err
	}
	if len(waiting) == 0 {
		return errors.New("nothing was answered")
	}
	per := func(i int) float64 {
		return float64((after[i] - before[i]).Nanoseconds()) / 1000 / float64(len(waiting))
	}
	p.proxy = append(p.proxy, per(0))
	server := 0.0
	if p.peer != nil {
		server = per(1)
	}
	p.server = append(p.server, server)
	p.waiting = append(p.waiting, waiting...)
	return nil
}

func times(processes []int) ([]time.Duration, error) {
	var all []time.Duration
	for _, pid := range processes {
		t, err := processorTime(pid)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// show prints what the paths cost, and what asking adds.
func show(paths []*path) {
	none, plain := paths[0], paths[1]
	added := func(p *path) []float64 {
		var all []float64
		for i := range p.proxy {
			all = append(all, p.proxy[i]+p.server[i]-none.proxy[i])
		}
		return all
	}
	for _, p := range paths {
		fmt.Printf("  %-8s Envoy %s", p.name, spread(p.proxy, "µs"))
		if p.peer != nil {
			fmt.Printf("   server %s   asking adds %s", spread(p.server, "µs"), spread(added(p), "µs"))
		}
		if p != none && p != plain {
			fmt.Printf(", %.2f of plain", median(added(p))/median(added(plain)))
		}
		fmt.Printf("   p50 %v p99 %v\n", brief(percentile(p.waiting, 50)), brief(percentile(p.waiting, 99)))
	}
	fmt.Println()
}

// envoy is a running Envoy.
type envoy struct {
	pid     int
	address string // of its listener
	admin   parts.EnvoyAdmin
}

// startEnvoy starts an Envoy with the bootstrap that ships, which asks a socket, or nobody.
func (b *bench) startEnvoy(ctx context.Context, name, service, socket string) (*envoy, error) {
	path, err := program("WAYGATE_TEST_ENVOY", "envoy", "make envoy")
	if err != nil {
		return nil, err
	}
	config, err := b.bootstrap(name, service, socket)
	if err != nil {
		return nil, err
	}
	admin := filepath.Join(b.dir, name+"-admin")
	cmd, err := b.start(path, "--config-path", config, "--admin-address-path", admin, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error")
	if err != nil {
		return nil, err
	}
	e := &envoy{pid: cmd.Process.Pid, admin: parts.EnvoyAdmin{File: admin}}
	err = until(ctx, func() (err error) {
		e.address, err = e.admin.Listener(ctx)
		return err
	})
	return e, err
}

// replaced puts new for old, which must be there once.
func replaced(text, old, with string) (string, error) {
	if n := strings.Count(text, old); n != 1 {
		return "", fmt.Errorf("%q occurs %d times in the bootstrap, not once", old, n)
	}
	return strings.Replace(text, old, with, 1), nil
}
