package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// samples are the measurements of one server under one load, one for each round.
type samples struct {
	cost    []float64 // microseconds of processor time per check
	rate    []float64 // checks in a second
	waiting []time.Duration
}

// compare measures both servers under a load and prints what they cost; ratio is the median of what the rounds gave.
func (b *bench) compare(ctx context.Context, title string, most float64, put func(*load, time.Duration) error) (ratio float64, err error) {
	got := map[*peer]*samples{b.plain: {}, b.waygate: {}}
	var ratios []float64
	for round := range b.rounds {
		order := []*peer{b.plain, b.waygate}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, p := range order {
			if err := b.turn(ctx, p, got[p], put); err != nil {
				return 0, fmt.Errorf("%s, %s: %w", title, p.name, err)
			}
		}
		ratios = append(ratios, got[b.waygate].cost[round]/got[b.plain].cost[round])
	}
	ratio = median(ratios)
	fmt.Printf("%s\n", title)
	for _, p := range []*peer{b.plain, b.waygate} {
		s := got[p]
		fmt.Printf("  %-8s %s   %7.0f/s   p50 %v   p99 %v\n", p.name, spread(s.cost, "µs"), median(s.rate), brief(percentile(s.waiting, 50)), brief(percentile(s.waiting, 99)))
	}
	fmt.Printf("  ratio    %s   promised: ≤ %.2f\n\n", spread(ratios, ""), most)
	return ratio, nil
}

// turn puts one server under load for one round, over a connection of its own that is warm when it counts.
func (b *bench) turn(ctx context.Context, p *peer, s *samples, put func(*load, time.Duration) error) error {
	l, err := connect(ctx, p.socket, b.messages)
	if err != nil {
		return err
	}
	defer l.conn.Close()
	if err := put(l, b.length/4); err != nil {
		return err
	}
	l.verdicts, l.answers = 0, l.answers[:0]
	before, err := processorTime(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := put(l, b.length); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := processorTime(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	if l.verdicts == 0 {
		return errors.New("nothing was answered")
	}
	s.cost = append(s.cost, float64((after-before).Nanoseconds())/1000/float64(l.verdicts))
	s.rate = append(s.rate, float64(l.verdicts)/took.Seconds())
	for _, a := range l.answers {
		s.waiting = append(s.waiting, a.took)
	}
	return ctx.Err() //nolint:wrapcheck // the user's own interruption
}

// processorTime is what the kernel counted for all threads of a process, ended ones included (proc(5), schedstat, and
// for those that ended, stat).
func processorTime(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		return 0, fmt.Errorf("process %d counts no processor time: this needs Linux with schedstat", pid)
	}
	var total time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if errors.Is(err, os.ErrNotExist) {
			continue // it ended just now
		}
		if err != nil {
			return 0, fmt.Errorf("read the processor time: %w", err)
		}
		var ran, waited, slices int64
		if _, err := fmt.Sscan(string(text), &ran, &waited, &slices); err != nil {
			return 0, fmt.Errorf("read %s: %w", thread, err)
		}
		total += time.Duration(ran)
	}
	return total, nil
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// spread is a median with the lowest and the highest value.
func spread(all []float64, unit string) string {
	if unit != "" {
		unit = " " + unit
		return fmt.Sprintf("%6.1f%s (%.1f … %.1f)", median(all), unit, slices.Min(all), slices.Max(all))
	}
	return fmt.Sprintf("%6.2f (%.2f … %.2f)", median(all), slices.Min(all), slices.Max(all))
}

// percentile is the value that p percent do not exceed; all are sorted for it.
func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

// brief is a duration without digits that mean nothing.
func brief(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// machine says where this was measured.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d processors, %s, %s/%s", model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
