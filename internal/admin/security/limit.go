package security

import (
	"sync"
	"time"

	"github.com/waygate/waygate/internal/admin/people"
)

// Bounds of the log. With lines of at most some 700 bytes they are 15 MB an hour, whatever happens.
const (
	burst      = 20 // lines of one kind from one network
	period     = time.Minute
	maxLines   = 300  // of all refusals in a period
	maxSources = 4096 // that are told apart
	maxLeftOut = 60   // sources that are named in a period, of those of which something was left out
)

// others stands for all networks that are not told apart.
const others = "others"

// source is where refusals come from.
type source struct {
	network string
	kind    Kind
}

// tally counts the refusals of one source in a period.
type tally struct {
	began           time.Time
	written, hidden int
	// muted is set where something was left out in the period before: nothing is written until there is a quiet one.
	muted bool
}

// limits decides which refusals are written.
type limits struct {
	mu    sync.Mutex
	of    map[source]*tally
	began time.Time // of the period in which lines were written
	lines int
}

func newLimits() limits { return limits{of: map[source]*tally{}} }

// take reports whether a refusal is written; otherwise it is counted.
func (l *limits) take(peer string, kind Kind, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.began) >= period {
		l.began, l.lines = now, 0
	}
	from := source{network: people.Subnet(peer), kind: kind}
	t := l.of[from]
	if t == nil && len(l.of) >= maxSources {
		from.network = others
		t = l.of[from]
	}
	if t == nil {
		t = &tally{began: now}
		l.of[from] = t
	}
	if t.muted || t.written >= burst || l.lines >= maxLines {
		t.hidden++
		return false
	}
	t.written++
	l.lines++
	return true
}

// leftOut is how many refusals of a source were left out since when.
type leftOut struct {
	source
	count int
	since time.Time
}

// over gives what was left out in the periods that are over, and begins new ones.
func (l *limits) over(now time.Time, after time.Duration) []leftOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []leftOut
	rest := map[Kind]leftOut{}
	for from, t := range l.of {
		switch {
		case now.Sub(t.began) < after:
		case t.hidden == 0:
			delete(l.of, from)
		default:
			one := leftOut{source: from, count: t.hidden, since: t.began}
			*t = tally{began: now, muted: true}
			if len(all) < maxLeftOut {
				all = append(all, one)
				continue
			}
			rest[from.kind] = together(rest[from.kind], one)
		}
	}
	for _, one := range rest {
		all = append(all, one)
	}
	return all
}

func together(a, b leftOut) leftOut {
	if a.since.IsZero() || b.since.Before(a.since) {
		a.since = b.since
	}
	return leftOut{source: source{network: others, kind: b.kind}, count: a.count + b.count, since: a.since}
}
