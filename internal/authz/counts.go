package authz

import (
	"sync/atomic"

	"github.com/waygate/waygate/internal/state"
)

// causes is how many causes there are.
const causes = int(state.CauseStale) + 1

// counts counts checks by what was decided. Padding keeps what is counted most on a cache line of its own.
type counts struct {
	by         [causes]padded
	unreadable atomic.Uint64
}

type padded struct {
	atomic.Uint64
	_ [56]byte
}

func (c *counts) add(d *state.Decision) {
	c.by[min(int(d.Cause), causes-1)].Add(1)
	if d.Unreadable {
		c.unreadable.Add(1)
	}
}

// Totals are how many checks a server answered since it was made.
type Totals struct {
	Checks, Refused, Unreadable uint64
}

// Totals tells how many checks were answered.
func (s *Server) Totals() Totals {
	t := Totals{Unreadable: s.counts.unreadable.Load()}
	for cause := range s.counts.by {
		n := s.counts.by[cause].Load()
		t.Checks += n
		if (&state.Decision{Cause: state.Cause(cause)}).Refused() {
			t.Refused += n
		}
	}
	return t
}

// causeName is how a cause is called in metrics.
func causeName(cause state.Cause) string {
	switch cause {
	case state.CauseNone:
		return "none"
	case state.CauseDeprecated:
		return "deprecated"
	case state.CauseEnvGated:
		return "env_gated"
	case state.CauseMaintenance:
		return "maintenance"
	case state.CauseDisabled:
		return "disabled"
	case state.CauseUnreadable:
		return "unreadable"
	default:
		return "stale"
	}
}
