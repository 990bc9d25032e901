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
	large   int
	only    string
	strict  bool
}

// What the product promises: the processor time of a check in parts of the plainest server's.
const (
	mostWhenSaturated = 0.5
	mostOnOtherDays   = 0.6
	mostWhileLoading  = 3.0 // of the p99 of an idle server
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
	flag.IntVar(&s.large, "large", 100_000, "routes in the document that is loaded while checks are answered")
	flag.StringVar(&s.only, "only", "", "one `thing` only: saturation, everyday, loading or envoy")
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

// part is one thing that is measured.
type part struct {
	name, title string
	most        float64 // the ratio that is promised; zero promises nothing
	measure     func(context.Context) (ratio float64, err error)
}

// parts are all that can be measured.
func (b *bench) parts() []part {
	saturation := fmt.Sprintf("%d checks under way", b.streams)
	everyday := fmt.Sprintf("%.0f checks a second", b.rate)
	return []part{
		{"saturation", saturation, mostWhenSaturated, func(ctx context.Context) (float64, error) {
			return b.compare(ctx, saturation, mostWhenSaturated, func(l *load, d time.Duration) error { return l.saturate(b.streams, d) })
		}},
		{"everyday", everyday, mostOnOtherDays, func(ctx context.Context) (float64, error) {
			return b.compare(ctx, everyday, mostOnOtherDays, func(l *load, d time.Duration) error { return l.pace(b.rate, d) })
		}},
		{"loading", "while a document is loaded", mostWhileLoading, b.whileLoading},
		{"envoy", "the whole price", 0, b.wholePrice},
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
	fmt.Printf("%s\nmedian of %d rounds of %v that take turns (lowest … highest)\n\n", machine(), s.rounds, s.length)
	var missed error
	for _, p := range b.parts() {
		if s.only != "" && s.only != p.name {
			continue
		}
		ratio, err := p.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.title, err)
		}
		if ratio > p.most {
			missed = errors.Join(missed, fmt.Errorf("%s: a ratio of %.2f, promised are %.2f", p.title, ratio, p.most))
		}
	}
	if s.strict {
		return missed
	}
	return nil
}
