package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// Copy is a document taken out of its store: what people said, without who said it and when.
type Copy struct {
	Global   CopiedSwitch
	Services map[string]CopiedSwitch
	Routes   []CopiedRoute
}

// CopiedSwitch is a switch and its timed parts that are not over.
type CopiedSwitch struct {
	state.Switch
	Windows []state.Window
}

// CopiedRoute is a route and its timed parts that are not over.
type CopiedRoute struct {
	state.Route
	Windows []state.Window
}

// Export copies the document as this admin sees it.
func (s *Service) Export() (View, Copy, error) {
	view, err := s.View()
	if err != nil {
		return View{}, Copy{}, err
	}
	doc := view.Document()
	c := Copy{
		Global:   CopiedSwitch{doc.Global(), windowsOn(doc, state.Target{Global: true}, view.Now)},
		Services: map[string]CopiedSwitch{},
	}
	for name := range switchNames(doc) {
		c.Services[name] = CopiedSwitch{doc.Service(name), windowsOn(doc, state.Target{Service: name}, view.Now)}
	}
	for r := range doc.Routes() {
		c.Routes = append(c.Routes, CopiedRoute{r, windowsOn(doc, state.Target{Key: r.Key}, view.Now)})
	}
	slices.SortFunc(c.Routes, func(a, b CopiedRoute) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	return view, c, nil
}

// switchNames are the services whose switch says something.
func switchNames(doc *state.Document) map[string]struct{} {
	names := map[string]struct{}{}
	for name := range doc.Switches() {
		names[name] = struct{}{}
	}
	for w := range doc.Windows() {
		if w.Target.Service != "" {
			names[w.Target.Service] = struct{}{}
		}
	}
	return names
}

func windowsOn(doc *state.Document, t state.Target, now time.Time) []state.Window {
	var all []state.Window
	for w := range doc.WindowsOn(t) {
		if !w.Over(now) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b state.Window) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return all
}

// ImportMode says how an import is made.
type ImportMode struct {
	// Replace makes the document equal to the copy; otherwise keys and blocks are added, and nothing is lifted.
	Replace bool
	// DryRun changes nothing and tells what would change.
	DryRun bool
	Reason string
}

// Difference is what an import changes about one target.
type Difference struct {
	Path          string
	Before, After state.Status
	// How is added, changed or removed.
	How string
	// Note is a sentence where something was not taken over as copied.
	Note string
}

// Import takes a copy in. Adding needs people.ScopeChange, replacing people.ScopeAdmin.
func (s *Service) Import(ctx context.Context, who people.Principal, retry Retry, mode ImportMode, c Copy) (Result, []Difference, error) {
	scope := people.ScopeChange
	if mode.Replace {
		scope = people.ScopeAdmin
	}
	if err := who.May(scope); err != nil {
		return Result{}, nil, err
	}
	once, err := newOnce(who, retry)
	if err != nil {
		return Result{}, nil, err
	}
	var diff []Difference
	planned := func(doc *state.Document, now time.Time) (state.Change, []state.Outcome, error) {
		by := s.author(ctx, who, now)
		var change state.Change
		var notes []Difference
		var err error
		if mode.Replace {
			change, err = replaced(doc, by, c, mode.Reason)
		} else {
			change, notes, err = added(doc, by, c, mode.Reason)
		}
		if err != nil {
			return state.Change{}, nil, err
		}
		diff = append(differences(doc, &change), notes...)
		return change, nil, nil
	}
	if !mode.DryRun {
		r, err := s.commit(ctx, once, planned, nil)
		return r, diff, err
	}
	view, err := s.head(ctx)
	if err != nil {
		return Result{}, nil, err
	}
	change, _, err := planned(view.Document(), view.Now)
	if err != nil {
		return Result{}, nil, err
	}
	return Result{View: view, At: view.Place(), Changed: len(change.Patch) > 0}, diff, nil
}

// commandsOf are the commands that make a copy on a document in which the switches of skip are left alone. Protected
// keys come first: once the block of a wider key is there, none is protected by being imported.
func (c *Copy) commandsOf(reason string, skip func(state.Target) bool) []state.Command {
	var all []state.Command
	first := func(r CopiedRoute) int {
		if r.Protected {
			return 0
		}
		return 1
	}
	routes := slices.SortedStableFunc(slices.Values(c.Routes), func(a, b CopiedRoute) int { return first(a) - first(b) })
	for _, r := range routes {
		all = append(all, state.Command{
			Verb: state.VerbImport, Target: state.Target{Key: r.Key}, Shown: r.Shown, AnyMethod: true, Reason: reason,
			Declared: &state.Declared{
				Deprecation: r.Deprecation, Gate: r.Gate, Standing: r.Standing, Windows: r.Windows, Protected: r.Protected,
			},
		})
	}
	if t := (state.Target{Global: true}); !skip(t) {
		all = append(all, c.Global.commands(t)...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		if t := (state.Target{Service: name}); !skip(t) {
			own := c.Services[name]
			all = append(all, own.commands(t)...)
		}
	}
	return all
}

func (w *CopiedSwitch) commands(t state.Target) []state.Command {
	shut := state.Command{Verb: state.VerbEnable, Target: t, Exempt: w.Exempt, IncludeProtected: w.IncludeProtected}
	var all []state.Command
	if w.Standing != nil {
		c := shut
		c.Reason = w.Standing.Reason
		all = append(all, c)
	}
	for _, until := range w.Windows {
		c := shut
		c.Reason, c.End = until.Reason, until.End
		all = append(all, c)
	}
	if len(w.Staged) > 0 {
		all = append(all, state.Command{Verb: state.VerbExempt, Target: t, Add: w.Staged})
	}
	return all
}

// added is the change that adds what the copy has and the document lacks. A switch that is on stays as it is.
func added(doc *state.Document, by state.Author, c Copy, reason string) (state.Change, []Difference, error) {
	snap, err := state.Compile(doc)
	if err != nil {
		return state.Change{}, nil, fmt.Errorf("compile: %w", err)
	}
	var notes []Difference
	commands := c.commandsOf(reason, func(t state.Target) bool {
		st := snap.GlobalState(by.At)
		if !t.Global {
			st = snap.ServiceState(t.Service, by.At)
		}
		if st.Enabled {
			notes = append(notes, Difference{Path: t.String(), How: "kept", Note: "this switch is on: it stays as it is"})
		}
		return st.Enabled
	})
	change, outcomes, err := state.Execute(doc, by, commands...)
	if err != nil {
		return state.Change{}, nil, fmt.Errorf("import: %w", err)
	}
	for _, o := range outcomes {
		if o.Note != "" {
			notes = append(notes, Difference{Path: o.Shown, How: "kept", Note: o.Note})
		}
	}
	return change, notes, nil
}

// replaced is the change that makes the document equal to the copy. What both have keeps its ids and its history.
func replaced(doc *state.Document, by state.Author, c Copy, reason string) (state.Change, error) {
	empty := state.NewDocument(doc.Meta)
	fresh, _, err := state.Execute(empty, by, c.commandsOf(reason, func(state.Target) bool { return false })...)
	if err != nil {
		return state.Change{}, fmt.Errorf("import: %w", err)
	}
	after, err := empty.With(fresh.Patch, doc.Meta)
	if err != nil {
		return state.Change{}, fmt.Errorf("import: %w", err)
	}
	patch := state.Patch{}
	err = errors.Join(
		replaceRoutes(patch, doc, after), replaceWindows(patch, doc, after, by.At), replaceSwitches(patch, doc, after, by))
	if err != nil || len(patch) == 0 {
		return state.Change{}, err
	}
	change := state.Change{Entry: state.Entry{
		Kind: state.KindChange, At: by.At, Actor: by.Actor, Platform: by.Platform, Patch: patch,
	}}
	for _, d := range differences(doc, &change) {
		change.Records = append(change.Records, state.Record{
			Action: actionOf(d), Path: d.Path, Service: serviceOf(d.Path), Reason: reason, Before: d.Before, After: d.After,
		})
	}
	return change, nil
}

func replaceRoutes(patch state.Patch, doc, after *state.Document) error {
	for r := range doc.Routes() {
		if _, kept := after.Route(r.Key); !kept {
			patch.DropRoute(r.Key)
		}
	}
	for r := range after.Routes() {
		if old, known := doc.Route(r.Key); known && sameParts(&old, &r) {
			continue
		}
		if err := patch.SetRoute(r); err != nil {
			return err //nolint:wrapcheck // it names the field
		}
	}
	return nil
}

// sameParts compares what routes say, not who said it.
func sameParts(a, b *state.Route) bool {
	return a.Shown == b.Shown && a.Protected == b.Protected && reflect.DeepEqual(a.Deprecation, b.Deprecation) &&
		sameGate(a.Gate, b.Gate) && sameBlock(a.Standing, b.Standing)
}

func sameGate(a, b *state.Gate) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Reason == b.Reason && slices.Equal(a.Envs, b.Envs) && slices.Equal(a.Except, b.Except)
}

func sameBlock(a, b *state.Block) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Effect == b.Effect && a.Reason == b.Reason && slices.Equal(a.Except, b.Except)
}

func replaceWindows(patch state.Patch, doc, after *state.Document, now time.Time) error {
	kept := map[string]bool{}
	for w := range after.Windows() {
		same := false
		for old := range doc.WindowsOn(w.Target) {
			if !kept[old.ID] && sameWindow(&old, &w, now) {
				kept[old.ID], same = true, true
				break
			}
		}
		if same {
			continue
		}
		if err := patch.SetWindow(w); err != nil {
			return err //nolint:wrapcheck // it names the field
		}
	}
	for w := range doc.Windows() {
		if !kept[w.ID] {
			patch.DropWindow(w.ID)
		}
	}
	return nil
}

// sameWindow compares what windows say. The past start of one that runs does not matter: an until that is copied
// begins again when it is taken in.
func sameWindow(a, b *state.Window, now time.Time) bool {
	starts := a.Start.Equal(b.Start) || !a.Start.After(now) && !b.Start.After(now)
	return starts && a.End.Equal(b.End) && a.Effect == b.Effect && a.Reason == b.Reason && a.Origin == b.Origin &&
		slices.Equal(a.Except, b.Except) && a.Zone == b.Zone && (a.Recurs == nil) == (b.Recurs == nil) &&
		(a.Recurs == nil || *a.Recurs == *b.Recurs)
}

func replaceSwitches(patch state.Patch, doc, after *state.Document, by state.Author) error {
	if !sameSwitch(doc.Global(), after.Global()) {
		if err := patch.SetGlobal(stamped(after.Global(), by)); err != nil {
			return err //nolint:wrapcheck // it names the field
		}
	}
	names := switchNames(doc)
	maps.Copy(names, switchNames(after))
	for name := range names {
		if sameSwitch(doc.Service(name), after.Service(name)) {
			continue
		}
		if err := patch.SetService(name, stamped(after.Service(name), by)); err != nil {
			return err //nolint:wrapcheck // it names the field
		}
	}
	return nil
}

func stamped(s state.Switch, by state.Author) state.Switch {
	s.By, s.At = by.Actor, by.At
	return s
}

// sameSwitch compares what switches say. The exemptions of one that is off count for nothing.
func sameSwitch(a, b state.Switch) bool {
	return sameBlock(a.Standing, b.Standing) && a.IncludeProtected == b.IncludeProtected &&
		slices.Equal(a.Exempt, b.Exempt) && slices.Equal(a.Staged, b.Staged)
}
