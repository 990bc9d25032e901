package reading_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state/reading"
	"github.com/waygate/waygate/internal/state/reading/readingtest"
)

// A soak passes a greater number: go test -run Law -readings.n 1000000.
var (
	mutants = flag.Int("readings.n", 100_000, "mutated targets to try; a tenth of it ordinary ones")
	seed    = flag.Uint64("readings.seed", 1, "seed of the random targets")
)

// blocked reports whether the gate refuses target while pattern is blocked.
func blocked(t *testing.T, pattern, target string) (refused, unreadable bool) {
	t.Helper()
	if n, _, ok := reading.Plain(target); ok {
		return readingtest.Covers(reading.Fold(pattern), reading.Fold(target[:n])), false
	}
	readings, err := reading.Paths(target)
	if err != nil {
		require.ErrorIs(t, err, reading.ErrUnreadable)
		return true, true
	}
	for _, path := range readings {
		if readingtest.Covers(reading.Fold(pattern), reading.Fold(path)) {
			return true, false
		}
	}
	return false, false
}

func TestLawNoBackendIsReachedThroughABlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 1))
	routes := readingtest.Routes()
	models := readingtest.Models()
	reached := map[string]int{}
	readable := map[string]int{}
	for range *mutants {
		route := routes[rng.IntN(len(routes))]
		target := readingtest.Mutate(rng, route.Path)
		refused, unreadable := blocked(t, route.Pattern, target)
		for _, model := range models {
			path, ok := model.Route(target)
			if !ok || !readingtest.Covers(route.Pattern, path) {
				continue
			}
			reached[model.Name]++
			if !unreadable {
				readable[model.Name]++
			}
			require.True(t, refused, "%s routes %q to %s (as %q), and no reading says so", model.Name, target, route.Pattern, path)
		}
	}
	// The law is empty for a model that no mutant reaches or that is always refused
	// as unreadable.
	for _, model := range models {
		t.Logf("%-45s reached %6d, of them read %6d", model.Name, reached[model.Name], readable[model.Name])
		require.Greater(t, readable[model.Name], *mutants/100, model.Name)
	}
}

func TestLawNoChainOfStepsReachesThroughABlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 2))
	routes := readingtest.Routes()
	reached, unread := 0, 0
	for range *mutants {
		route := routes[rng.IntN(len(routes))]
		target := readingtest.Mutate(rng, route.Path)
		refused, unreadable := blocked(t, route.Pattern, target)
		if unreadable {
			unread++
			continue
		}
		for range 8 {
			model := readingtest.Chain(rng)
			path, ok := model.Route(target)
			if !ok || !readingtest.Covers(route.Pattern, path) {
				continue
			}
			reached++
			require.True(t, refused, "some chain routes %q to %s (as %q), and no reading says so", target, route.Pattern, path)
		}
	}
	t.Logf("reached %d times, %d of %d targets unreadable", reached, unread, *mutants)
	require.Greater(t, reached, *mutants/4)
	require.Less(t, unread, *mutants/2)
}

func TestLawOrdinaryTargetsAreRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 3))
	plain, most := 0, 0
	for range *mutants / 10 {
		target := readingtest.Ordinary(rng)
		if _, _, ok := reading.Plain(target); ok {
			plain++
			continue
		}
		readings, err := reading.Paths(target)
		require.NoError(t, err, target)
		require.NotEmpty(t, readings, target)
		most = max(most, len(readings))
	}
	t.Logf("%d of %d on the fast path, at most %d readings", plain, *mutants/10, most)
	require.Greater(t, plain, *mutants/200)
	require.LessOrEqual(t, most, 128)
}

func TestLawPlainTargetsHaveOneReading(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 4))
	plain := 0
	for range *mutants {
		target := readingtest.Ordinary(rng)
		if rng.IntN(2) == 0 {
			target = readingtest.Mutate(rng, target)
		}
		n, _, ok := reading.Plain(target)
		if !ok {
			continue
		}
		plain++
		readings, err := reading.Paths(target)
		require.NoError(t, err, target)
		require.Equal(t, []string{target[:n]}, readings)
	}
	require.Greater(t, plain, *mutants/20)
}
