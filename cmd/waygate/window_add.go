package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
)

// windowOptions are the options of window add.
type windowOptions struct {
	start, end, until, lasts   string
	every, at, to, rrule, cron string
	effect, reason, ticket     string
	except                     []string
	protected                  bool
}

func (o *windowOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	timeFlag(cmd, &o.start, "start", "`when` it begins (default now); of a recurrence: from when on")
	timeFlag(cmd, &o.end, "end", "`when` it ends: 2h from now, 18:00, a time")
	timeFlag(cmd, &o.until, "until", "the same as --end")
	timeFlag(cmd, &o.lasts, "for", "how `long` it lasts, instead of --end: 2h")
	timeFlag(cmd, &o.every, "every", "on which `days` it recurs: day, weekday, sunday, monday,thursday, \"first sunday\", month")
	timeFlag(cmd, &o.at, "at", "the `time` of day at which it begins, with --every or --rrule: 02:00")
	timeFlag(cmd, &o.to, "to", "the `time` of day at which it ends, instead of --for: 04:00")
	timeFlag(cmd, &o.rrule, "rrule", "when it recurs, as a `rule` of RFC 5545: FREQ=WEEKLY;BYDAY=SU")
	timeFlag(cmd, &o.cron, "cron", "when it recurs, as five `fields` of cron: \"0 2 * * 0\"")
	effectFlag(cmd, &o.effect)
	reasonFlag(cmd, &o.reason)
	f.StringVar(&o.ticket, "ticket", "", "a `link` to where the work is planned")
	f.StringArrayVarP(&o.except, "except", "e", nil, "a `route` that passes meanwhile (repeatable)")
	f.BoolVar(&o.protected, "include-force-active", false, "of global or a service: hold for protected routes too")
}

func effectFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "effect", "maintenance", "what it does: maintenance, disabled, read-only (only GET, HEAD and OPTIONS pass), gone (410)")
}

func (t *tool) windowAddCommand() *cobra.Command {
	var o windowOptions
	cmd := &cobra.Command{
		Use: "add TARGET", Short: "Add a window: from --start to --end, or --every so often --for so long", Args: args(cobra.ExactArgs(1)),
		Long: "Add a window: from --start to --end, or --every so often --for so long.\n" + targetHelp + `

Times of day that recur are those on the clocks of --tz, also when these change: one that they leap over is the first
instant after, and of one that comes twice the window covers both.`,
		Example: `  waygate window add GET:/reports --start "tomorrow 02:00" --for 2h --tz Europe/Berlin -r "DB migration"
  waygate window add service=orders --every sunday --at 02:00 --for 2h --tz Europe/Berlin
  waygate window add global --cron "0 2 1 * *" --to 04:00 --except /health
  waygate window add /v1/** --end 18:00 --effect read-only`,
		RunE: func(cmd *cobra.Command, targets []string) error { return t.addWindow(cmd.Context(), targets[0], o) },
	}
	o.flags(cmd)
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) addWindow(ctx context.Context, target string, o windowOptions) error {
	if _, err := t.patience(); err != nil { // wrong usage is found before anything is sent
		return err
	}
	w, start, err := t.newWindow(target, o)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	a, err := api.AddWindow(ctx, w)
	if err != nil {
		return err
	}
	if t.json() {
		err = asJSON(t.out, a)
	} else {
		t.tellAdded(a)
	}
	if err != nil {
		return err
	}
	if w := a.Window; w != nil {
		start = w.Start
	}
	return t.confirm(ctx, api, a.Place, start, true)
}

// newWindow reads the options of window add, and refuses what no server would take.
func (t *tool) newWindow(target string, o windowOptions) (w wire.NewWindow, start time.Time, err error) {
	w = wire.NewWindow{
		For: o.lasts, Every: o.every, At: o.at, To: o.to, RRule: o.rrule, Cron: o.cron,
		Reason: o.reason, Ticket: o.ticket, IncludeForceActive: o.protected,
	}
	if o.end, err = oneEnd(o.end, o.until); err != nil {
		return w, start, err
	}
	if t.zone.given {
		w.Timezone = t.zone.String()
	}
	if w.Path, err = t.target(target); err != nil {
		return w, start, err
	}
	if w.Effect, err = readEffect(o.effect); err != nil {
		return w, start, err
	}
	for _, text := range o.except {
		key, err := t.route(text)
		if err != nil {
			return w, start, err
		}
		w.Except = append(w.Except, key)
	}
	if err := o.check(); err != nil {
		return w, start, err
	}
	if o.at != "" { // the date alone, on the calendar of the zone
		w.Start = o.start
		return w, start, nil
	}
	start, end, err := t.fromTo(o.start, o.end)
	w.Start, w.End = sendWhen(start), sendWhen(end)
	return w, start, err
}

// oneEnd is what --end and --until say, which are two names of one option: of two different ends neither is taken.
func oneEnd(end, until string) (string, error) {
	if end != "" && until != "" && end != until {
		return "", usage("--end %s and --until %s are the same option, and differ: give one of them", end, until)
	}
	return cmp.Or(end, until), nil
}

// fromTo reads --start and --end.
func (t *tool) fromTo(start, end string) (from, to time.Time, err error) {
	at := now()
	if from, err = t.when("--start", start, at); err != nil {
		return from, to, err
	}
	if to, err = t.when("--end", end, at); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		hint := "write --end with its date"
		if _, err := wire.ParseDuration(end); err == nil {
			hint = "a duration counts from now, not from --start; " + hint
		}
		return from, to, usage("--start %s is not before --end %s: %s", t.clock(from), t.clock(to), hint)
	}
	return from, to, nil
}

// check finds what does not go together.
func (o *windowOptions) check() error {
	recurs := 0
	for _, rule := range []string{o.every, o.rrule, o.cron} {
		if rule != "" {
			recurs++
		}
	}
	if o.lasts != "" {
		if _, err := wire.ParseDuration(o.lasts); err != nil {
			return usage("--for: %q is no duration: write 30m, 2h or 1d", o.lasts)
		}
	}
	for flag, text := range map[string]string{"--at": o.at, "--to": o.to} {
		if !isClock(text) {
			return usage("%s: %q is no time of day: write it with 24 hours and two digits, for example 02:00", flag, text)
		}
	}
	switch {
	case recurs > 1:
		return usage("--every, --rrule and --cron say the same thing: give one of them")
	case recurs == 1:
		return o.checkRecurrence()
	case o.at != "" || o.to != "":
		return usage("--at and --to are of a window that recurs: give --every, for example --every sunday; or --start and --end")
	case (o.end == "") == (o.lasts == ""):
		return usage("a window needs --end or --for, and not both; for example --for 2h (without an end: waygate maintenance ROUTE)")
	}
	return nil
}

// checkRecurrence asks for what a window that recurs needs.
func (o *windowOptions) checkRecurrence() error {
	if o.end != "" {
		return usage("--end is of a window that does not recur: say --for how long or --to what time of day each lasts, and end a recurrence by UNTIL in --rrule")
	}
	if (o.lasts == "") == (o.to == "") {
		return usage("a window that recurs needs --for or --to, and not both; for example --every sunday --at 02:00 --for 2h")
	}
	rule, err := o.rule()
	if err != nil {
		return err
	}
	timed := strings.Contains(rule, "BYHOUR") || strings.Contains(rule, "MINUTE")
	switch {
	case o.cron != "" && o.at != "":
		return usage("--cron says itself at what time: leave --at out")
	case o.cron == "" && o.at == "" && o.start == "" && !timed:
		return usage("at what time? give --at, or --start; for example --every sunday --at 02:00 --for 2h")
	case o.at != "" && o.start != "":
		if _, err := time.Parse(time.DateOnly, o.start); err != nil {
			return usage("--at gives the time of day, and --start with it the date alone from which on it recurs; for example --start 2026-12-06 --at 02:00")
		}
	}
	return nil
}

// rule reads when a window recurs. Whether that ever comes true from its start on the server says.
func (o *windowOptions) rule() (string, error) {
	var rule schedule.Rule
	var err error
	flag := "--every"
	switch {
	case o.every != "":
		rule, err = schedule.Every(o.every)
	case o.rrule != "":
		flag = "--rrule"
		rule, err = schedule.Parse(o.rrule)
	default:
		flag = "--cron"
		rule, err = schedule.Parse("CRON:" + o.cron)
	}
	if err != nil {
		return "", usage("%s: %w", flag, err)
	}
	return rule.String(), nil
}

// isClock reports whether a text is a time of day with two digits each, or empty.
func isClock(text string) bool {
	if text == "" || text == "24:00" {
		return true
	}
	_, err := time.Parse("15:04", text)
	return err == nil && len(text) == len("15:04")
}

// readEffect reads an effect as people write it.
func readEffect(text string) (string, error) {
	switch is := strings.ReplaceAll(strings.ToLower(text), "-", "_"); is {
	case "maintenance", "disabled", "read_only", "gone":
		return is, nil
	}
	return "", usage("--effect %q: one of maintenance, disabled, read-only, gone", text)
}

// checkBy reads how far an end is to be moved.
func checkBy(by string) error {
	if by == "" {
		return nil
	}
	if _, err := wire.ParseDuration(strings.TrimPrefix(by, "-")); err != nil {
		return usage("--by: %q is no duration: write 30m or 2h, or -30m to shorten", by)
	}
	return nil
}

// tellAdded says what was added, and what came of it.
func (t *tool) tellAdded(a wire.ChangedWindow) {
	w := a.Window
	if w == nil {
		t.tellPlace(a.ChangeResult)
		return
	}
	in := t.inZone(w.Timezone)
	nothing := ""
	if !a.Changed {
		nothing = " (it was there: nothing changed)"
	}
	fmt.Fprintf(t.out, "window %s on %s: %s, %s%s%s\n", w.ID, targetOf(w.Path), in.whenInWords(*w), effectInWords(w.Effect), because(w.Reason), nothing)
	if w.Recurrence != nil {
		fmt.Fprintf(t.out, "  %s\n", in.next(*w, now()))
	}
	t.tellPlace(a.ChangeResult)
}
