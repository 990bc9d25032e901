package state

import (
	"flag"
	"math/rand/v2"
	"net/url"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state/readingtest"
)

// A soak asks for more: go test ./internal/state -run Law -readings.n 1000000.
var (
	count       = flag.Int("readings.n", 0, "mutated targets to try, a tenth of it ordinary ones (default 100000, less under the race detector)")
	readingSeed = flag.Uint64("readings.seed", 1, "seed of the random targets")
)

// readingMutants returns how many mutated targets to try. Nothing in the package runs
// concurrently, so the race detector, which makes this ten times slower, gets fewer.
func readingMutants() int {
	switch {
	case *count > 0:
		return *count
	case underRace:
		return 5_000
	}
	return 100_000
}

// gate blocks pattern and nothing else, by the readings of target.
func testGate(pattern, target string) readingtest.Verdict {
	readings := make([]string, 1)
	if n, _, ok := plainPath(target); ok {
		readings[0] = target[:n]
	} else if paths, err := pathReadings(target); err == nil {
		readings = paths
	} else {
		return readingtest.Unreadable
	}
	for _, read := range readings {
		if readingtest.Covers(foldPath(pattern), foldPath(read)) {
			return readingtest.Refused
		}
	}
	return readingtest.Passed
}

func TestLawNoBackendIsReachedThroughABlock(t *testing.T) {
	count := readingMutants()
	rng := rand.New(rand.NewPCG(*readingSeed, 1))
	caught, err := readingtest.Hunt(rng, count, testGate)
	require.NoError(t, err)
	t.Logf("of %d mutants %d unreadable; chains reached %d times", count, caught.Unreadable, caught.Chains)
	// The law is empty for a model that no readable mutant reaches.
	for _, model := range readingtest.Models() {
		t.Logf("%-45s reached %6d times", model.Name, caught.Reached[model.Name])
		require.Greater(t, caught.Reached[model.Name], count/50, model.Name)
	}
	require.Greater(t, caught.Chains, count/4)
	require.Less(t, caught.Unreadable, count/2)
}

// The hunt itself must find what a careless gate lets through.
func TestLawFindsTheLeaksOfACarelessGate(t *testing.T) {
	careless := map[string]func(pattern, target string) readingtest.Verdict{
		"reads the path as sent": func(pattern, target string) readingtest.Verdict {
			return verdict(readingtest.Covers(pattern, foldPath(target)))
		},
		"decodes once and cleans": func(pattern, target string) readingtest.Verdict {
			u, err := url.ParseRequestURI(target)
			return verdict(err != nil || readingtest.Covers(pattern, foldPath(path.Clean("/"+u.Path))))
		},
	}
	for name, gate := range careless {
		t.Run(name, func(t *testing.T) {
			_, err := readingtest.Hunt(rand.New(rand.NewPCG(*readingSeed, 5)), 10_000, gate)
			leak := new(readingtest.Leak)
			require.ErrorAs(t, err, &leak)
			require.NotEmpty(t, leak.Target)
		})
	}
}

func verdict(refused bool) readingtest.Verdict {
	if refused {
		return readingtest.Refused
	}
	return readingtest.Passed
}

func TestLawOrdinaryTargetsAreRead(t *testing.T) {
	count := readingMutants()
	rng := rand.New(rand.NewPCG(*readingSeed, 3))
	plain, most := 0, 0
	for range count / 10 {
		target := readingtest.Ordinary(rng)
		if _, _, ok := plainPath(target); ok {
			plain++
			continue
		}
		readings, err := pathReadings(target)
		require.NoError(t, err, target)
		require.NotEmpty(t, readings, target)
		most = max(most, len(readings))
	}
	t.Logf("%d of %d on the fast path, at most %d readings", plain, count/10, most)
	require.Greater(t, plain, count/200)
	require.LessOrEqual(t, most, 128)
}

func TestLawPlainTargetsHaveOneReading(t *testing.T) {
	count := readingMutants()
	rng := rand.New(rand.NewPCG(*readingSeed, 4))
	plain := 0
	for range count {
		target := readingtest.Ordinary(rng)
		if rng.IntN(2) == 0 {
			target = readingtest.Mutate(rng, target)
		}
		n, _, ok := plainPath(target)
		if !ok {
			continue
		}
		plain++
		readings, err := pathReadings(target)
		require.NoError(t, err, target)
		require.Equal(t, []string{target[:n]}, readings)
	}
	require.Greater(t, plain, count/20)
}
