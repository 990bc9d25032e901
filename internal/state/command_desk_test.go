package state_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// desk is where commands are given one after the other, told in lines of text:
//
//	maintenance GET:/a reason=x end=+1h     a command; times are from now on, + for the clock below
//	@bob enable GET:/a                      the same by somebody else than alice
//	! protect GET:/a | in force             a command that is refused with these words
//	clock +1h                               time passes
//	GET /a is maintenance                   what Decide says of a request (env=E and service=S may follow the path)
//	state GET:/a is disabled                what the state of a key says
//	= cleared standing                      what the last outcome says; an empty list is -
//	announce                                what windows did by themselves goes into the log
//
// A command on a window takes $ for the one that was last made or changed.
type desk struct {
	t    testing.TB
	doc  *state.Document
	now  time.Time
	by   state.Author
	out  state.Outcome
	made state.Change
	last string // the window that was last made or changed
}

// leads are those of announcements at the desk.
var leads = state.Leads{Upcoming: 15 * time.Minute, Ending: 10 * time.Minute}

func newDesk(t testing.TB) *desk {
	return &desk{t: t, doc: state.NewDocument(state.Meta{Epoch: "e"}), now: epoch0}
}

// run follows a script; every line must hold.
func (d *desk) run(script string) {
	d.t.Helper()
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" {
			d.line(line)
		}
	}
}

func (d *desk) line(line string) {
	d.t.Helper()
	words := strings.Fields(line)
	switch {
	case words[0] == "clock":
		d.now = d.time(words[1])
	case words[0] == "announce":
		d.announce()
	case words[0] == "=":
		require.Equal(d.t, strings.Join(words[2:], " "), d.told(words[1]), line)
	case words[0] == "!":
		text, want, _ := strings.Cut(line[1:], "|")
		_, _, err := d.execute("alice", d.command(strings.Fields(text)))
		require.ErrorContains(d.t, err, strings.TrimSpace(want), line)
	case words[0] == "state":
		require.Equal(d.t, state.Status(words[3]), d.state(words[1]).Status, line)
	case slices.Contains(words, "is"):
		got := d.decide(words)
		require.Equal(d.t, state.Status(words[len(words)-1]), got.Status, "%s: %+v", line, got)
	case strings.HasPrefix(words[0], "@") && !strings.HasPrefix(words[0], "@@"):
		d.do(words[0][1:], d.command(words[1:]))
	default:
		d.do("alice", d.command(words))
	}
}

// do gives commands that must be accepted.
func (d *desk) do(actor string, cmds ...state.Command) []state.Outcome {
	d.t.Helper()
	change, outs, err := d.execute(actor, cmds...)
	require.NoError(d.t, err)
	changed := slices.ContainsFunc(outs, func(o state.Outcome) bool { return o.Changed })
	require.Equal(d.t, changed, len(change.Records) > 0)
	require.Equal(d.t, changed, len(change.Patch) > 0)
	if changed {
		d.doc, err = d.doc.With(change.Patch, state.Meta{Epoch: "e", Rev: d.doc.Rev + 1})
		require.NoError(d.t, err)
	}
	d.made, d.out = change, outs[len(outs)-1]
	if d.out.WindowID != "" {
		d.last = d.out.WindowID
	}
	return outs
}

func (d *desk) announce() {
	d.t.Helper()
	var err error
	d.made, err = state.Announce(d.doc, leads, d.now)
	require.NoError(d.t, err)
	before := d.snapshot()
	d.doc, err = d.doc.With(d.made.Patch, state.Meta{Epoch: "e", Rev: d.doc.Rev + 1})
	require.NoError(d.t, err)
	require.Equal(d.t, before.Document().States(d.now, nil), d.snapshot().Document().States(d.now, nil), "an announcement changes no state")
	again, err := state.Announce(d.doc, leads, d.now)
	require.NoError(d.t, err)
	require.Empty(d.t, again.Records, "announced twice")
}

func (d *desk) execute(actor string, cmds ...state.Command) (state.Change, []state.Outcome, error) {
	by := d.by
	by.Actor, by.Platform, by.At = actor, state.PlatformCLI, d.now
	return state.Execute(d.doc, by, cmds...)
}

func (d *desk) time(text string) time.Time {
	d.t.Helper()
	span, err := time.ParseDuration(text)
	require.NoError(d.t, err)
	return d.now.Add(span)
}

// command reads VERB TARGET option…; the target is a key, @@global or @@SERVICE.
func (d *desk) command(words []string) state.Command {
	d.t.Helper()
	c := state.Command{Verb: state.Verb(words[0]), Declared: &state.Declared{}}
	switch name, isSwitch := strings.CutPrefix(words[1], "@@"); {
	case name == "global" && isSwitch:
		c.Target.Global = true
	case isSwitch:
		c.Target.Service = name
	case slices.Contains([]state.Verb{state.VerbCancelWindow, state.VerbChangeWindow, state.VerbEndWindow}, c.Verb):
		c.WindowID = strings.Replace(words[1], "$", d.last, 1)
	default:
		s, err := state.ParseSpelling(words[1])
		require.NoError(d.t, err)
		c.Target.Key, c.Shown, c.AnyMethod = s.Key, s.Shown, s.AnyMethod
	}
	if c.Verb == state.VerbAddWindow {
		c.Window = &state.Window{}
	}
	for _, option := range words[2:] {
		name, value, _ := strings.Cut(option, "=")
		if c.Window != nil && d.windowOption(c.Window, name, value) {
			continue
		}
		d.option(&c, name, value)
	}
	return c
}

// windowOption reads what add_window says of the window; at=+1h..+2h,+25h..+26h are occurrences.
func (d *desk) windowOption(w *state.Window, name, value string) bool {
	d.t.Helper()
	switch name {
	case "start":
		w.Start = d.time(value)
	case "end":
		w.End = d.time(value)
	case "effect":
		w.Effect = state.Effect(value)
	case "ticket":
		w.Ticket = value
	case "except":
		for _, e := range d.exemptions(value) {
			w.Except = append(w.Except, e.Key)
		}
	case "include":
		w.IncludeProtected = true
	case "rule":
		w.Recurs = &state.Recurrence{Rule: value, First: "2031-03-01T12:00:00", For: "1h0m0s"}
	case "finished":
		w.Finished = true
	case "at":
		for span := range strings.SplitSeq(value, ",") {
			from, to, _ := strings.Cut(span, "..")
			w.Occurrences = append(w.Occurrences, state.Occurrence{Start: d.time(from), End: d.time(to)})
			w.Through = d.time(to)
		}
	default:
		return false
	}
	return true
}

func (d *desk) option(c *state.Command, name, value string) {
	d.t.Helper()
	switch name {
	case "reason":
		c.Reason = value
	case "start":
		c.Start, c.Declared.Start = d.time(value), d.time(value)
	case "end":
		c.End, c.Declared.End = d.time(value), d.time(value)
	case "envs":
		c.Envs = strings.Split(value, ",")
		c.Declared.Envs = c.Envs
	case "sunset":
		c.Sunset, c.Declared.Sunset = d.time(value), d.time(value)
	case "successor":
		c.Successor, c.Declared.Successor = value, value
	case "exempt":
		c.Exempt = d.exemptions(value)
	case "add":
		c.Add = d.exemptions(value)
	case "remove":
		c.Remove = d.exemptions(value)
	case "include":
		c.IncludeProtected = true
	case "status":
		c.Declared.Status = state.Status(value)
	case "protected":
		c.Declared.Protected = true
	case "occurrence":
		c.Occurrence = d.time(value)
	case "retitle":
		c.Amend.Reason = &value
	case "ticket":
		c.Amend.Ticket = &value
	case "by":
		by, err := time.ParseDuration(value)
		require.NoError(d.t, err)
		c.Amend.By = by
	default:
		require.Fail(d.t, "no such option", name)
	}
}

func (d *desk) exemptions(list string) []state.Exemption {
	d.t.Helper()
	var all []state.Exemption
	for text := range strings.SplitSeq(list, ",") {
		k, shown, err := state.ParseKey(text)
		require.NoError(d.t, err)
		all = append(all, state.Exemption{Key: k, Shown: shown})
	}
	return all
}

func (d *desk) snapshot() *state.Snapshot {
	d.t.Helper()
	s, err := state.Compile(d.doc)
	require.NoError(d.t, err)
	return s
}

// decide asks METHOD PATH [env=E] [service=S].
func (d *desk) decide(words []string) state.Decision {
	d.t.Helper()
	req := state.Request{Method: words[0], Target: words[1]}
	for _, option := range words[2:] {
		if env, ok := strings.CutPrefix(option, "env="); ok {
			req.Env = env
		}
		if service, ok := strings.CutPrefix(option, "service="); ok {
			req.Service = service
		}
	}
	return d.snapshot().Decide(&req, d.now)
}

func (d *desk) state(key string) state.RouteState {
	d.t.Helper()
	k, _, err := state.ParseKey(key)
	require.NoError(d.t, err)
	return d.snapshot().Document().State(k, d.now)
}

// told is what the last outcome or its record says, as text.
func (d *desk) told(name string) string {
	d.t.Helper()
	list := func(all []string) string {
		if len(all) == 0 {
			return "-"
		}
		return strings.Join(all, " ")
	}
	since := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return "+" + at.Sub(d.now).String()
	}
	switch name {
	case "target":
		return d.out.Target.String()
	case "shown":
		return d.out.Shown
	case "changed":
		return fmt.Sprint(d.out.Changed)
	case "known":
		return fmt.Sprint(d.out.Known)
	case "narrowed":
		return fmt.Sprint(d.out.Narrowed)
	case "action":
		return string(d.out.Action)
	case "open_inside":
		return list(d.out.OpenInside)
	case "reclosed":
		return list(d.out.Reclosed)
	case "cleared":
		return list(d.out.Cleared)
	case "exposed":
		return list(d.out.Exposed)
	case "note":
		return d.out.Note
	case "next":
		return since(d.out.Next)
	case "still":
		var all []string
		for _, o := range d.out.Still {
			all = append(all, fmt.Sprintf("%s:%s", o.Path, o.Status))
		}
		return list(all)
	case "announced":
		var all []string
		for _, r := range d.made.Records {
			all = append(all, fmt.Sprintf("%s %s %s->%s due %s", r.Action, r.Path, r.Before, r.After, r.Due.Sub(d.now)))
		}
		if len(all) == 0 {
			return "-"
		}
		return strings.Join(all, "; ")
	case "replaced":
		if d.out.Replaced == nil {
			return "-"
		}
		return fmt.Sprintf("%s %s %s", d.out.Replaced.Actor, d.out.Replaced.Reason, since(d.out.Replaced.Since))
	case "record":
		require.NotEmpty(d.t, d.made.Records)
		r := d.made.Records[len(d.made.Records)-1]
		return fmt.Sprintf("%s %s %s->%s until %s", r.Action, r.Path, r.Before, r.After, since(r.Until))
	default:
		require.NoError(d.t, errors.New("nothing is told under "+name))
		return ""
	}
}
