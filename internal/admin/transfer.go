package admin

import (
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
		known, err := c.expanded(now)
		switch {
		case err != nil:
		case mode.Replace:
			change, err = replaced(doc, by, known, mode.Reason)
		default:
			change, notes, err = added(doc, by, known, mode.Reason)
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

// added is the change that adds what the copy has and the document lacks. A switch that is on stays as it is.
func added(doc *state.Document, by state.Author, c Copy, reason string) (state.Change, []Difference, error) {
	var notes []Difference
	commands := c.commandsOf(reason, func(t state.Target) bool {
		st := doc.GlobalState(by.At)
		if !t.Global {
			st = doc.ServiceState(t.Service, by.At)
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
	if err := patch.BeginAnnouncing(doc, by.At); err != nil {
		return state.Change{}, fmt.Errorf("import: %w", err)
	}
	was, err := doc.Was(patch)
	if err != nil {
		return state.Change{}, fmt.Errorf("import: %w", err)
	}
	change := state.Change{Entry: state.Entry{
		Kind: state.KindChange, At: by.At, Actor: by.Actor, Platform: by.Platform, Patch: patch, Was: was,
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
	same := a.End.Equal(b.End) && a.Effect == b.Effect && a.Reason == b.Reason && a.Ticket == b.Ticket && a.Origin == b.Origin &&
		slices.Equal(a.Except, b.Except) && a.IncludeProtected == b.IncludeProtected && a.Zone == b.Zone
	if a.Recurs == nil || b.Recurs == nil {
		return same && starts && a.Recurs == b.Recurs
	}
	return same && *a.Recurs == *b.Recurs && sameDeviations(a, b, now)
}

func sameDeviations(a, b *state.Window, now time.Time) bool {
	was, is := deviations(a, now), deviations(b, now)
	return slices.EqualFunc(was.Skipped, is.Skipped, time.Time.Equal) &&
		slices.EqualFunc(was.Occurrences, is.Occurrences, func(x, y state.Occurrence) bool {
			return x.Start.Equal(y.Start) && x.End.Equal(y.End) && slices.Equal(x.Except, y.Except)
		})
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
