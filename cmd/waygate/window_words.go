package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
)

// inZone shows times in the zone of a window, where none was asked for.
func (t *tool) inZone(name string) *tool {
	at, err := schedule.Zone(name)
	if t.zone.given || name == "" || err != nil {
		return t
	}
	there := *t
	there.zone = zone{Location: at, given: true}
	return &there
}

// whenInWords says when a window is in force.
func (t *tool) whenInWords(w wire.WindowDetail) string {
	if w.Recurrence != nil {
		return w.Recurrence.Description
	}
	return t.span(w.Start, w.End)
}

// next says when a window blocks, or blocks again.
func (t *tool) next(w wire.WindowDetail, at time.Time) string {
	switch {
	case w.State == "ended":
		return "over"
	case w.State == "active" && w.End == nil:
		return "running, no end"
	case w.State == "active":
		return "running, until " + t.clock(*w.End)
	}
	return fmt.Sprintf("to begin in %s, %s", roughly(w.Start.Sub(at)), t.span(w.Start, w.End))
}

func effectInWords(effect string) string { return strings.ReplaceAll(effect, "_", "-") }

// shortID is the least of an id that tells it from the others of a list, sorted. The beginning of an id is the instant
// at which the window was made, so that what is unique in a list is so, most likely, among all.
func shortID(id string, sorted []string) string {
	n := len("0192f0c1-6b2e") // the instant
	at, _ := slices.BinarySearch(sorted, id)
	for _, beside := range []int{at - 1, at + 1} {
		if beside >= 0 && beside < len(sorted) {
			n = max(n, len(commonPrefix(id, sorted[beside]))+1)
		}
	}
	return id[:min(n, len(id))]
}

func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func idsOf(list []wire.WindowDetail) []string {
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = w.ID
	}
	slices.Sort(ids)
	return ids
}

func (t *tool) listWindows(list []wire.WindowDetail) error {
	if len(list) == 0 {
		fmt.Fprintln(t.out, "no windows")
		return nil
	}
	rows := make([][]string, 0, len(list))
	at, ids := now(), idsOf(list)
	for _, w := range list {
		next := ""
		switch {
		case w.State == "active":
			next = "now"
			if w.End != nil {
				next += " until " + t.brief(*w.End)
			}
		case w.State == "ended":
			next = "over"
		case w.Recurrence != nil:
			next = t.brief(w.Start)
		default:
			next = "in " + roughly(w.Start.Sub(at))
		}
		when := t.briefSpan(w.Start, w.End)
		if w.Recurrence != nil {
			when = w.Recurrence.Description
		}
		rows = append(rows, []string{shortID(w.ID, ids), targetOf(w.Path), when, next, effectInWords(w.Effect), w.Reason})
	}
	return table(t.out, []string{"ID", "TARGET", "WHEN", "NEXT", "EFFECT", "REASON"}, rows)
}

// showWindow prints everything about a window, in its own zone where no other was asked for.
func (t *tool) showWindow(w wire.WindowDetail) {
	in := t.inZone(w.Timezone)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t.out, "%-9s %s\n", name, oneLine(value))
		}
	}
	line("window", w.ID)
	line("target", targetOf(w.Path))
	line("when", in.whenInWords(w))
	line("state", in.next(w, now()))
	line("effect", effectInWords(w.Effect))
	line("reason", w.Reason)
	line("ticket", w.Ticket)
	line("except", strings.Join(w.Except, ", "))
	if w.IncludeForceActive {
		line("protected", "routes are included")
	}
	if w.Origin == "until" {
		line("origin", "an --until: cancelling a schedule spares it")
	}
	if r := w.Recurrence; r != nil {
		line("rule", r.Rule)
		for i, o := range w.Occurrences {
			name := ""
			if i == 0 {
				name = "known"
			}
			except := ""
			if len(o.Except) > 0 {
				except = ", except " + strings.Join(o.Except, ", ")
			}
			fmt.Fprintf(t.out, "%-9s %s%s\n", name, in.span(o.Start, o.End), except)
		}
	}
	if w.Made != nil {
		line("made", in.clock(*w.Made))
	}
	if w.At != nil {
		line("changed", strings.TrimSpace(in.clock(*w.At)+" by "+orNone(w.By, "nobody known")))
	}
}

// comesAgain says of a window that recurs when it is next.
func (t *tool) comesAgain(w wire.WindowDetail) string {
	if w.Recurrence == nil || w.State == "ended" {
		return ""
	}
	return "; it is " + t.inZone(w.Timezone).next(w, now())
}

// tellMoved says when a window, or one occurrence of it, ends now.
func (t *tool) tellMoved(w wire.WindowDetail, occurrence time.Time) {
	in := t.inZone(w.Timezone)
	for _, o := range w.Occurrences {
		if !occurrence.IsZero() && o.Start.Equal(occurrence) {
			fmt.Fprintf(t.out, "window %s, this occurrence: %s\n", w.ID, in.span(o.Start, o.End))
			return
		}
	}
	fmt.Fprintf(t.out, "window %s is %s\n", w.ID, in.next(w, now()))
}

// tellCancelled says what is gone: of a window that recurs everything, or one occurrence.
func (t *tool) tellCancelled(was, is wire.WindowDetail, occurrence time.Time) {
	switch {
	case was.Recurrence == nil:
		fmt.Fprintf(t.out, "window %s is cancelled\n", was.ID)
	case !occurrence.IsZero():
		fmt.Fprintf(t.out, "the occurrence of %s is cancelled%s\n", t.inZone(was.Timezone).clock(occurrence), t.comesAgain(is))
	default:
		fmt.Fprintf(t.out, "window %s is cancelled with all its occurrences, %s\n", was.ID, was.Recurrence.Description)
		fmt.Fprintf(t.err, "one only would have been: waygate window cancel ID --occurrence %s\n", was.Start.UTC().Format(time.RFC3339))
	}
}
