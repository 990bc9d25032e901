package state_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// The benchmarks measure a document in which every route carries something that Decide must look at, on 4,096 distinct
// paths in random order: 70 % governed by nothing, 15 % by a literal, 15 % by a template.
const (
	benchPaths  = 4096
	benchRounds = 10 // of which the median is told
)

// benchRoute is the i-th of many routes: one half literal, one half templates of several shapes.
func benchRoute(i int) state.Key {
	team, thing := i/64, i%64
	switch i % 8 {
	case 0, 2, 4, 6:
		return state.Key{Method: "GET", Path: fmt.Sprintf("/api/v1/team-%d/thing-%d/list", team, thing)}
	case 1:
		return state.Key{Path: fmt.Sprintf("/api/v1/team-%d/thing-%d/{}", team, thing)}
	case 3:
		return state.Key{Method: "GET", Path: fmt.Sprintf("/api/v1/team-%d/{}/thing-%d", team, thing)}
	case 5:
		return state.Key{Path: fmt.Sprintf("/files/team-%d/thing-%d/report-{}.pdf", team, thing)}
	default:
		return state.Key{Method: "GET", Path: fmt.Sprintf("/v2/team-%d/thing-%d/**", team, thing)}
	}
}

// benchState gives every route something: a deprecation, a block with exceptions, a gate, or windows.
func benchState(tb testing.TB, p state.Patch, i int) {
	k := benchRoute(i)
	r := state.Route{Key: k, Shown: k.String(), Origin: state.OriginRegister, By: "ann", At: epoch0}
	switch i / 8 % 4 {
	case 0:
		r.Deprecation = &state.Deprecation{Since: epoch0, Sunset: epoch0.AddDate(1, 0, 0), Successor: "/v3"}
	case 1:
		r.Standing = &state.Block{Effect: state.EffectMaintenance, Reason: "DB migration", Except: []state.Key{{Method: "GET", Path: "/api/v1/team/never"}}}
	case 2:
		r.Gate = &state.Gate{Envs: []string{"staging", "dev"}, Reason: "not yet"}
	default:
		for j := range 2 {
			start := epoch0.Add(time.Duration(j-1) * time.Hour)
			require.NoError(tb, p.SetWindow(state.Window{
				ID: fmt.Sprint("w", i, "-", j), Target: state.Target{Key: k}, Start: start, End: start.Add(90 * time.Minute),
				Effect: state.EffectMaintenance, Reason: "nightly", Origin: state.OriginWindow,
			}))
		}
	}
	require.NoError(tb, p.SetRoute(r))
}

func benchDocument(tb testing.TB, routes int) *state.Document {
	doc := state.NewDocument(state.Meta{})
	for i := 0; i < routes; {
		p := state.Patch{}
		for end := min(routes, i+50_000); i < end; i++ {
			benchState(tb, p, i)
		}
		next, err := doc.With(p, state.Meta{Epoch: "bench", Rev: 1})
		require.NoError(tb, err)
		doc = next
	}
	require.Equal(tb, routes, doc.RouteCount())
	return doc
}

// benchRequests are the requests for the paths.
func benchRequests(routes int) (all []state.Request) {
	rng := rand.New(rand.NewPCG(1, 2))
	some := func(kinds ...int) (team, thing int) {
		i := rng.IntN(routes/8)*8 + kinds[rng.IntN(len(kinds))]
		return i / 64, i % 64
	}
	seen := map[string]bool{}
	for len(all) < benchPaths {
		var path string
		switch n := rng.IntN(100); {
		case n < 35: // unknown, and like a known one to the last segment
			team, thing := some(0, 2, 4, 6)
			path = fmt.Sprintf("/api/v1/team-%d/thing-%d/other-%d", team, thing, n)
		case n < 70: // unknown
			path = fmt.Sprintf("/shop/%d/cart/%d", rng.IntN(1e6), rng.IntN(1e6))
		case n < 85:
			team, thing := some(0, 2, 4, 6)
			path = fmt.Sprintf("/api/v1/team-%d/thing-%d/list", team, thing)
		default:
			path = benchTemplatePath(rng, some)
		}
		if !seen[path] {
			seen[path] = true
			all = append(all, state.Request{Method: "GET", Target: path, Env: "prod"})
		}
	}
	return all
}

func benchTemplatePath(rng *rand.Rand, some func(...int) (int, int)) string {
	kind := []int{1, 3, 5, 7}[rng.IntN(4)]
	team, thing := some(kind)
	id := rng.IntN(1e6)
	switch kind {
	case 1:
		return fmt.Sprintf("/api/v1/team-%d/thing-%d/id%dx", team, thing, id)
	case 3:
		return fmt.Sprintf("/api/v1/team-%d/id-%d/thing-%d", team, id, thing)
	case 5:
		return fmt.Sprintf("/files/team-%d/thing-%d/report-%d.pdf", team, thing, id)
	default:
		return fmt.Sprintf("/v2/team-%d/thing-%d/more/id%dx", team, thing, id)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, routes := range []int{10_000, 1_000_000} {
		s, err := state.Compile(benchDocument(b, routes))
		require.NoError(b, err)
		requests := benchRequests(routes)
		probe := map[string]*state.Route{}
		for r := range s.Document().Routes() {
			probe[r.Key.Path] = &r
		}
		decide := func() { decideAll(s, requests) }
		runtime.GC() // else it goes on beside what is measured
		scattered := medianPerPath(decide)
		gathered := s.Gather() // as waygate-authz does
		b.Run(fmt.Sprintf("routes=%d", routes), func(b *testing.B) {
			requireBenchMix(b, s, requests)
			require.Zero(b, testing.AllocsPerRun(2, decide))
			for i := 0; b.Loop(); i++ {
				s.Decide(&requests[i%benchPaths], epoch0)
			}
			b.ReportMetric(medianPerPath(decide), "ns/decide-median")
			b.ReportMetric(scattered, "ns/scattered-median")
			b.ReportMetric(float64(gathered)/(1<<20), "MB/gathered")
			b.ReportMetric(medianPerPath(func() { probeAll(probe, requests) }), "ns/map-median")
		})
	}
}

// BenchmarkWhole makes a snapshot of a whole document: at the start, and beside checks, where it is gathered as well.
func BenchmarkWhole(b *testing.B) {
	doc := benchDocument(b, 100_000)
	compile := func(b *testing.B, compile func(*state.Document) (*state.Snapshot, error)) *state.Snapshot {
		b.Helper()
		s, err := compile(doc)
		require.NoError(b, err)
		return s
	}
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			compile(b, state.Compile)
		}
	})
	b.Run("compile-beside", func(b *testing.B) {
		for b.Loop() {
			compile(b, state.CompileBeside)
		}
	})
	b.Run("gather", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s := compile(b, state.Compile) // what is gathered stays so
			b.StartTimer()
			s.Gather()
		}
	})
}

func decideAll(s *state.Snapshot, requests []state.Request) (refused int) {
	for i := range requests {
		if d := s.Decide(&requests[i], epoch0); d.Refused() {
			refused++
		}
	}
	return refused
}

func probeAll(probe map[string]*state.Route, requests []state.Request) (known int) {
	for i := range requests {
		if r := probe[requests[i].Target]; r != nil {
			known++
		}
	}
	return known
}

// medianPerPath is the median of benchRounds rounds of work, in nanoseconds per path. A round is told by the median of
// its repetitions, so that other processes on the machine do not count.
func medianPerPath(work func()) float64 {
	var rounds []time.Duration
	for range benchRounds {
		var took []time.Duration
		for range 50 {
			start := time.Now()
			work()
			took = append(took, time.Since(start))
		}
		rounds = append(rounds, median(took))
	}
	return float64(median(rounds)) / benchPaths
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

// requireBenchMix checks that the paths meet what they were made to meet.
func requireBenchMix(tb testing.TB, s *state.Snapshot, requests []state.Request) {
	causes := map[state.Cause]int{}
	for i := range requests {
		d := s.Decide(&requests[i], epoch0)
		causes[d.Cause]++
	}
	require.InDelta(tb, benchPaths*70/100, causes[state.CauseNone], benchPaths/20, "%v", causes)
	for _, c := range []state.Cause{state.CauseDeprecated, state.CauseEnvGated, state.CauseMaintenance} {
		require.Greater(tb, causes[c], benchPaths/20, "%v", causes)
	}
}
