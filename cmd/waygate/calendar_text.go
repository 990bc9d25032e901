package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waygate/waygate/internal/admin/schedule"
)

const cell = 8 // columns of a day in the grid

// print writes the page: the grid, the clock changes of the month, and the list.
func (p *monthPage) print(w io.Writer) error {
	var b strings.Builder
	title := p.first.Format("January 2006") + ", " + p.zone.String()
	if p.title != "" {
		title += ", service " + p.title
	}
	b.WriteString(title + "\n\n")
	p.grid(&b)
	p.clockChanges(&b)
	p.list(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *monthPage) grid(b *strings.Builder) {
	var line strings.Builder
	flush := func() {
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		line.Reset()
	}
	for _, name := range [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		fmt.Fprintf(&line, "%-*s", cell, " "+name)
	}
	flush()
	before := (int(p.first.Weekday()) + 6) % 7 // Monday first
	line.WriteString(strings.Repeat(" ", before*cell))
	for day := range len(p.days) - 1 {
		if (before+day)%7 == 0 && day > 0 {
			flush()
		}
		is := fmt.Sprintf(" %2d ", day+1)
		if !p.now.Before(p.days[day]) && p.now.Before(p.days[day+1]) {
			is = fmt.Sprintf("[%2d]", day+1)
		}
		if n := p.touching(day); n > 0 {
			is += fmt.Sprintf("*%d", n)
		}
		fmt.Fprintf(&line, "%-*s", cell, is)
	}
	flush()
}

// clockChanges says when in the month the clocks of the zone change.
func (p *monthPage) clockChanges(b *strings.Builder) {
	end := p.days[len(p.days)-1]
	for t := p.days[0].In(p.zone); ; {
		change := schedule.NextChange(t, end)
		if change.IsZero() {
			return
		}
		_, was := t.Zone()
		_, is := change.Zone()
		way := "forward"
		if is < was {
			way = "back"
		}
		old := change.In(time.FixedZone("", was))
		fmt.Fprintf(b, "\n%s: at %s the clocks go %s to %s (%s to %s)\n", old.Format("Mon 2"),
			old.Format("15:04"), way, change.Format("15:04"), offset(old), offset(change))
		t = change
	}
}

// offset is how far the clocks are ahead of UTC at t, in words.
func offset(t time.Time) string { return t.Format("UTC-07:00") }

func (p *monthPage) list(b *strings.Builder) {
	if len(p.entries) == 0 {
		b.WriteString("\nno windows\n")
		return
	}
	rows := make([][]string, len(p.entries))
	var widths [4]int
	ids := make([]string, len(p.entries))
	for i, e := range p.entries {
		ids[i] = e.Window
	}
	slices.Sort(ids)
	ids = slices.Compact(ids) // one window has many occurrences
	for i, e := range p.entries {
		effect := effectInWords(e.Effect)
		if e.Recurs {
			effect += ", recurs"
		}
		if e.State == "active" {
			effect += ", now"
		}
		rows[i] = []string{p.times(e.Start, e.End), oneLine(targetOf(e.Path)), effect, shortID(e.Window, ids), e.Reason}
		for column := range widths {
			widths[column] = max(widths[column], utf8.RuneCountInString(rows[i][column]))
		}
	}
	listed := -1
	for i, e := range p.entries {
		if day := p.beginsOn(e); day != listed {
			listed = day
			fmt.Fprintf(b, "\n%s\n", p.first.AddDate(0, 0, day).Format("Mon 2 January"))
		}
		var line strings.Builder
		for column, text := range rows[i] {
			if column < len(widths) {
				text += strings.Repeat(" ", widths[column]-utf8.RuneCountInString(text))
			} else if text != "" { // an empty one would be a dash
				text = oneLine(text)
			}
			line.WriteString("  " + text)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// times says from when to when an occurrence is, seen from the day that it is listed under.
func (p *monthPage) times(start time.Time, end *time.Time) string {
	from := start.In(p.zone)
	day := from
	if start.Before(p.days[0]) {
		day = p.first // listed there
	}
	text := p.moment(from, day)
	if end == nil {
		return text + ", no end"
	}
	to := end.In(p.zone)
	until := p.moment(to, day)
	if midnight := to.Add(-time.Nanosecond); to.Format("15:04:05") == "00:00:00" && sameDay(midnight, day) {
		until = "24:00"
	}
	if p.unsure(from) || p.unsure(to) || offset(from) != offset(to) {
		return fmt.Sprintf("%s (%s) – %s (%s)", text, offset(from), until, offset(to))
	}
	return text + " – " + until
}

// unsure reports whether the clocks show the time of an instant twice.
func (p *monthPage) unsure(at time.Time) bool {
	wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	shown, _ := readings(wall, p.zone)
	return len(shown) > 1
}

// moment is the time of day, with the day where that is another one.
func (p *monthPage) moment(at, day time.Time) string {
	form := "15:04"
	switch {
	case at.Year() != day.Year():
		form = "Mon 2 Jan 2006 15:04"
	case at.Month() != day.Month():
		form = "Mon 2 Jan 15:04"
	case at.Day() != day.Day():
		form = "Mon 2 15:04"
	}
	return at.Format(form)
}
