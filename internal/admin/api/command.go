package api

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// spelling reads a key as it stands in an address, decoded once by the mux.
func spelling(segment string) (state.Spelling, error) {
	valid := func(text string) bool { _, err := state.ParseSpelling(text); return err == nil }
	if text := wire.ParseSegment(url.PathEscape(segment), valid); text != "" {
		return state.ParseSpelling(text) //nolint:wrapcheck // it cannot fail: it was valid
	}
	if strings.Contains(segment, "/") {
		_, err := state.ParseSpelling(segment)
		return state.Spelling{}, err //nolint:wrapcheck // it says what is wrong with the key
	}
	if text := wire.ParseSegment(url.PathEscape(segment), func(text string) bool { return text != segment }); text != "" {
		_, err := state.ParseSpelling(text)
		return state.Spelling{}, err //nolint:wrapcheck // it says what is wrong with the key
	}
	return state.Spelling{}, state.Invalid("path",
		"%.80q is no route key: it stands in one segment, as base64url without padding or percent-encoded (GET%%3A%%2Fpayments)", segment)
}

// verbs are the actions that a command of several can ask for.
func verbs() map[string]state.Verb {
	return map[string]state.Verb{
		wire.ActionEnable: state.VerbEnable, wire.ActionDisable: state.VerbDisable, wire.ActionMaintenance: state.VerbMaintenance,
		wire.ActionSchedule: state.VerbSchedule, wire.ActionCancel: state.VerbCancel, wire.ActionEnv: state.VerbEnv,
		wire.ActionDeprecate: state.VerbDeprecate, wire.ActionProtect: state.VerbProtect, wire.ActionUnprotect: state.VerbUnprotect,
		wire.ActionForget: state.VerbForget, wire.ActionExempt: state.VerbExempt,
	}
}

// target reads a route key or the sentinel path of a switch.
func target(path string) (state.Target, state.Spelling, error) {
	var t state.Target
	if strings.HasPrefix(path, "__") {
		if err := t.UnmarshalText([]byte(path)); err != nil {
			return t, state.Spelling{}, state.Invalid("path", "%.80q names no switch: __global__ or __waygate:svc_global:NAME__", path)
		}
		return t, state.Spelling{}, nil
	}
	spelled, err := state.ParseSpelling(path)
	return state.Target{Key: spelled.Key}, spelled, err //nolint:wrapcheck // it says what is wrong with the key
}

// command reads one of several commands, whose target stands in it, at an instant that durations count from.
func command(c wire.Command, now time.Time) (state.Command, error) {
	t, spelled, err := target(c.Path)
	if err != nil {
		return state.Command{}, err
	}
	return commandOn(t, spelled, c, now)
}

// commandOn translates a command on a target.
func commandOn(t state.Target, spelled state.Spelling, c wire.Command, now time.Time) (state.Command, error) {
	out := state.Command{
		Verb: verbs()[c.Action], Target: t, Shown: spelled.Shown, AnyMethod: spelled.AnyMethod,
		Reason: c.Reason, Envs: c.Envs, Successor: c.Successor, IncludeProtected: c.IncludeForceActive,
	}
	if err := checkMembers(c, t.Key.Path == ""); err != nil {
		return state.Command{}, err
	}
	r := reader{now: now}
	out.Start = r.time("start", c.Start, wire.ParseTime)
	out.End = r.time("end", c.End, wire.ParseTime)
	if until := r.time("until", c.Until, wire.ParseTime); !until.IsZero() {
		if !out.End.IsZero() && !out.End.Equal(until) {
			return state.Command{}, state.Invalid("until", "end and until are the same: send one of them")
		}
		out.End = until
	}
	out.Sunset = r.time("sunset", c.Sunset, wire.ParseDate)
	out.Exempt = r.exemptions("exempt_paths", c.ExemptPaths)
	out.Add, out.Remove = r.exemptions("add", c.Add), r.exemptions("remove", c.Remove)
	return out, r.err
}

// checkMembers refuses members that the action does not use: a block that was meant to end must not be endless because
// its end stood under another name.
func checkMembers(c wire.Command, onSwitch bool) error {
	uses := map[string][]string{
		wire.ActionDisable:     {"until"},
		wire.ActionMaintenance: {"start", "end", "until"},
		wire.ActionSchedule:    {"start", "end"},
		wire.ActionEnv:         {"envs"},
		wire.ActionDeprecate:   {"sunset", "successor"},
		wire.ActionExempt:      {"add", "remove"},
	}[c.Action]
	if onSwitch && c.Action == wire.ActionEnable {
		uses = []string{"exempt_paths", "include_force_active", "until"}
	} else if onSwitch && c.Action == wire.ActionDisable {
		uses = nil
	}
	sent := []struct {
		name string
		set  bool
	}{
		{"start", c.Start != ""},
		{"end", c.End != ""},
		{"until", c.Until != ""},
		{"envs", len(c.Envs) > 0},
		{"sunset", c.Sunset != ""},
		{"successor", c.Successor != ""},
		{"exempt_paths", len(c.ExemptPaths) > 0},
		{"include_force_active", c.IncludeForceActive},
		{"add", len(c.Add) > 0},
		{"remove", len(c.Remove) > 0},
	}
	for _, m := range sent {
		if m.set && !slices.Contains(uses, m.name) {
			return state.Invalid(m.name, "%s does not take %s", c.Action, m.name)
		}
	}
	return nil
}

// reader reads members and keeps the first error.
type reader struct {
	now time.Time
	err error
}

func (r *reader) time(name, text string, parse func(string, time.Time) (time.Time, error)) time.Time {
	if text == "" || r.err != nil {
		return time.Time{}
	}
	t, err := parse(text, r.now)
	if err != nil {
		r.err = state.Invalid(name, "%s: %s", name, err)
	}
	return t
}

func (r *reader) exemptions(name string, texts []string) []state.Exemption {
	var list []state.Exemption
	for _, text := range texts {
		if r.err != nil {
			return nil
		}
		s, err := state.ParseSpelling(text)
		if err != nil {
			r.err = state.Invalid(name, "%s: %s", name, err)
			return nil
		}
		list = append(list, state.Exemption{Key: s.Key, Shown: s.Shown})
	}
	return list
}
