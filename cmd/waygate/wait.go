package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// How long --wait waits unless told, how often it asks, and how far ahead a start may lie that it waits for.
const (
	defaultWait = 30 * time.Second
	pollEvery   = 50 * time.Millisecond
	clockWithin = 2 * time.Second // for the admin to say what time it is
	soon        = 5 * time.Minute
)

// waitFlags adds --wait to a command that changes something.
func (t *tool) waitFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.waitFlag, "wait", "", "do not return before every instance enforces it (WAYGATE_WAIT); how long at most")
	cmd.Flags().Lookup("wait").NoOptDefVal = defaultWait.String()
}

// patience is how long to wait for the fleet; zero is not at all.
func (t *tool) patience() (time.Duration, error) {
	text, from := t.waitFlag, "--wait"
	if text == "" {
		text, from = t.env("WAYGATE_WAIT"), "WAYGATE_WAIT"
	}
	switch strings.ToLower(text) {
	case "", "0", "false", "no":
		return 0, nil
	case "1", "true", "yes":
		return defaultWait, nil
	}
	d, err := wire.ParseDuration(text)
	if err != nil {
		return 0, usage("%s %q is no duration: write 30s or 2m", from, text)
	}
	return d, nil
}

// confirm waits until every live and lost instance enforces what is true at a place, and says so. A start in the near
// future is waited for as well: only then is the block enforced. Of a change that shuts it also says what it cannot stop.
func (t *tool) confirm(ctx context.Context, c *client.Client, at wire.Place, start time.Time, shuts bool) error {
	patience, err := t.patience()
	if err != nil {
		return err
	}
	if ahead := time.Until(start); !start.IsZero() && ahead > 0 && ahead <= soon {
		fmt.Fprintf(t.err, "starts in %s\n", roughly(ahead))
	}
	if patience == 0 {
		return nil
	}
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	fleet, err := pollFleet(limit, c, at)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &exitError{code: exitUnconfirmed, err: errors.New("changed; interrupted before every instance was known to enforce it"), next: "waygate instances"}
	}
	if missing := lacking(fleet); len(missing) > 0 || counted(fleet) == 0 {
		return unconfirmed(fleet, missing, patience)
	}
	n := counted(fleet)
	took := time.Since(began)
	if err := t.untilStart(ctx, c, start); err != nil {
		return err
	}
	fmt.Fprintf(t.err, "%d of %d instances enforce it, %s\n", n, n, roughly(took))
	if shuts {
		fmt.Fprintln(t.err, "requests let through before may still be running; open WebSockets and streams go on")
	}
	return nil
}

// pollFleet asks until no instance lacks the place or the time is over; the last answer counts.
func pollFleet(ctx context.Context, c *client.Client, at wire.Place) ([]wire.Instance, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last []wire.Instance
	var failed error
	for {
		fleet, err := c.Instances(ctx, at)
		if err == nil {
			last, failed = fleet, nil
			if counted(fleet) > 0 && len(lacking(fleet)) == 0 {
				return fleet, nil
			}
		} else if ctx.Err() == nil {
			failed = err
		}
		select {
		case <-ctx.Done():
			if last == nil && failed != nil {
				return nil, &exitError{
					code: exitUnconfirmed, err: fmt.Errorf("changed, but the fleet could not be asked: %w", failed), next: "waygate instances",
				}
			}
			return last, nil
		case <-tick.C:
		}
	}
}

// counts reports whether an instance must confirm: live, or lost without a goodbye.
func counts(i wire.Instance) bool { return i.Presence == "live" || i.Presence == "lost" }

func counted(fleet []wire.Instance) int {
	n := 0
	for _, i := range fleet {
		if counts(i) {
			n++
		}
	}
	return n
}

func lacking(fleet []wire.Instance) []wire.Instance {
	var missing []wire.Instance
	for _, i := range fleet {
		if counts(i) && !i.Enforces {
			missing = append(missing, i)
		}
	}
	return missing
}

// unconfirmed is the error that names who has not confirmed.
func unconfirmed(fleet, missing []wire.Instance, patience time.Duration) error {
	if counted(fleet) == 0 {
		return &exitError{
			code: exitUnconfirmed,
			err:  fmt.Errorf("changed, but no instance of waygate-authz reports: nothing is known to enforce it"),
			next: "waygate doctor",
		}
	}
	names := make([]string, 0, len(missing))
	next := "waygate instances"
	for _, i := range missing {
		name := i.ID
		if i.Presence == "lost" {
			name += fmt.Sprintf(" (lost, silent for %s)", roughly(time.Duration(i.SilentMS)*time.Millisecond))
			next = fmt.Sprintf("waygate instances forget %s (if it is gone for good)", i.ID)
		}
		names = append(names, name)
	}
	return &exitError{
		code: exitUnconfirmed,
		err: fmt.Errorf("changed, but %d of %d instances have not confirmed it within %s: %s",
			len(missing), counted(fleet), roughly(patience), strings.Join(names, ", ")),
		next: next,
	}
}

// untilStart waits for a start that is near.
func (t *tool) untilStart(ctx context.Context, c *client.Client, start time.Time) error {
	if start.IsZero() {
		return nil
	}
	ahead := aheadOf(ctx, c, start)
	if ahead <= 0 || ahead > soon {
		return nil
	}
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return &exitError{code: exitUnconfirmed, err: fmt.Errorf("interrupted before the start at %s; the window stands", t.clock(start)), next: "waygate status"}
	case <-timer.C:
		return nil
	}
}

// aheadOf is how far ahead a start is, and never less than that, by the clock that windows are measured by: this machine's
// may be ahead of it, and then the window would not be open yet. Where that cannot be asked, ours has to do.
func aheadOf(ctx context.Context, c *client.Client, start time.Time) time.Duration {
	limit, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	d, err := c.Doctor(limit)
	if err != nil || d.Now.IsZero() {
		return time.Until(start)
	}
	return start.Sub(d.Now)
}
