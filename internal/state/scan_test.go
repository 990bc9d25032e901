package state_test

import (
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// scan decides by looking at every key for every reading, method and service in turn, the way the rules are told. It
// shares no code with Decide but the readings.
type scan struct {
	doc   *state.Document
	req   *state.Request
	now   time.Time
	paths []string
	// methods are the readings of the method; connect says that a POST key governs a procedure's GET too.
	methods    []string
	connect    bool
	overridden bool
	preflight  bool

	refusals []refusal
	told     []state.Route // deprecated
}

// refusal is one part that refuses.
type refusal struct {
	rank   int
	name   string // what breaks ties
	window string
	until  time.Time
	says   state.Decision
}

func scanDecide(doc *state.Document, req *state.Request, now time.Time) state.Decision {
	s := scan{doc: doc, req: req, now: now}
	if req.Unreadable || !s.read() {
		d := state.Decision{Status: state.Active, Unreadable: true, Revision: doc.Rev, Epoch: doc.Epoch}
		if s.anythingStrict() {
			d.Cause = state.CauseUnreadable
		}
		return d
	}
	services := []string{req.Service}
	if req.Service == "" {
		services = append(s.everyService(), "some-service-nobody-named")
	}
	for _, service := range services {
		s.ask(service)
	}
	return s.answer()
}

func (s *scan) read() bool {
	query := state.QueryOf(s.req.Target)
	var err error
	if s.methods, s.overridden, err = state.MethodReadings(s.req.Method, s.req.Overrides, query); err != nil {
		return false
	}
	if s.paths, err = state.PathReadings(s.req.Target); err != nil {
		return false
	}
	s.preflight = s.req.Method == "OPTIONS" && s.req.Preflight && !s.overridden
	s.connect = s.req.Method == "GET" && state.IsConnectGet(query)
	return true
}

// methodsAt are the method readings at one path reading.
func (s *scan) methodsAt(path string) []string {
	parts := strings.Split(path, "/")
	if n := len(parts); s.connect && n > 2 && strings.Index(parts[n-2], ".") > 0 && parts[n-1] != "" {
		return append(slices.Clone(s.methods), "POST")
	}
	return s.methods
}

func (s *scan) everyService() []string {
	var all []string
	for k := range s.keys() {
		all = append(all, k.Service)
	}
	for name := range s.doc.Switches() {
		all = append(all, name)
	}
	for w := range s.doc.Windows() {
		all = append(all, w.Target.Service)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

func (s *scan) keys() map[state.Key]state.Route {
	all := map[state.Key]state.Route{}
	for r := range s.doc.Routes() {
		all[r.Key] = r
	}
	for w := range s.doc.Windows() {
		if _, known := all[w.Target.Key]; !known && w.Target.Key.Path != "" {
			all[w.Target.Key] = state.Route{Key: w.Target.Key, Shown: w.Target.Key.String()}
		}
	}
	return all
}

func covers(key, method string) bool {
	return key == "" || key == method || key == "GET" && method == "HEAD"
}

// fits matches the path of a key with a path, segment by segment.
func fits(key, path string) bool {
	want, have := strings.Split(key[1:], "/"), strings.Split(path[1:], "/")
	if path == "/" {
		have = nil
	}
	if key == "/" {
		want = nil
	}
	for i, segment := range want {
		if segment == "**" {
			return true
		}
		if i >= len(have) {
			return false
		}
		segment = strings.ReplaceAll(segment, "%25", "%")
		before, after, param := strings.Cut(segment, "{}")
		if !param && segment != have[i] {
			return false
		}
		middle, ok := strings.CutPrefix(have[i], before)
		if ok {
			middle, ok = strings.CutSuffix(middle, after)
		}
		if param && (!ok || middle == "") {
			return false
		}
	}
	return len(want) == len(have)
}

func (s *scan) governs(k state.Key, service string) bool {
	if k.Service != "" && k.Service != service || s.preflight && k.Method != "OPTIONS" {
		return false
	}
	for _, path := range s.paths {
		if !fits(state.FoldPath(k.Path), state.FoldPath(path)) {
			continue
		}
		for _, m := range s.methodsAt(path) {
			if covers(k.Method, m) {
				return true
			}
		}
	}
	return false
}

// everyReading reports whether some key matches, as spelled, under each reading of path and method. A part that
// governs some methods only need not be lifted for the other name of a Connect call.
func (s *scan) everyReading(keys []state.Key, service, governed string) bool {
	for _, path := range s.paths {
		for _, m := range s.methodsAt(path) {
			if s.connect && !s.overridden && !covers(governed, m) {
				continue
			}
			if !slices.ContainsFunc(keys, func(k state.Key) bool {
				return (k.Service == "" || k.Service == service) && covers(k.Method, m) && fits(k.Path, path)
			}) {
				return false
			}
		}
	}
	return true
}

func (s *scan) ask(service string) {
	var flagged []state.Key
	for k, r := range s.keys() {
		if r.Protected {
			flagged = append(flagged, k)
		}
	}
	protected := s.everyReading(flagged, service, "")
	for k, r := range s.keys() {
		if s.governs(k, service) {
			s.askKey(r, service, protected)
		}
	}
	if s.preflight {
		return
	}
	s.askSwitch(state.Target{Global: true}, s.doc.Global(), service, protected)
	if service != "" {
		s.askSwitch(state.Target{Service: service}, s.doc.Service(service), service, protected)
	}
}

func (s *scan) askKey(r state.Route, service string, protected bool) {
	if r.Deprecation != nil {
		s.told = append(s.told, r)
	}
	if protected {
		return
	}
	if g := r.Gate; g != nil && (s.req.Env == "" || !slices.Contains(g.Envs, s.req.Env)) && !s.everyReading(g.Except, service, r.Key.Method) {
		s.refusals = append(s.refusals, refusal{rank: 2, name: r.Key.String(), says: state.Decision{
			Cause: state.CauseEnvGated, Status: state.EnvGated, Path: r.Shown, Reason: g.Reason, Envs: g.Envs,
		}})
	}
	if b := r.Standing; b != nil && s.shut(b.Effect, r.Key.Method) && !s.everyReading(b.Except, service, r.Key.Method) {
		s.refuse(r.Key.String(), r.Shown, b.Effect, b.Reason, "", time.Time{})
	}
	for w := range s.doc.Windows() {
		if w.Target.Key != r.Key {
			continue
		}
		for _, o := range s.occurrences(w) {
			if s.shut(w.Effect, r.Key.Method) && !s.everyReading(slices.Concat(w.Except, o.Except), service, r.Key.Method) {
				s.refuse(r.Key.String(), r.Shown, w.Effect, w.Reason, w.ID, o.End)
			}
		}
	}
}

func (s *scan) askSwitch(t state.Target, sw state.Switch, service string, protected bool) {
	var exempt []state.Key
	for _, e := range sw.Exempt {
		exempt = append(exempt, e.Key)
	}
	reaches := func(exempt []state.Key, include bool, effect state.Effect) bool {
		return !s.everyReading(exempt, service, "") && (include || !protected) && s.shut(effect, "")
	}
	if b := sw.Standing; b != nil && reaches(exempt, sw.IncludeProtected, b.Effect) {
		s.refuse(t.String(), t.String(), b.Effect, b.Reason, "", time.Time{})
	}
	for w := range s.doc.Windows() {
		if w.Target != t {
			continue
		}
		for _, o := range s.occurrences(w) {
			spared, include := exempt, sw.IncludeProtected
			if w.Origin == state.OriginWindow {
				spared, include = slices.Concat(w.Except, o.Except), w.IncludeProtected
			} else {
				spared = slices.Concat(spared, o.Except)
			}
			if reaches(spared, include, w.Effect) {
				s.refuse(t.String(), t.String(), w.Effect, w.Reason, w.ID, o.End)
			}
		}
	}
}

// shut reports whether a block of an effect on the methods of a key is about this request at all: one that is read-only
// is about what may change something.
func (s *scan) shut(effect state.Effect, governed string) bool {
	if effect != state.EffectReadOnly {
		return true
	}
	for _, path := range s.paths {
		for _, m := range s.methodsAt(path) {
			if slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE", "OTHER"}, m) && covers(governed, m) {
				return true
			}
		}
	}
	return false
}

// occurrences are those that contain now.
func (s *scan) occurrences(w state.Window) (running []state.Occurrence) {
	all := w.Occurrences
	if w.Recurs == nil {
		all = []state.Occurrence{{Start: w.Start, End: w.End}}
	}
	for _, o := range all {
		if !s.now.Before(o.Start) && (o.End.IsZero() || s.now.Before(o.End)) {
			running = append(running, o)
		}
	}
	return running
}

func (s *scan) refuse(name, shown string, effect state.Effect, reason, window string, until time.Time) {
	says := state.Decision{Cause: state.CauseMaintenance, Status: state.Maintenance, Effect: effect, Path: shown, Reason: reason}
	rank := 3
	if effect == state.EffectDisabled || effect == state.EffectGone {
		says.Cause, says.Status, rank = state.CauseDisabled, state.Disabled, 4
	}
	s.refusals = append(s.refusals, refusal{rank: rank, name: name, window: window, until: until, says: says})
}

func (s *scan) anythingStrict() bool {
	in := func(service string) bool { return service == "" || s.req.Service == "" || service == s.req.Service }
	for k, r := range s.keys() {
		if in(k.Service) && (r.Gate != nil || r.Standing != nil) {
			return true
		}
	}
	for w := range s.doc.Windows() {
		if in(w.Target.Key.Service+w.Target.Service) && len(s.occurrences(w)) > 0 {
			return true
		}
	}
	for name, sw := range s.doc.Switches() {
		if in(name) && sw.Standing != nil {
			return true
		}
	}
	return s.doc.Global().Standing != nil
}

func (s *scan) answer() state.Decision {
	d := state.Decision{Status: state.Active}
	switch {
	case len(s.refusals) > 0:
		s.sortRefusals()
		d = s.refusals[0].says
		for _, r := range s.refusals {
			if r.until.IsZero() {
				d.RetryAt = time.Time{}
				break
			}
			if r.until.After(d.RetryAt) {
				d.RetryAt = r.until
			}
		}
	case len(s.told) > 0:
		slices.SortFunc(s.told, func(a, b state.Route) int { return strings.Compare(a.Key.String(), b.Key.String()) })
		r := s.told[0]
		d = state.Decision{Cause: state.CauseDeprecated, Status: state.Deprecated, Path: r.Shown, Reason: r.Deprecation.Reason, Deprecation: r.Deprecation}
	}
	d.Revision, d.Epoch = s.doc.Rev, s.doc.Epoch
	return d
}

// sortRefusals puts first what speaks: the strictest, then the one that ends last, then the lower key.
func (s *scan) sortRefusals() {
	last := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	end := func(r refusal) time.Time {
		if r.until.IsZero() {
			return last
		}
		return r.until
	}
	slices.SortFunc(s.refusals, func(a, b refusal) int {
		switch {
		case a.rank != b.rank:
			return b.rank - a.rank
		case !end(a).Equal(end(b)):
			return end(b).Compare(end(a))
		case a.name != b.name:
			return strings.Compare(a.name, b.name)
		default:
			return strings.Compare(a.window, b.window)
		}
	})
}
