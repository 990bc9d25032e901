package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/authz"
	"github.com/waygate/waygate/internal/state"
)

// whileLoading measures how long a check takes while a large document is decoded, compiled, put into force and gathered
// over and over in the same process, beside that of a process that does nothing else, and prints both; the ratio is that of the
// p99.
func (b *bench) whileLoading(ctx context.Context) (ratio float64, err error) {
	fields, err := fieldsOf(b.large)
	if err != nil {
		return 0, err
	}
	stored, err := json.Marshal(fields)
	if err != nil {
		return 0, fmt.Errorf("store the document: %w", err)
	}
	cache := new(state.Cache)
	took, err := loadInto(cache, stored)
	if err != nil {
		return 0, err
	}
	server := authz.NewServer(authz.Options{Cache: cache})
	var idle, busy, ratios []float64
	loads := 0
	for range b.rounds {
		quiet := b.checks(ctx, server)
		stop, done := make(chan struct{}), make(chan error, 1)
		go func() {
			var err error
			for err == nil {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				_, err = loadInto(cache, stored)
				loads++
			}
			done <- err
		}()
		loaded := b.checks(ctx, server)
		close(stop)
		if err := <-done; err != nil {
			return 0, err
		}
		idle, busy = append(idle, micros(percentile(quiet, 99))), append(busy, micros(percentile(loaded, 99)))
		ratios = append(ratios, busy[len(busy)-1]/idle[len(idle)-1])
	}
	ratio = median(ratios)
	fmt.Printf("one check after the other while a document of %d routes is loaded, which alone takes %v (%d loads)\n", b.large, took.Round(time.Millisecond), loads)
	fmt.Printf("  idle     p99 %s\n  loading  p99 %s\n  ratio        %s   promised: ≤ %.2f\n\n", spread(idle, "µs"), spread(busy, "µs"), spread(ratios, ""), mostWhileLoading)
	return ratio, ctx.Err() //nolint:wrapcheck // the user's own interruption
}

// loadInto reads a document as it is stored, puts it into force, and gathers it, as waygate-authz does
// while it answers checks.
func loadInto(cache *state.Cache, stored []byte) (time.Duration, error) {
	began := time.Now()
	var fields state.Patch
	if err := json.Unmarshal(stored, &fields); err != nil {
		return 0, fmt.Errorf("decode the document: %w", err)
	}
	genesis := state.Genesis(1)
	doc, err := genesis.With(fields, genesis.Meta)
	if err != nil {
		return 0, fmt.Errorf("read the document: %w", err)
	}
	snapshot, err := state.CompileBeside(doc)
	if err != nil {
		return 0, fmt.Errorf("compile the document: %w", err)
	}
	cache.Store(snapshot)
	snapshot.Gather()
	return time.Since(began), nil
}

// checks answers one check after the other for the length of a turn, and tells how long each took.
func (b *bench) checks(ctx context.Context, server *authz.Server) []time.Duration {
	all := make([]time.Duration, 0, 1<<20)
	end := time.Now().Add(b.length)
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		if began.After(end) {
			break
		}
		server.Check(b.messages[i%len(b.messages)], began)
		all = append(all, time.Since(began))
	}
	return slices.Clip(all)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
