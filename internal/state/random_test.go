package state_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// epoch0 is the middle of the minutes in which the windows of random documents begin and end.
var epoch0 = time.Date(2031, 3, 1, 12, 0, 0, 0, time.UTC)

// dice makes random documents and requests out of few words, so that they meet.
type dice struct{ *rand.Rand }

func diceOf(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 7))} }

func (d dice) pick(of ...string) string { return of[d.IntN(len(of))] }

func (d dice) path() string {
	var b strings.Builder
	for range d.IntN(4) {
		b.WriteString("/" + d.pick("a", "b", "A", "ab", "a.S", "{}", "{}", "x{}", "{}y", "x{}y", "é", "É", "50%25", "me"))
	}
	if d.IntN(4) == 0 {
		b.WriteString("/**")
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func (d dice) key() state.Key {
	return state.Key{
		Service: d.pick("", "", "", "s1", "s2"),
		Method:  d.pick("", "", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"),
		Path:    d.path(),
	}
}

func (d dice) keys(n int) []state.Key {
	var all []state.Key
	for range d.IntN(n + 1) {
		all = append(all, d.key())
	}
	return all
}

// except is mostly short, sometimes longer than what is looked at one by one.
func (d dice) except() []state.Key {
	if d.IntN(4) == 0 {
		return d.keys(40)
	}
	return d.keys(3)
}

func (d dice) block() *state.Block {
	return &state.Block{Effect: d.effect(), Reason: d.pick("one", "two"), Except: d.except()}
}

func (d dice) effect() state.Effect {
	m := string(state.EffectMaintenance)
	return state.Effect(d.pick(m, m, string(state.EffectDisabled), string(state.EffectGone), string(state.EffectReadOnly)))
}

func (d dice) route(k state.Key) state.Route {
	r := state.Route{Key: k, Shown: k.String(), Origin: state.OriginCommand, Protected: d.IntN(6) == 0}
	if d.IntN(4) == 0 {
		r.Deprecation = &state.Deprecation{Since: epoch0, Reason: d.pick("old", "older")}
	}
	if d.IntN(5) == 0 {
		r.Gate = &state.Gate{Envs: []string{d.pick("dev", "prod")}, Reason: "gate", Except: d.except()}
	}
	if d.IntN(3) == 0 {
		r.Standing = d.block()
	}
	return r
}

func (d dice) instant() time.Time { return epoch0.Add(time.Duration(d.IntN(9)-4) * time.Minute) }

func (d dice) target() state.Target {
	switch d.IntN(6) {
	case 0:
		return state.Target{Global: true}
	case 1:
		return state.Target{Service: d.pick("s1", "s2", "s3")}
	default:
		return state.Target{Key: d.key()}
	}
}

func (d dice) window(id string) state.Window {
	w := state.Window{
		ID: id, Target: d.target(), Start: d.instant(), Effect: d.effect(), Reason: d.pick("w", "v"), Except: d.except(),
		Origin: state.WindowOrigin(d.pick(string(state.OriginWindow), string(state.OriginUntil))), IncludeProtected: d.IntN(2) == 0,
	}
	if d.IntN(4) > 0 {
		w.End = d.instant()
	}
	if d.IntN(4) == 0 {
		w.Recurs, w.Zone = &state.Recurrence{Rule: "RRULE:FREQ=DAILY"}, "UTC"
		for range d.IntN(12) {
			w.Occurrences = append(w.Occurrences, state.Occurrence{Start: d.instant(), End: d.instant(), Except: d.keys(2)})
		}
	}
	return w
}

func (d dice) swtch() state.Switch {
	s := state.Switch{IncludeProtected: d.IntN(2) == 0}
	for _, k := range d.except() {
		s.Exempt = append(s.Exempt, state.Exemption{Key: k, Shown: k.String()})
	}
	if d.IntN(3) == 0 {
		s.Standing = &state.Block{Effect: d.effect(), Reason: "switch"}
	}
	return s
}

// change puts one random field into a patch, or takes one away.
func (d dice) change(t testing.TB, p state.Patch) {
	switch d.IntN(12) {
	case 0:
		require.NoError(t, p.SetGlobal(d.swtch()))
	case 1:
		require.NoError(t, p.SetService(d.pick("s1", "s2", "s3"), d.swtch()))
	case 2, 3:
		require.NoError(t, p.SetWindow(d.window(fmt.Sprint("w", d.IntN(20)))))
	case 4:
		p.DropWindow(fmt.Sprint("w", d.IntN(20)))
	case 5, 6:
		p.DropRoute(d.key())
	default:
		require.NoError(t, p.SetRoute(d.route(d.key())))
	}
}

func (d dice) document(t testing.TB, fields int) *state.Document {
	p := state.Patch{}
	for range fields {
		d.change(t, p)
	}
	doc, err := state.NewDocument(state.Meta{}).With(p, state.Meta{Epoch: "dice", Rev: 1})
	require.NoError(t, err)
	return doc
}

// targetText is a request target near the paths of random keys.
func (d dice) targetText() string {
	var b strings.Builder
	for range d.IntN(4) {
		b.WriteString("/" + d.pick("a", "b", "A", "B", "ab", "a.S", "me", "ME", "q", "xq", "qy", "xqy", "XqY", "xy",
			"%C3%A9", "%c3%89", "50%25", "%61", "a;p", "..", ".", "a.", "b%20", "%2561", "a%2fb", "{}", "a%5Cb"))
	}
	if b.Len() == 0 || d.IntN(6) == 0 {
		b.WriteByte('/')
	}
	switch d.IntN(8) {
	case 0:
		b.WriteString(d.pick("?x=1", "?_method=POST", "?_method=delete&a", "?connect=v1", "?connect=v1&_method=PUT", "?", "#f", "%"))
	case 1:
		return "http://h" + b.String()
	}
	return b.String()
}

func (d dice) request() *state.Request {
	req := &state.Request{
		Method:  d.pick("GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "get", "TRACE", "PROPFIND"),
		Target:  d.targetText(),
		Service: d.pick("", "", "s1", "s2", "s3", "s4"),
		Env:     d.pick("", "dev", "prod"),
	}
	if d.IntN(10) == 0 {
		req.Overrides = []string{d.pick("POST", "delete", "get,head", "PURGE", "")}
	}
	req.Preflight = d.IntN(3) == 0
	req.Unreadable = d.IntN(40) == 0
	return req
}
