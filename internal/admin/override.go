package admin

import (
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Overrides bounds blocks that nobody scheduled: a disable, a maintenance without a start, the enable of a switch. They
// are forgotten more easily than windows that somebody planned.
type Overrides struct {
	// Default is how long one lasts that names no end; zero leaves it without an end.
	Default time.Duration
	// Max is how long one may last; zero is for ever.
	Max time.Duration
}

// bound gives the commands that block at once the end that policy has for them, and refuses those that last too long.
func (o Overrides) bound(doc *state.Document, now time.Time, commands []state.Command) ([]state.Command, error) {
	if o == (Overrides{}) {
		return commands, nil
	}
	out := make([]state.Command, len(commands))
	for i, c := range commands {
		if c.Verb == state.VerbSchedule && o.Max > 0 {
			c.Latest = now.Add(o.Max) // it may be the second half of a disable
		}
		if o.overrides(doc, &c, now) {
			if err := o.end(&c, now); err != nil {
				return nil, err
			}
		}
		out[i] = c
	}
	return out, nil
}

// overrides reports whether a command blocks at once, or moves the end of such a block.
func (o Overrides) overrides(doc *state.Document, c *state.Command, now time.Time) bool {
	onSwitch := c.Target.Global || c.Target.Service != ""
	switch c.Verb {
	case state.VerbDisable, state.VerbMaintenance:
		return !onSwitch && !c.Start.After(now)
	case state.VerbEnable:
		return onSwitch
	case state.VerbChangeWindow:
		w, _ := doc.Window(c.WindowID)
		if w.Origin != state.OriginUntil {
			return false
		}
		if by := c.Amend.By; by != 0 && c.End.IsZero() && !w.End.IsZero() {
			c.End, c.Amend.By = w.End.Add(by), 0
		}
		return !c.End.IsZero()
	default:
		return false
	}
}

func (o Overrides) end(c *state.Command, now time.Time) error {
	if c.End.IsZero() && o.Default > 0 {
		c.End, c.Assumed = now.Add(o.Default), true
	}
	switch {
	case o.Max == 0:
		return nil
	case c.End.IsZero():
		return state.Invalid("until", "say until when: here a block ends by itself after %s at the most (WAYGATE_MAX_OVERRIDE), for example until 2h", o.Max)
	case c.End.Sub(now) > o.Max:
		return state.Invalid("until", "here a block may last %s at the most (WAYGATE_MAX_OVERRIDE): end it earlier, and extend it when it must last longer", o.Max)
	default:
		return nil
	}
}
