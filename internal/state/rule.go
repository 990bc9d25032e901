package state

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// rule is everything about one key that plays a part in a verdict, ready to be looked at: first what every request
// needs, last what only a refusal tells.
type rule struct {
	// place is the entry by which an index finds the rule, where it is the first of its path: a look at the one brings
	// the other along. It is written once, by the index that the rule was made for.
	place       entry[string, leaf]
	methods     methodSet
	protected   bool
	timed       timeline
	standing    *block
	gate        *gate
	deprecation *Deprecation
	key         Key
	name        name
	spelled     *pattern // of protected ones, which must match as spelled
}

// shutter is a switch that has a standing or a timed part.
type shutter struct {
	service          string // empty for the global one
	includeProtected bool
	exempt           keySet
	standing         *block
	timed            timeline
	name             name
}

// name is what a key or a switch is called.
type name struct {
	text  string // canonical: the lower one speaks of two equals
	shown string
}

// gate refuses requests of environments that it does not name.
type gate struct {
	Envs   []string
	Reason string
	except keySet
}

// block is what refuses while it is in force.
type block struct {
	cause  Cause
	except keySet
	effect Effect
	reason string
	window string // id of the window; empty for a standing part
	// own says that it is a scheduled window of a switch, with exceptions and a flag of its own.
	own, includeProtected bool
}

// ruleOf compiles what a document says about a key; nil when nothing of it plays a part in a verdict.
func (d *Document) ruleOf(k Key) *rule {
	route, _ := d.Route(k)
	timed := d.timelineOf(Target{Key: k})
	if !route.Protected && route.Deprecation == nil && route.Gate == nil && route.Standing == nil && len(timed) == 0 {
		return nil
	}
	r := ruleWith(route.Gate, route.Standing)
	r.protected, r.deprecation, r.timed = route.Protected, route.Deprecation, timed
	r.key, r.methods = k, methodsOf(k.Method)
	r.name = name{text: k.String(), shown: route.Shown}
	if r.protected {
		p := exactPatternOf(k.Path)
		r.spelled = &p
	}
	switch r.name.shown {
	case "":
		r.name.shown = r.name.text
	case r.name.text:
		r.name.text = r.name.shown // one text in memory rather than two
	}
	return r
}

// ruleWith makes a rule in one piece with its gate or its standing block: what is looked at together lies together.
func ruleWith(g *Gate, b *Block) *rule {
	switch {
	case g != nil:
		whole := &struct {
			rule
			of gate
		}{of: gate{Envs: g.Envs, Reason: g.Reason, except: keySetOf(g.Except)}}
		whole.gate, whole.standing = &whole.of, standingOf(b)
		return &whole.rule
	case b != nil:
		whole := &struct {
			rule
			of block
		}{of: blockOf(b.Effect, b.Reason, b.Except)}
		whole.standing = &whole.of
		return &whole.rule
	default:
		return &rule{}
	}
}

// shutterOf compiles a switch; nil when it never shuts anything.
func (d *Document) shutterOf(t Target, s Switch) *shutter {
	timed, standing := d.timelineOf(t), standingOf(s.Standing)
	if standing == nil && len(timed) == 0 {
		return nil
	}
	exempt := make([]Key, 0, len(s.Exempt))
	for _, e := range s.Exempt {
		exempt = append(exempt, e.Key)
	}
	return &shutter{
		service: t.Service, includeProtected: s.IncludeProtected, exempt: keySetOf(exempt),
		standing: standing, timed: timed, name: name{text: t.String(), shown: t.String()},
	}
}

func standingOf(b *Block) *block {
	if b == nil {
		return nil
	}
	is := blockOf(b.Effect, b.Reason, b.Except)
	return &is
}

func blockOf(effect Effect, reason string, except []Key) block {
	b := block{cause: CauseMaintenance, effect: effect, reason: reason, except: keySetOf(except)}
	if effect.Status() == Disabled {
		b.cause = CauseDisabled
	}
	return b
}

// span is one occurrence of a window.
type span struct {
	start, end int64 // as instants; see instantOf
	latest     int64 // the latest end of this and all earlier spans of the timeline
	says       *occurrence
}

// occurrence is what a span says where it is in force.
type occurrence struct {
	until  time.Time // zero for no end
	block  *block
	except *keySet // of this occurrence alone; nil for none
}

// timeline holds the spans of one target by their start.
type timeline []span

func (d *Document) timelineOf(t Target) timeline {
	var line timeline
	for w := range d.WindowsOn(t) {
		line = appendSpans(line, &w)
	}
	slices.SortFunc(line, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.says.block.window, b.says.block.window))
	})
	latest := int64(math.MinInt64)
	for i := range line {
		latest = max(latest, line[i].end)
		line[i].latest = latest
	}
	return line
}

func appendSpans(line timeline, w *Window) timeline {
	// The first occurrence, mostly the only one, lies beside the block.
	whole := &struct {
		first occurrence
		block block
	}{block: blockOf(w.Effect, w.Reason, w.Except)}
	b := &whole.block
	b.window, b.own, b.includeProtected = w.ID, w.scheduled(), w.IncludeProtected
	for i, o := range w.Spans() {
		says := &whole.first
		if i > 0 {
			says = new(occurrence)
		}
		says.until, says.block = o.End, b
		if len(o.Except) > 0 {
			except := keySetOf(o.Except)
			says.except = &except
		}
		line = append(line, span{start: instantOf(o.Start), end: endOf(o.End), says: says})
	}
	return line
}

// started is the number of spans that begin at or before now.
func (l timeline) started(now int64) int {
	low, high := 0, len(l)
	for low < high {
		if mid := int(uint(low+high) >> 1); l[mid].start <= now {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// running reports whether any span contains now.
func (l timeline) running(now int64) bool {
	n := l.started(now)
	return n > 0 && l[n-1].latest > now
}

// An instant is a time in nanoseconds since 1970; times that do not fit (before 1678, after 2262) become the first
// and the last instant. No end is the last instant as well.
func instantOf(t time.Time) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	switch sec := t.Unix(); {
	case sec >= most:
		return math.MaxInt64
	case sec <= -most:
		return math.MinInt64
	default:
		return sec*int64(time.Second) + int64(t.Nanosecond())
	}
}

func endOf(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return instantOf(t)
}
