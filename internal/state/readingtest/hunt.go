package readingtest

import (
	"fmt"
	"math/rand/v2"
)

// Verdict is what a gate makes of a target while one route is blocked.
type Verdict int

// Verdicts of a gate.
const (
	Passed     Verdict = iota
	Refused            // because the route is blocked.
	Unreadable         // because nobody can tell.
)

// Catch counts what a hunt met.
type Catch struct {
	Reached    map[string]int // readable mutants that a model routes to the blocked route, by model.
	Chains     int            // the same for chains of steps.
	Unreadable int            // mutants refused as unreadable.
}

// Leak is a mutant that passes a gate and reaches what is blocked; it is an error.
type Leak struct{ Model, Pattern, Target, Path string }

// Error says who routes what where.
func (l *Leak) Error() string {
	return fmt.Sprintf("%s routes %q to the blocked %s (as %q), and the gate lets it pass", l.Model, l.Target, l.Pattern, l.Path)
}

// Hunt sends count mutants of the requests of Routes to a gate that blocks the
// pattern, and to every model and a few random chains. It stops with a Leak at the
// first that passes the gate and reaches the blocked route all the same. The catch
// tells whether the hunt proves anything: every model must be reached.
func Hunt(rng *rand.Rand, count int, gate func(pattern, target string) Verdict) (Catch, error) {
	const chains = 8
	routes, models := Routes(), Models()
	caught := Catch{Reached: make(map[string]int, len(models))}
	for range count {
		route := routes[rng.IntN(len(routes))]
		target := Mutate(rng, route.Path)
		verdict := gate(route.Pattern, target)
		if verdict == Unreadable {
			caught.Unreadable++
			continue
		}
		for i := range len(models) + chains {
			var model Model
			if i < len(models) {
				model = models[i]
			} else {
				model = Chain(rng)
			}
			path, ok := model.Route(target)
			switch {
			case !ok || !Covers(route.Pattern, path):
			case verdict == Passed:
				return caught, &Leak{Model: model.Name, Pattern: route.Pattern, Target: target, Path: path}
			case i < len(models):
				caught.Reached[model.Name]++
			default:
				caught.Chains++
			}
		}
	}
	return caught, nil
}
