package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// extendWithin is the horizon from which on it is moved: one day more than is promised.
const extendWithin = 15 * 24 * time.Hour

// short reports whether the occurrences of some window that recurs are not known far enough ahead.
func (s *Service) short(view View) bool {
	h := s.lookAt(view.Document()).horizon
	return !h.IsZero() && h.Before(view.Now.Add(extendWithin))
}

// extend makes the occurrences of all windows that recur known far ahead, from a view at the head of the store on, and
// gives the view with them. What it cannot extend is logged; it raises the alarm of every instance before it is missed.
func (s *Service) extend(ctx context.Context, view View) (View, error) {
	if !s.short(view) {
		return view, nil
	}
	until := view.Now.Add(expandAhead)
	change, failed := state.Extend(view.Document(), view.Now, view.Now.Add(extendWithin), func(w *state.Window) (state.Expansion, error) {
		return expandOn(w, until)
	})
	s.complain(failed)
	if len(change.Patch) == 0 {
		return view, nil
	}
	receipt, err := s.deliver(ctx, view.Place(), change)
	if err != nil {
		return View{}, fmt.Errorf("extend the horizon: %w", err)
	}
	s.cfg.Log.Info("extended the horizon of windows that recur", zap.Uint64("revision", receipt.Frame.Rev), zap.Int("windows", len(change.Patch)))
	return s.settled(ctx, view, receipt.Frame), nil
}

// expandOn gives the occurrences of a window from where they are known until an instant.
func expandOn(w *state.Window, until time.Time) (state.Expansion, error) {
	series, err := SeriesOf(w)
	if err != nil {
		return state.Expansion{}, err
	}
	x, err := series.Expand(w.Through, until, maxOccurrences)
	if err != nil {
		return state.Expansion{}, err //nolint:wrapcheck // it says what is wrong with which part
	}
	more := state.Expansion{Through: x.Through, Finished: x.Finished}
	for _, span := range x.Spans {
		more.Occurrences = append(more.Occurrences, state.Occurrence{Start: span.Start, End: span.End})
	}
	return more, nil
}

// complain logs which windows cannot be extended, once.
func (s *Service) complain(failed map[string]error) {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		lines = append(lines, id+": "+failed[id].Error())
	}
	if said := strings.Join(lines, "; "); said != s.complained {
		s.complained = said
		if said != "" {
			s.cfg.Log.Error("windows that recur cannot be extended", zap.Strings("windows", lines))
		}
	}
}
