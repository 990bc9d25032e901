package state_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/readingtest"
)

// soakVariable sets how many mutated targets are tried; a tenth of it ordinary ones. A soak sets a million.
const soakVariable = "WAYGATE_SOAK_READINGS"

func mutants(t *testing.T) int {
	text := os.Getenv(soakVariable)
	if text == "" {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, soakVariable)
	require.GreaterOrEqual(t, n, 1000, soakVariable)
	return n
}

// TestNoBackendIsReachedThroughABlock blocks one route after the other, asks for it in all the ways an attacker would
// try, and lets models of backends read what the gate lets through.
func TestNoBackendIsReachedThroughABlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	routes, models := readingtest.Routes(), readingtest.Models()
	blocked := make([]*state.Snapshot, len(routes))
	for i, route := range routes {
		// Whatever else is there must not open it.
		blocked[i] = factsOf(t).disabled(route.Pattern, "/nothing/like/it").known(route.Pattern).deprecated("/**").protected("/public/**").compile()
	}
	reached, let := map[string]int{}, 0
	for range mutants(t) {
		i := rng.IntN(len(routes))
		target := readingtest.Mutate(rng, routes[i].Path)
		req := state.Request{Method: "GET", Target: target}
		d := blocked[i].Decide(&req, epoch0)
		if !d.Refused() {
			let++
		}
		for _, model := range models {
			path, ok := model.Route(target)
			if !ok || !readingtest.Covers(routes[i].Pattern, path) {
				continue
			}
			reached[model.Name]++
			require.True(t, d.Refused(), "%s routes %q to %s (as %q) and it passes", model.Name, target, routes[i].Pattern, path)
		}
	}
	// The law is empty for a model that never gets there, and for a gate that refuses everything.
	for _, model := range models {
		require.Greater(t, reached[model.Name], mutants(t)/100, model.Name)
	}
	require.Greater(t, let, mutants(t)/20)
	t.Logf("%d mutants, %d let through to no blocked route; reached %v", mutants(t), let, reached)
}

// emptySegments are no part of a path: a route cannot be told from another by them.
var emptySegments = regexp.MustCompile(`//+`)

// TestExceptionsOpenNoOtherRoute blocks everything but one route. What passes must be that route to every backend.
func TestExceptionsOpenNoOtherRoute(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	routes, models := readingtest.Routes(), readingtest.Models()
	for name, open := range map[string]func(*facts, string){
		"excepted":  func(f *facts, route string) { f.disabled("/**", route) },
		"exempt":    func(f *facts, route string) { f.global(on(f, route)) },
		"protected": func(f *facts, route string) { f.disabled("/**").protected(route) },
	} {
		passed := 0
		gates := make([]*state.Snapshot, len(routes))
		for i, route := range routes {
			f := factsOf(t)
			open(f, route.Pattern)
			gates[i] = f.compile()
		}
		for range mutants(t) / 4 {
			i := rng.IntN(len(routes))
			target := readingtest.Mutate(rng, routes[i].Path)
			req := state.Request{Method: "GET", Target: target}
			if d := gates[i].Decide(&req, epoch0); d.Refused() {
				continue
			}
			passed++
			for _, model := range models {
				if path, ok := model.Route(target); ok {
					path = emptySegments.ReplaceAllString(path, "/")
					require.True(t, readingtest.Covers(routes[i].Pattern, path), "%s: %q passes as %s, %s routes it to %q", name, target, routes[i].Pattern, model.Name, path)
				}
			}
		}
		require.Greater(t, passed, mutants(t)/1000, name)
	}
}

// TestOrdinaryTargetsPass asks for what decent clients ask for while much else is blocked.
func TestOrdinaryTargetsPass(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	f := factsOf(t)
	for _, route := range readingtest.Routes() {
		if route.Pattern != "/{tenant}/export" {
			f.disabled("blocked:" + route.Pattern)
		}
	}
	s := f.disabled("/blocked/**").gate("/gated/{x}", "dev").compile()
	plain := 0
	for range mutants(t) / 10 {
		target := readingtest.Ordinary(rng)
		req := state.Request{Method: "GET", Target: target, Service: "shop", Env: "prod"}
		d := s.Decide(&req, epoch0)
		require.False(t, d.Refused() || d.Unreadable, target)
		if _, _, ok := state.PlainPath(target); ok {
			plain++
		}
	}
	require.Greater(t, plain, mutants(t)/200)
}
