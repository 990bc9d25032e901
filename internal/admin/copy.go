package admin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Copy is a document taken out of its store: what people said, without who said it and when.
type Copy struct {
	Global   CopiedSwitch
	Services map[string]CopiedSwitch
	Routes   []CopiedRoute
}

// CopiedSwitch is a switch and its timed parts that are not over. Of those that recur, Occurrences are the ones that
// differ from their rule, and Skipped the starts of those that were cancelled.
type CopiedSwitch struct {
	state.Switch
	Windows []state.Window
}

// CopiedRoute is a route and its timed parts that are not over, as those of a switch.
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
			all = append(all, deviations(&w, now))
		}
	}
	slices.SortFunc(all, func(a, b state.Window) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return all
}

// expanded is the copy with the occurrences of its recurring windows, as they are at an instant, and without windows
// that are over then.
func (c *Copy) expanded(now time.Time) (Copy, error) {
	is := Copy{Global: c.Global, Services: map[string]CopiedSwitch{}, Routes: slices.Clone(c.Routes)}
	var err error
	if is.Global.Windows, err = expandAll(c.Global.Windows, now); err != nil {
		return Copy{}, fmt.Errorf("the global switch: %w", err)
	}
	for name, own := range c.Services {
		if own.Windows, err = expandAll(own.Windows, now); err != nil {
			return Copy{}, fmt.Errorf("the switch of %s: %w", name, err)
		}
		is.Services[name] = own
	}
	for i := range is.Routes {
		r := &is.Routes[i]
		if r.Windows, err = expandAll(r.Windows, now); err != nil {
			return Copy{}, fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return is, nil
}

func expandAll(windows []state.Window, now time.Time) ([]state.Window, error) {
	var all []state.Window
	for _, w := range windows {
		if w.Recurs != nil {
			if err := expandNew(&w, now); err != nil {
				return nil, err
			}
		}
		if !w.Over(now) {
			all = append(all, w)
		}
	}
	return all, nil
}

// commandsOf are the commands that make a copy on a document in which the switches of skip are not enabled. Protected
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
	global := state.Target{Global: true}
	all = append(all, c.Global.commands(global, !skip(global))...)
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		t, own := state.Target{Service: name}, c.Services[name]
		all = append(all, own.commands(t, !skip(t))...)
	}
	return all
}

// commands are those that make the switch; only its windows, which nothing else of it touches, unless it is to be enabled.
func (w *CopiedSwitch) commands(t state.Target, enable bool) []state.Command {
	var all []state.Command
	if enable {
		// First: while a window runs, what is staged for the next enable would hold for the window.
		all = w.enabling(t)
	}
	for _, is := range w.Windows {
		if is.Origin == state.OriginWindow {
			all = append(all, state.Command{Verb: state.VerbAddWindow, Target: t, Reason: is.Reason, Window: &is})
		}
	}
	return all
}

// enabling are the commands that make all of the switch but its windows with a start.
func (w *CopiedSwitch) enabling(t state.Target) []state.Command {
	shut := state.Command{Verb: state.VerbEnable, Target: t, Exempt: w.Exempt, IncludeProtected: w.IncludeProtected}
	var all []state.Command
	if w.Standing != nil {
		c := shut
		c.Reason = w.Standing.Reason
		all = append(all, c)
	}
	for _, is := range w.Windows {
		if is.Origin == state.OriginUntil {
			c := shut
			c.Reason, c.End = is.Reason, is.End
			all = append(all, c)
		}
	}
	if len(w.Staged) > 0 {
		all = append(all, state.Command{Verb: state.VerbExempt, Target: t, Add: w.Staged})
	}
	return all
}
