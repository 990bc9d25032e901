package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// settings are what the flags say.
type settings struct {
	rounds  int
	length  time.Duration
	rate    float64
	streams int
	routes  int
	only    string
	strict  bool
}

// What the product promises: the processor time of a check in parts of the plainest server's.
const (
	mostWhenSaturated = 0.5
	mostOnOtherDays   = 0.6
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == roleServe {
		fail(servePlain(os.Args[2]))
		return
	}
	if len(os.Args) > 2 && os.Args[1] == roleWaygate {
		os.Exit(serveWaygate(os.Args[2:]))
	}
	var s settings
	flag.IntVar(&s.rounds, "rounds", 7, "how many `rounds`, in each of which every server has its turn")
	flag.DurationVar(&s.length, "time", 2*time.Second, "how long one turn takes")
	flag.Float64Var(&s.rate, "rate", 600, "checks in a second on an everyday")
	flag.IntVar(&s.streams, "streams", 32, "checks under way at saturation")
	flag.IntVar(&s.routes, "routes", 1000, "routes in the document")
	flag.StringVar(&s.only, "only", "", "one `part` only: saturation, everyday or envoy")
	flag.BoolVar(&s.strict, "strict", false, "fail where a promise is not kept")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fail(run(ctx, s))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints.
func run(ctx context.Context, s settings) error {
	b, err := newBench(ctx, s)
	if b != nil {
		defer b.stop()
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s\nserver processor time per check, median of %d rounds of %v that take turns (lowest … highest)\n\n", machine(), s.rounds, s.length)
	var missed error
	for _, load := range []struct {
		name, title string
		most        float64
		put         func(*load, time.Duration) error
	}{
		{"saturation", fmt.Sprintf("%d checks under way", s.streams), mostWhenSaturated, func(l *load, d time.Duration) error { return l.saturate(s.streams, d) }},
		{"everyday", fmt.Sprintf("%.0f checks a second", s.rate), mostOnOtherDays, func(l *load, d time.Duration) error { return l.pace(s.rate, d) }},
	} {
		if s.only != "" && s.only != load.name {
			continue
		}
		ratio, err := b.compare(ctx, load.title, load.most, load.put)
		if err != nil {
			return err
		}
		if ratio > load.most {
			missed = errors.Join(missed, fmt.Errorf("%s: %.2f of the plainest server, promised are %.2f", load.title, ratio, load.most))
		}
	}
	if s.only == "" || s.only == "envoy" {
		if err := b.wholePrice(ctx); err != nil {
			return err
		}
	}
	if s.strict {
		return missed
	}
	return nil
}
