package state_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestDocumentReadsBackItsFields(t *testing.T) {
	d := diceOf(11)
	for range 50 {
		doc := d.document(t, d.IntN(60))
		fields, err := doc.Fields()
		require.NoError(t, err)
		text, err := json.Marshal(fields)
		require.NoError(t, err)
		var read state.Patch
		require.NoError(t, json.Unmarshal(text, &read))
		again, err := state.NewDocument(state.Meta{}).With(read, doc.Meta)
		require.NoError(t, err)
		requireSameDocument(t, doc, again)
		require.Equal(t, doc.Meta, again.Meta)
	}
}

func requireSameDocument(t *testing.T, want, have *state.Document) {
	t.Helper()
	require.Equal(t, routesOf(want), routesOf(have))
	require.Equal(t, want.RouteCount(), have.RouteCount())
	require.Equal(t, windowsOf(want), windowsOf(have))
	require.Equal(t, want.Global(), have.Global())
	require.Equal(t, maps.Collect(want.Switches()), maps.Collect(have.Switches()))
}

func routesOf(doc *state.Document) map[state.Key]state.Route {
	all := map[state.Key]state.Route{}
	for r := range doc.Routes() {
		all[r.Key] = r
	}
	return all
}

func windowsOf(doc *state.Document) map[string]state.Window {
	all := map[string]state.Window{}
	for w := range doc.Windows() {
		all[w.ID] = w
	}
	return all
}

// TestDocumentIsImmutable keeps old documents while they change.
func TestDocumentIsImmutable(t *testing.T) {
	d := diceOf(12)
	type kept struct {
		doc     *state.Document
		routes  map[state.Key]state.Route
		windows map[string]state.Window
		inside  []string
	}
	everything := state.Key{Path: "/**"}
	doc := state.NewDocument(state.Meta{})
	var all []kept
	for i := range 300 {
		p := state.Patch{}
		d.change(t, p)
		d.change(t, p)
		next, err := doc.With(p, state.Meta{Rev: uint64(i)})
		require.NoError(t, err)
		doc = next
		if i%20 == 0 {
			all = append(all, kept{doc, routesOf(doc), windowsOf(doc), texts(doc.Inside(everything))})
		}
	}
	for _, k := range all {
		require.Equal(t, k.routes, routesOf(k.doc))
		require.Equal(t, k.windows, windowsOf(k.doc))
		require.Equal(t, k.inside, texts(k.doc.Inside(everything)))
		for key, r := range k.routes {
			have, ok := k.doc.Route(key)
			require.True(t, ok)
			require.Equal(t, r, have)
		}
	}
}

func texts(keys func(func(state.Key) bool)) []string {
	all := []string{}
	for k := range keys {
		all = append(all, k.String())
	}
	slices.Sort(all)
	return all
}

// TestDocumentFindsRelatedKeys compares the tree with a look at every key.
func TestDocumentFindsRelatedKeys(t *testing.T) {
	d := diceOf(13)
	found := 0
	for range 60 {
		doc := d.document(t, 80)
		for step := range 6 {
			if step > 0 {
				p := state.Patch{}
				for range 8 {
					d.change(t, p)
				}
				next, err := doc.With(p, state.Meta{})
				require.NoError(t, err)
				doc = next
			}
			every := maps.Clone(routesOf(doc))
			for w := range doc.Windows() {
				if w.Target.Key.Path != "" {
					every[w.Target.Key] = state.Route{}
				}
			}
			k := d.key()
			containing, inside, overlapping := []string{}, []string{}, []string{}
			for have := range every {
				if have.Contains(k) {
					containing = append(containing, have.String())
				}
				if k.Contains(have) {
					inside = append(inside, have.String())
				}
				if k.Overlaps(have) {
					overlapping = append(overlapping, have.String())
				}
			}
			slices.Sort(containing)
			slices.Sort(inside)
			slices.Sort(overlapping)
			require.Equal(t, containing, texts(doc.Containing(k)), k)
			require.Equal(t, inside, texts(doc.Inside(k)), k)
			require.Equal(t, overlapping, texts(doc.Overlapping(k)), k)
			found += len(containing) + len(inside)
			for range doc.Overlapping(k) {
				break // a caller may stop
			}
		}
	}
	require.Greater(t, found, 500)
}

func TestWindowsOnATarget(t *testing.T) {
	f := factsOf(t).window("/a", state.EffectMaintenance, 0, 1).window("/a", state.EffectDisabled, 1, 2).
		window("__global__", state.EffectMaintenance, 0, 1).window("__waygate:svc_global:pay__", state.EffectMaintenance, 0, 1)
	doc := f.compile().Document()
	ids := func(doc *state.Document, target state.Target) (all []string) {
		for w := range doc.WindowsOn(target) {
			require.Equal(t, target, w.Target)
			all = append(all, w.ID)
		}
		return all
	}
	a, b := state.Target{Key: state.Key{Path: "/a"}}, state.Target{Key: state.Key{Path: "/b"}}
	require.Equal(t, []string{"w1", "w2"}, ids(doc, a))
	require.Equal(t, []string{"w3"}, ids(doc, state.Target{Global: true}))
	require.Equal(t, []string{"w4"}, ids(doc, state.Target{Service: "pay"}))

	w, _ := doc.Window("w1")
	w.Target = b
	p := state.Patch{}
	require.NoError(t, p.SetWindow(w))
	p.DropWindow("w3")
	p.DropWindow("nobody")
	moved, err := doc.With(p, state.Meta{})
	require.NoError(t, err)
	require.Equal(t, []string{"w2"}, ids(moved, a))
	require.Equal(t, []string{"w1"}, ids(moved, b))
	require.Empty(t, ids(moved, state.Target{Global: true}))
	require.Equal(t, []string{"w1", "w2"}, ids(doc, a), "the document before stays as it was")
}

func TestDamagedPatchesChangeNothing(t *testing.T) {
	doc := factsOf(t).disabled("/a").compile().Document()
	for _, tt := range []struct{ name, field, value string }{
		{name: "an unknown field", field: "x:1", value: `{}`},
		{name: "no key", field: "r:nothing", value: `{}`},
		{name: "a key that is not canonical in its method", field: "r:get:/a", value: `{}`},
		{name: "another name of a key", field: "r:ANY:/a", value: `{}`},
		{name: "a key as it is shown", field: "r:/a/{id}", value: `{}`},
		{name: "no JSON", field: "r:/a", value: `{`},
		{name: "another form", field: "r:/a", value: `{"standing":7}`},
		{name: "an exception that is no key", field: "r:/a", value: `{"standing":{"except":["nothing"]}}`},
		{name: "a window without a target", field: "w:1", value: `{"effect":"disabled"}`},
		{name: "a window on no key", field: "w:1", value: `{"target":"","effect":"disabled"}`},
		{name: "a switch of another form", field: "g", value: `[]`},
		{name: "a service's switch of another form", field: "s:a", value: `"x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := doc.With(state.Patch{tt.field: json.RawMessage(tt.value), "r:/b": json.RawMessage(`{}`)}, state.Meta{})
			require.ErrorIs(t, err, state.ErrDamaged)
			require.Contains(t, err.Error(), fmt.Sprintf("%q", tt.field))
			require.Equal(t, 1, doc.RouteCount())
		})
	}
}

func TestNullRemovesAField(t *testing.T) {
	f := factsOf(t).disabled("/a").global(on(t)).service("pay", on(t)).window("/a", state.EffectDisabled, 0, 1)
	doc := f.compile().Document()
	p := state.Patch{}
	for field := range f.patch {
		p[field] = json.RawMessage("null")
	}
	empty, err := doc.With(p, state.Meta{})
	require.NoError(t, err)
	fields, err := empty.Fields()
	require.NoError(t, err)
	require.Equal(t, state.Patch{"g": json.RawMessage("{}")}, fields)
}

func TestApplyRefusesWhatDoesNotFollow(t *testing.T) {
	s := factsOf(t).disabled("/a").compile()
	frame := func(change func(*state.Frame)) state.Frame {
		c := state.Change{Entry: state.Entry{Kind: state.KindChange, Patch: state.Patch{"r:/a": json.RawMessage("null")}}}
		f, err := c.Frame(s.Document().Meta)
		require.NoError(t, err)
		change(&f)
		return f
	}
	for _, tt := range []struct {
		name   string
		change func(*state.Frame)
		want   error
	}{
		{name: "another epoch", change: func(f *state.Frame) { f.Epoch = "F" }, want: state.ErrGap},
		{name: "a revision too many", change: func(f *state.Frame) { f.Rev++ }, want: state.ErrGap},
		{name: "another head before", change: func(f *state.Frame) { f.Prev[0]++ }, want: state.ErrGap},
		{name: "a hash that does not fit", change: func(f *state.Frame) { f.Head[0]++ }, want: state.ErrDamaged},
		{name: "a payload that was changed", change: func(f *state.Frame) { f.Payload = json.RawMessage(`{"kind":"change"}`) }, want: state.ErrDamaged},
		{name: "a payload that is no entry", change: func(f *state.Frame) { *f = sealed(s, `[]`) }, want: state.ErrDamaged},
		{name: "a patch that cannot be read", change: func(f *state.Frame) { *f = sealed(s, `{"patch":{"r:x":{}}}`) }, want: state.ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Apply(frame(tt.change))
			require.ErrorIs(t, err, tt.want)
			require.True(t, shut(s, "GET /a", epoch0), "the snapshot stays as it is")
		})
	}
	next, err := s.Apply(frame(func(*state.Frame) {}))
	require.NoError(t, err)
	require.False(t, shut(next, "GET /a", epoch0))
	require.True(t, shut(s, "GET /a", epoch0), "the snapshot stays as it is")
	require.Equal(t, uint64(8), next.Decide(&state.Request{Method: "GET", Target: "/"}, epoch0).Revision)
}

// sealed is the frame after s with a payload of its own.
func sealed(s *state.Snapshot, payload string) state.Frame {
	m := s.Document().Meta
	return state.Frame{Epoch: m.Epoch, Rev: m.Rev + 1, Prev: m.Head, Head: m.Head.Next(m.Rev+1, []byte(payload)), Payload: json.RawMessage(payload)}
}

func TestLongKeysAreFields(t *testing.T) {
	f := factsOf(t).disabled("/" + strings.Repeat("a", 2000))
	require.True(t, shut(f.compile(), "GET /"+strings.Repeat("A", 2000), epoch0))
}
