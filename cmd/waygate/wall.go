package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
)

// errWhen is what a text is refused with that is no time, or may be more than one.
var errWhen = errors.New("not a time: write 2025-06-01T02:00Z, 18:00 (the next), today 18:00, tomorrow 06:00, sunday 02:00 (no zone is that of --tz, " +
	"else UTC), or a duration such as 90m, 2h, 1d")

// readWhen reads an instant, a wall time of zone, or a duration from now.
func readWhen(text string, now time.Time, zone *time.Location) (time.Time, error) {
	text = strings.TrimSpace(text)
	if d, err := wire.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	if wall, ok := readWall(text); ok {
		return place(wall, zone)
	}
	if at, err := wire.ParseTime(text, now); err == nil {
		return at, nil
	}
	return readWords(text, now, zone)
}

// readWall reads a date and a time of day without a zone, as if it were UTC; a date alone is its midnight.
func readWall(text string) (time.Time, bool) {
	if len(text) > len(time.DateOnly) && (text[10] == 't' || text[10] == ' ') {
		text = text[:10] + "T" + text[11:]
	}
	for _, form := range [...]string{"2006-01-02T15:04", "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if wall, err := time.Parse(form, text); err == nil && wall.Year() > 0 && wall.Year() < 9999 {
			return wall, true
		}
	}
	return time.Time{}, false
}

// readWords reads 18:00, today 18:00, tomorrow 06:00 and sunday 02:00: the next one of the kind, today's only when it is
// still to come.
func readWords(text string, now time.Time, zone *time.Location) (time.Time, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 || len(words) > 2 {
		return time.Time{}, unclear(text)
	}
	last := words[len(words)-1]
	clock, err := time.Parse("15:04", last)
	if err != nil || len(last) != len("15:04") { // 6:00 may be the evening's
		return time.Time{}, unclear(text)
	}
	here := now.In(zone)
	first, step := 0, 1
	switch {
	case len(words) == 1:
	case words[0] == "today":
		step = 0
	case words[0] == "tomorrow":
		first, step = 1, 0
	default:
		weekday, ok := readWeekday(words[0])
		if !ok {
			return time.Time{}, unclear(text)
		}
		first, step = (int(weekday-here.Weekday())+7)%7, 7
	}
	year, month, date := here.Date()
	on := func(days int) time.Time {
		return time.Date(year, month, date+days, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	}
	if wall := on(first); step == 0 || !past(wall, now, zone) {
		at, err := place(wall, zone)
		if err == nil && !at.After(now) {
			err = fmt.Errorf("%q is over: it is %s in %s; write \"tomorrow %s\", or the time with its date", text, here.Format("15:04"), zone, last)
		}
		return at, err
	}
	return place(on(first+step), zone)
}

// unclear refuses a text, where it can with the two things that it may mean.
func unclear(text string) error {
	hint := ""
	lower := strings.ToLower(text)
	number := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(lower, "am"), "pm"), " ")
	_, isDay := readWeekday(lower)
	switch {
	case lower == "today" || lower == "tomorrow" || isDay:
		hint = fmt.Sprintf("say at what time, for example \"%s 06:00\"; it is ", lower)
	case len(number) > 0 && len(number) < 3 && strings.Trim(number, "0123456789") == "":
		hint = fmt.Sprintf("write %sh for hours from now, or the time of day with 24 hours, for example 06:00 or 18:00; it is ", number)
	case len(number) == len("6:00") && strings.Trim(number, "0123456789:") == "":
		hint = "write the time of day with 24 hours and two digits, for example 06:00 or 18:00; it is "
	}
	return fmt.Errorf("%.60q is unclear: %s%w", text, hint, errWhen)
}

// readWeekday reads sunday or sun.
func readWeekday(word string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); word == name || word == name[:3] {
			return d, true
		}
	}
	return 0, false
}

// reach is more than any zone was, is or may become ahead of UTC or behind it.
const reach = 26 * time.Hour

// readings are the instants at which the clocks in zone show a wall time, with the offset they have then; where there is
// none, those at which they would if they had not leapt over it, from its later side on.
func readings(wall time.Time, zone *time.Location) (shown, leapt []time.Time) {
	for t := wall.Add(-reach).In(zone); !t.IsZero(); {
		end := schedule.NextChange(t, wall.Add(reach))
		_, offset := t.Zone()
		is := wall.Add(-time.Duration(offset) * time.Second)
		written := is.In(time.FixedZone("", offset))
		if is.Before(t) || !end.IsZero() && !is.Before(end) {
			leapt = append([]time.Time{written}, leapt...)
		} else {
			shown = append(shown, written)
		}
		t = end
	}
	return shown, leapt
}

// past reports whether the clocks in zone have shown a wall time for the last time, or have leapt over it.
func past(wall, now time.Time, zone *time.Location) bool {
	shown, leapt := readings(wall, zone)
	if len(shown) == 0 {
		shown = leapt
	}
	return !slices.ContainsFunc(shown, func(at time.Time) bool { return at.After(now) })
}

// place finds the one instant at which the clocks in zone show a wall time. One that they leap over, or show twice, is
// refused with both ways to write it.
func place(wall time.Time, zone *time.Location) (time.Time, error) {
	shown, leapt := readings(wall, zone)
	text := wall.Format("2006-01-02 15:04")
	switch {
	case len(shown) == 1:
		return shown[0].UTC(), nil
	case len(shown) > 1:
		return time.Time{}, fmt.Errorf("%s comes twice in %s, because the clocks go back: write %s (the first) or %s (the second)",
			text, zone, shown[0].Format(time.RFC3339), shown[len(shown)-1].Format(time.RFC3339))
	}
	early, late := leapt[0], leapt[len(leapt)-1]
	return time.Time{}, fmt.Errorf("%s does not exist in %s, because the clocks go forward: write %s (%s there) or %s (%s there)",
		text, zone, early.Format(time.RFC3339), early.In(zone).Format("15:04"), late.Format(time.RFC3339), late.In(zone).Format("15:04"))
}
