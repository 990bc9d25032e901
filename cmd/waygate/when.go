package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
)

// zone is where times without a zone are read, and shown; given tells whether anybody asked for one.
type zone struct {
	*time.Location
	given bool
}

// setZone reads --tz, else WAYGATE_TZ, else takes UTC.
func (t *tool) setZone() error {
	name, from := t.tzFlag, "--tz"
	if name == "" {
		name, from = t.env("WAYGATE_TZ"), "WAYGATE_TZ"
	}
	at, err := schedule.Zone(name)
	if err != nil {
		return usage("%s: %w", from, err)
	}
	t.zone = zone{Location: at, given: name != ""}
	return nil
}

// timeText is the value of an option that says when. An option that is given has to say it: the empty text of a variable
// that a script never set would otherwise make an endless block of one that was to end, or cancel all for one.
type timeText string

// timeFlag adds an option that says when, or how often, or how long.
func timeFlag(cmd *cobra.Command, into *string, name, usage string) {
	cmd.Flags().Var((*timeText)(into), name, usage)
}

// String implements pflag.Value.
func (w *timeText) String() string { return string(*w) }

// Set implements pflag.Value.
func (w *timeText) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty: give it a value, or leave the option out")
	}
	*w = timeText(text)
	return nil
}

// Type implements pflag.Value: to people it is a text.
func (w *timeText) Type() string { return "string" }

// when reads an instant or a duration from now; empty is none. Anything else is refused before a call is made: what is
// no time, what could be two, and a time of day that the clocks of the zone leap over or show twice.
func (t *tool) when(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := readWhen(text, now, t.zone.Location)
	if err != nil {
		return time.Time{}, usage("%s: %w", flag, err)
	}
	return wire.Stamp(at), nil
}

// sendWhen is an instant as a request carries it: the one read here, so that a duration counts from now and not from
// whenever the request arrives. The zero time is left out.
func sendWhen(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// roughly is a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// pastTime reads an instant that is over, as the API reads it: a time, a date, or a duration before now.
func (t *tool) pastTime(flag, text string) (string, error) {
	if wall, ok := readWall(text); ok {
		at, err := place(wall, t.zone.Location)
		if err != nil {
			return "", usage("--%s %q: %w", flag, text, err)
		}
		return sendWhen(at), nil
	}
	at, err := wire.ParsePast(text, now())
	if err != nil {
		return "", usage("--%s %q is no time that is over: write 2025-06-01T02:00Z, 2025-06-01, or a duration such as 2h, 7d (ago)", flag, text)
	}
	return sendWhen(at), nil
}

const (
	minuteForm = "2006-01-02 15:04"
	timeForm   = "15:04"
)

// beside reports whether times are shown in a zone that is not UTC, and UTC beside it.
func (t *tool) beside() bool { return t.zone.given && t.zone.String() != "UTC" }

// clock is an instant for people, to the minute, with the date: in UTC, and before that in the zone that was given.
func (t *tool) clock(at time.Time) string {
	if !t.beside() {
		return at.UTC().Format(minuteForm) + " UTC"
	}
	there := at.In(t.zone.Location)
	return fmt.Sprintf("%s %s (%s UTC)", there.Format(minuteForm), t.zone, since(at.UTC(), there))
}

// brief is clock in one zone, for tables.
func (t *tool) brief(at time.Time) string {
	if !t.beside() {
		return t.clock(at)
	}
	return at.In(t.zone.Location).Format(minuteForm) + " " + t.zone.String()
}

// since is a time after one that was shown, with its date where that is another.
func since(at, shown time.Time) string {
	if sameDay(at, shown) {
		return at.Format(timeForm)
	}
	return at.Format(minuteForm)
}

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// stamp is an instant for a log: to the second, in the zone that was given or UTC.
func (t *tool) stamp(at time.Time) string {
	if !t.zone.given {
		return at.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
	return at.In(t.zone.Location).Format("2006-01-02 15:04:05 ") + t.zone.String()
}

// span is a start and an end for people.
func (t *tool) span(start time.Time, end *time.Time) string {
	switch {
	case end == nil:
		return t.clock(start) + ", no end"
	case !t.beside():
		return t.clock(start) + " to " + t.clock(*end)
	}
	from := start.In(t.zone.Location)
	utc := since(start.UTC(), from) + " to " + since(end.UTC(), start.UTC())
	return fmt.Sprintf("%s (%s UTC)", t.briefSpan(start, end), utc)
}

// briefSpan is span in one zone, for tables.
func (t *tool) briefSpan(start time.Time, end *time.Time) string {
	if end == nil || !t.beside() {
		return t.span(start, end)
	}
	from, to := start.In(t.zone.Location), end.In(t.zone.Location)
	return fmt.Sprintf("%s to %s %s", from.Format(minuteForm), since(to, from), t.zone)
}
