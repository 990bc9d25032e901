package state_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func parseKey(tb testing.TB, text string) state.Key {
	k, _, err := state.ParseKey(text)
	require.NoError(tb, err)
	return k
}

func parseKeys(tb testing.TB, texts ...string) (all []state.Key) {
	for _, text := range texts {
		all = append(all, parseKey(tb, text))
	}
	return all
}

// facts builds a document from the sentences of a test.
type facts struct {
	testing.TB
	patch state.Patch
	doc   *state.Document
	count int
}

func factsOf(tb testing.TB) *facts {
	return &facts{TB: tb, patch: state.Patch{}, doc: state.NewDocument(state.Meta{Epoch: "E"})}
}

// route changes what is said about a key.
func (f *facts) route(text string, change func(*state.Route)) *facts {
	k, shown, err := state.ParseKey(text)
	require.NoError(f, err)
	r := state.Route{}
	if have, ok := f.patch["r:"+k.String()]; ok {
		require.NoError(f, json.Unmarshal(have, &r))
	}
	r.Key, r.Shown = k, shown
	change(&r)
	require.NoError(f, f.patch.SetRoute(r))
	return f
}

func (f *facts) block(text string, effect state.Effect, except ...string) *facts {
	return f.route(text, func(r *state.Route) {
		r.Standing = &state.Block{Effect: effect, Reason: "standing " + text, Except: parseKeys(f, except...)}
	})
}

func (f *facts) disabled(text string, except ...string) *facts {
	return f.block(text, state.EffectDisabled, except...)
}

func (f *facts) maintenance(text string, except ...string) *facts {
	return f.block(text, state.EffectMaintenance, except...)
}

func (f *facts) gate(text string, envs ...string) *facts {
	return f.route(text, func(r *state.Route) { r.Gate = &state.Gate{Envs: envs, Reason: "gate " + text} })
}

func (f *facts) deprecated(text string) *facts {
	return f.route(text, func(r *state.Route) { r.Deprecation = &state.Deprecation{Since: epoch0, Reason: "old " + text} })
}

func (f *facts) protected(text string) *facts {
	return f.route(text, func(r *state.Route) { r.Protected = true })
}

func (f *facts) known(text string) *facts { return f.route(text, func(*state.Route) {}) }

// window is a block from one minute after noon to another; to 0 is no end.
func (f *facts) window(target string, effect state.Effect, from, to int, except ...string) *facts {
	var t state.Target
	require.NoError(f, t.UnmarshalText([]byte(target)))
	f.count++
	w := state.Window{
		ID: fmt.Sprint("w", f.count), Target: t, Start: minute(from), Effect: effect, Reason: fmt.Sprintf("window to %d", to),
		Origin: state.OriginWindow, Except: parseKeys(f, except...),
	}
	if to != 0 {
		w.End = minute(to)
	}
	require.NoError(f, f.patch.SetWindow(w))
	return f
}

func (f *facts) global(s state.Switch) *facts {
	require.NoError(f, f.patch.SetGlobal(s))
	return f
}

func (f *facts) service(name string, s state.Switch) *facts {
	require.NoError(f, f.patch.SetService(name, s))
	return f
}

func (f *facts) compile() *state.Snapshot {
	doc, err := f.doc.With(f.patch, state.Meta{Epoch: "E", Rev: 7})
	require.NoError(f, err)
	s, err := state.Compile(doc)
	require.NoError(f, err)
	return s
}

func minute(n int) time.Time { return epoch0.Add(time.Duration(n) * time.Minute) }

// on is a switch in force that exempts keys.
func on(tb testing.TB, exempt ...string) state.Switch {
	s := state.Switch{Standing: &state.Block{Effect: state.EffectMaintenance, Reason: "all shut"}}
	for _, k := range parseKeys(tb, exempt...) {
		s.Exempt = append(s.Exempt, state.Exemption{Key: k, Shown: k.String()})
	}
	return s
}

func including(s state.Switch) state.Switch {
	s.IncludeProtected = true
	return s
}

func ask(s *state.Snapshot, text string, now time.Time) state.Decision {
	req := requestOf(text)
	return s.Decide(&req, now)
}

func shut(s *state.Snapshot, text string, now time.Time) bool {
	d := ask(s, text, now)
	return d.Refused()
}

// requestOf reads "METHOD target" with options after it: service=, env=, override=, preflight, unreadable.
func requestOf(text string) state.Request {
	words := strings.Fields(text)
	req := state.Request{Method: words[0], Target: words[1]}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "service":
			req.Service = value
		case "env":
			req.Env = value
		case "override":
			req.Overrides = append(req.Overrides, value)
		case "preflight":
			req.Preflight = true
		case "unreadable":
			req.Unreadable = true
		default:
			panic(name)
		}
	}
	return req
}

// verdicts maps a request to the word for its verdict: the status, or unreadable.
type verdicts map[string]string

func (want verdicts) check(t *testing.T, s *state.Snapshot) {
	t.Helper()
	for text, word := range want {
		d := ask(s, text, epoch0)
		got := string(d.Status)
		if d.Cause == state.CauseUnreadable {
			got = "unreadable"
		}
		require.Equal(t, word, got, text)
		require.Equal(t, word != "active" && word != "deprecated", d.Refused(), text)
		require.Equal(t, uint64(7), d.Revision)
		require.Equal(t, "E", d.Epoch)
	}
}
