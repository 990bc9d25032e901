package state_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// lot draws commands and requests out of few words, so that they meet.
type lot struct {
	*rand.Rand
	t testing.TB
	// palette are the keys that most commands of one sequence are about.
	palette []state.Spelling
	// pulls is how rare commands on switches are in it: one of so many.
	pulls int
}

func lotOf(t testing.TB, seed uint64) lot {
	l := lot{Rand: rand.New(rand.NewPCG(seed, 3)), t: t}
	l.pulls = draw(l, 2, 7, 7, 7)
	for range 7 {
		l.palette = append(l.palette, l.spelling())
	}
	return l
}

func draw[T any](l lot, of ...T) T { return of[l.IntN(len(of))] }

// chance is true once in n times.
func (l lot) chance(n int) bool { return l.IntN(n) == 0 }

func (l lot) spelling() state.Spelling {
	text := draw(l, "/", "/a", "/a", "/A", "/a/b", "/a/b", "/a/{id}", "/a/{id}", "/{x}", "/{x}/b", "/a/x-{n}", "/a/x-1", "/a/**", "/**", "/a/b/**")
	text = draw(l, "", "", "", "ANY:", "GET:", "GET:", "GET:", "POST:", "HEAD:") + text
	text = draw(l, "", "", "", "", "s1:", "s2:") + text
	s, err := state.ParseSpelling(text)
	require.NoError(l.t, err)
	return s
}

// moment is one of few, so that ends and starts coincide; sometimes it has passed.
func (l lot) moment(now time.Time) time.Time {
	return now.Truncate(10 * time.Minute).Add(time.Duration(l.IntN(10)-1) * 10 * time.Minute)
}

func (l lot) exemptions() []state.Exemption {
	var all []state.Exemption
	for range l.IntN(3) {
		s := l.subject()
		all = append(all, state.Exemption{Key: s.Key, Shown: s.Shown})
	}
	return all
}

var modelVerbs = []state.Verb{
	state.VerbEnable, state.VerbEnable, state.VerbEnable, state.VerbDisable, state.VerbDisable, state.VerbMaintenance, state.VerbMaintenance,
	state.VerbMaintenance, state.VerbSchedule, state.VerbSchedule, state.VerbCancel, state.VerbCancelWindow, state.VerbEnv, state.VerbEnv,
	state.VerbDeprecate, state.VerbProtect, state.VerbUnprotect, state.VerbUnprotect, state.VerbUnprotect, state.VerbCancel, state.VerbForget, state.VerbForget, state.VerbRegister, state.VerbRegister,
	state.VerbAdopt, state.VerbImport, state.VerbImport, state.VerbAddWindow, state.VerbAddWindow, state.VerbAddWindow, state.VerbAddWindow,
	state.VerbAddWindow, state.VerbChangeWindow, state.VerbChangeWindow, state.VerbChangeWindow, state.VerbEndWindow, state.VerbEndWindow,
	state.VerbCancelWindow, state.VerbCancelWindow,
}

// subject is what a command is about.
func (l lot) subject() state.Spelling {
	if l.chance(6) {
		return l.spelling()
	}
	return draw(l, l.palette...)
}

// secondHalf is the schedule that follows a disable where older clients say "disabled until".
func (l lot) secondHalf(first state.Command, now time.Time) state.Command {
	first.Verb, first.Start, first.End = state.VerbSchedule, now.Add(time.Second), now.Add(draw(l, time.Minute, 40*time.Minute))
	return first
}

func (l lot) command(doc *state.Document, now time.Time) state.Command {
	if l.chance(l.pulls) {
		return l.switchCommand(doc, now)
	}
	s := l.subject()
	c := state.Command{
		Verb: draw(l, modelVerbs...), Target: state.Target{Key: s.Key}, Shown: s.Shown, AnyMethod: s.AnyMethod,
		Reason: draw(l, "", "", "why"),
	}
	switch c.Verb {
	case state.VerbDisable, state.VerbMaintenance:
		if l.chance(2) {
			c.End = l.moment(now)
		}
		if l.chance(4) {
			c.Start = l.moment(now)
		}
	case state.VerbSchedule:
		c.Start, c.End = l.moment(now), l.moment(now)
		if l.chance(3) {
			c.Start = now.Add(time.Second)
		}
	case state.VerbAddWindow:
		return l.addWindow(doc, now, c)
	case state.VerbChangeWindow, state.VerbEndWindow, state.VerbCancelWindow:
		return l.onWindow(doc, now, c.Verb, c.Reason)
	case state.VerbEnv:
		c.Envs = draw(l, nil, []string{"dev"}, []string{"dev", "prod"}, []string{"prod"})
	case state.VerbDeprecate:
		c.Successor = draw(l, "", "/b")
	case state.VerbRegister, state.VerbAdopt, state.VerbImport:
		c.Declared = l.declared(now, c.Reason)
	}
	return c
}

func (l lot) declared(now time.Time, reason string) *state.Declared {
	d := &state.Declared{
		Status: draw(l, state.Active, state.Active, state.Active, state.Maintenance, state.Disabled, state.EnvGated, state.Deprecated),
		Reason: reason, Envs: []string{"dev"}, Protected: l.chance(4),
	}
	if l.chance(4) {
		d.End = l.moment(now)
	}
	if l.chance(4) {
		d.Start = l.moment(now)
	}
	return d
}

func (l lot) switchCommand(doc *state.Document, now time.Time) state.Command {
	c := state.Command{Verb: draw(l, state.VerbEnable, state.VerbDisable, state.VerbDisable, state.VerbExempt, state.VerbExempt, state.VerbAddWindow), Reason: draw(l, "", "why")}
	c.Target = draw(l, state.Target{Global: true}, state.Target{Global: true}, state.Target{Service: "s1"}, state.Target{Service: "s3"})
	switch c.Verb {
	case state.VerbEnable:
		c.Exempt, c.IncludeProtected = l.exemptions(), l.chance(3)
		if l.chance(2) {
			c.End = l.moment(now)
		}
	case state.VerbExempt:
		c.Add, c.Remove = l.exemptions(), l.exemptions()
	case state.VerbAddWindow:
		return l.addWindow(doc, now, c)
	}
	return c
}

// asked is a request whose path has one reading but for its letter case.
type asked struct {
	methods            []string // the request's own, then overrides
	path, service, env string
}

func (l lot) asked() asked {
	a := asked{
		methods: []string{draw(l, "GET", "GET", "POST", "HEAD", "DELETE", "PUT", "OPTIONS")},
		path:    draw(l, "/", "/a", "/A", "/b", "/a/b", "/a/b", "/a/B", "/a/c", "/a/x-1", "/a/x-2", "/A/x-1", "/b/b", "/a/b/c", "/c/d/e"),
		service: draw(l, "", "s1", "s1", "s2", "s3"),
		env:     draw(l, "", "dev", "prod", "prod"),
	}
	if l.chance(8) {
		a.methods = append(a.methods, draw(l, "GET", "POST", "DELETE", "PATCH", "PURGE", "OPTIONS"))
	}
	return a
}

// askedOf is a request of a key as it is spelled.
func (l lot) askedOf(k state.Key) asked {
	a := l.asked()
	a.methods = a.methods[:1]
	if k.Method != "" {
		a.methods[0] = k.Method
	}
	if k.Service != "" {
		a.service = k.Service
	}
	a.path = ""
	for _, r := range k.Path {
		if r == '}' {
			a.path += draw(l, "b", "q", "x-1", "1")
		} else if r != '{' {
			a.path += string(r)
		}
	}
	if stem := len(a.path) - len("/**"); stem >= 0 && a.path[stem:] == "/**" {
		a.path = a.path[:stem] + draw(l, "", "/b", "/b/c")
		if a.path == "" {
			a.path = "/"
		}
	}
	return a
}

func (a asked) request() *state.Request {
	return &state.Request{Method: a.methods[0], Target: a.path, Overrides: a.methods[1:], Service: a.service, Env: a.env}
}

func (a asked) String() string {
	return fmt.Sprintf("%v %s service=%q env=%q", a.methods, a.path, a.service, a.env)
}
