package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

func (t *tool) enableCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "enable ROUTE...", Short: "Open routes, or say what still blocks them", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			return t.commit(cmd.Context(), routes, wire.Command{Action: wire.ActionEnable, Reason: reason}, time.Time{})
		},
	}
	reasonFlag(cmd, &reason)
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) disableCommand() *cobra.Command {
	var reason, until string
	cmd := &cobra.Command{
		Use: "disable ROUTE...", Short: "Block routes as disabled", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			end, err := t.when("--until", until, now())
			if err != nil {
				return err
			}
			return t.commit(cmd.Context(), routes, wire.Command{Action: wire.ActionDisable, Reason: reason, Until: sendWhen(end)}, time.Time{})
		},
	}
	reasonFlag(cmd, &reason)
	timeFlag(cmd, &until, "until", "`when` they open again by themselves: 2h, 18:00, a time")
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) maintenanceCommand() *cobra.Command {
	var reason, start, end, until string
	cmd := &cobra.Command{
		Use: "maintenance ROUTE...", Short: "Put routes in maintenance, now or from --start on", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			end, err := oneEnd(end, until)
			if err != nil {
				return err
			}
			return t.window(cmd.Context(), routes, wire.ActionMaintenance, reason, start, end)
		},
	}
	reasonFlag(cmd, &reason)
	timeFlag(cmd, &start, "start", "`when` it begins (default now)")
	timeFlag(cmd, &end, "end", "`when` it ends by itself (default: when you enable the route)")
	timeFlag(cmd, &until, "until", "the same as --end")
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) scheduleCommand() *cobra.Command {
	var reason, start, end string
	cmd := &cobra.Command{
		Use: "schedule ROUTE...", Short: "Schedule a maintenance window", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			if start == "" || end == "" {
				return usage("schedule needs --start and --end, for example --start 2025-06-01T02:00Z --end 2025-06-01T04:00Z")
			}
			return t.window(cmd.Context(), routes, wire.ActionSchedule, reason, start, end)
		},
	}
	reasonFlag(cmd, &reason)
	timeFlag(cmd, &start, "start", "`when` it begins")
	timeFlag(cmd, &end, "end", "`when` it ends")
	t.waitFlags(cmd)
	cmd.AddCommand(t.scheduleCancelCommand())
	return cmd
}

func (t *tool) scheduleCancelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel ROUTE...", Short: "End the windows of routes, pending and running (never an --until)", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			return t.commit(cmd.Context(), routes, wire.Command{Action: wire.ActionCancel}, time.Time{})
		},
	}
	t.waitFlags(cmd)
	return cmd
}

// window sends a timed command with its times read here.
func (t *tool) window(ctx context.Context, routes []string, action, reason, start, end string) error {
	from, to, err := t.fromTo(start, end)
	if err != nil {
		return err
	}
	c := wire.Command{Action: action, Reason: reason, Start: sendWhen(from), End: sendWhen(to)}
	return t.commit(ctx, routes, c, from)
}

func (t *tool) deprecateCommand() *cobra.Command {
	var reason, sunset, successor string
	cmd := &cobra.Command{
		Use: "deprecate ROUTE...", Short: "Mark routes as deprecated: they pass, with headers that say so", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			at, err := t.when("--sunset", sunset, now())
			if err != nil {
				return err
			}
			c := wire.Command{Action: wire.ActionDeprecate, Reason: reason, Sunset: sendWhen(at), Successor: successor}
			return t.commit(cmd.Context(), routes, c, time.Time{})
		},
	}
	reasonFlag(cmd, &reason)
	timeFlag(cmd, &sunset, "sunset", "`when` the route will end")
	cmd.Flags().StringVar(&successor, "successor", "", "the `path` or URL that replaces it")
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) protectCommand() *cobra.Command {
	return t.plainCommand("protect ROUTE...", "Protect routes: no command on them can block them", wire.ActionProtect)
}

func (t *tool) unprotectCommand() *cobra.Command {
	return t.plainCommand("unprotect ROUTE...", "Take the protection away", wire.ActionUnprotect)
}

func (t *tool) forgetCommand() *cobra.Command {
	return t.plainCommand("forget ROUTE...", "Forget routes that nothing holds (their log stays)", wire.ActionForget)
}

func (t *tool) plainCommand(use, short, action string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			return t.commit(cmd.Context(), routes, wire.Command{Action: action, Reason: reason}, time.Time{})
		},
	}
	reasonFlag(cmd, &reason)
	t.waitFlags(cmd)
	return cmd
}

// commit makes the same change on every route as one commit, tells what came of it, and waits if asked to.
func (t *tool) commit(ctx context.Context, routes []string, c wire.Command, start time.Time) error {
	if _, err := t.patience(); err != nil { // wrong usage is found before anything is sent
		return err
	}
	commands := make([]wire.Command, 0, len(routes))
	for _, text := range routes {
		key, err := t.route(text)
		if err != nil {
			return err
		}
		c.Path = key
		commands = append(commands, c)
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	answer, err := api.Changes(ctx, commands...)
	if err != nil {
		return err
	}
	if t.json() {
		err = asJSON(t.out, answer)
	} else {
		for i, result := range answer.Results {
			if result.Route != nil {
				t.tellRoute(commands[i], *result.Route)
			}
		}
	}
	if err != nil {
		return err
	}
	return t.confirm(ctx, api, answer.Place, start, shuts(c))
}

// shuts reports whether a command refuses requests that passed before.
func shuts(c wire.Command) bool {
	switch c.Action {
	case wire.ActionDisable, wire.ActionMaintenance, wire.ActionSchedule:
		return true
	default:
		return c.Action == wire.ActionEnv && len(c.Envs) > 0
	}
}

// tellRoute says what came of a command on a route, and warns of what its author may not expect.
func (t *tool) tellRoute(c wire.Command, r wire.ChangedRoute) {
	if c.Action == wire.ActionForget && r.Changed {
		fmt.Fprintf(t.out, "%s is forgotten; its log stays\n", r.Path)
	} else {
		t.tellRouteState(r)
	}
	if r.Narrowed {
		if asked, meant, ok := spelled(c.Path, r.Path); ok {
			fmt.Fprintf(t.err, "only %s; ANY:%s for all methods\n", meant.Key.Method, asked.Key.Path)
		}
	}
	for _, w := range r.Windows {
		if w.State == "pending" {
			which := ""
			if w.Recurs {
				which = ", which recurs, next"
			}
			fmt.Fprintf(t.out, "  window %s%s: %s\n", w.ID, which, t.span(w.Start, w.End))
		}
	}
	t.tellEffects(r)
	if c.Action != wire.ActionForget {
		t.warnUnknown(r)
	}
}

// tellRouteState is the state of a route in a line.
func (t *tool) tellRouteState(r wire.ChangedRoute) {
	line := r.Path + " is " + strings.ToUpper(r.Status) + finer(r.Effect) + t.until(r.Until)
	if r.ForceActive {
		line += " (protected)"
	}
	if r.Status != string(state.Active) {
		line += because(r.Reason)
	}
	if !r.Changed {
		line += " (nothing changed)"
	}
	fmt.Fprintln(t.out, line)
	t.tellDeprecation(r.Route)
}

// tellDeprecation says what callers of a deprecated route are told.
func (t *tool) tellDeprecation(r wire.Route) {
	if r.SunsetDate != nil {
		fmt.Fprintf(t.out, "  sunset: %s\n", t.clock(*r.SunsetDate))
	}
	if r.SuccessorPath != nil {
		fmt.Fprintf(t.out, "  successor: %s\n", oneLine(*r.SuccessorPath))
	}
}

func (t *tool) warnUnknown(r wire.ChangedRoute) {
	if !r.Known {
		fmt.Fprintf(t.err, "warning: nobody declared or saw %s; is it spelled right? (waygate status lists what is known)\n", r.Path)
	}
}

// tellEffects says what a change of a route ended, and what it opens, shuts and cannot open.
func (t *tool) tellEffects(r wire.ChangedRoute) {
	tellList(t.out, "ended: ", r.Cleared)
	tellList(t.out, "stays open inside: ", r.OpenInside)
	tellList(t.out, "shut again: ", r.Reclosed)
	tellList(t.err, "now blocked, because it was an exception: ", r.Exposed)
	for _, o := range r.Still {
		fmt.Fprintf(t.err, "still blocked by %s (%s%s)%s\n", targetOf(o.Path), strings.ToUpper(o.Status), t.until(o.Until), because(o.Reason))
	}
	if r.Next != nil {
		fmt.Fprintf(t.out, "  blocks again at %s\n", t.clock(*r.Next))
	}
}

// spelled reads the key that was asked for and the one that was meant.
func spelled(asked, meant string) (a, m state.Spelling, ok bool) {
	a, askedErr := state.ParseSpelling(asked)
	m, meantErr := state.ParseSpelling(meant)
	return a, m, askedErr == nil && meantErr == nil
}

func tellList(w io.Writer, what string, list []string) {
	if len(list) > 0 {
		fmt.Fprintf(w, "  %s%s\n", what, strings.Join(list, ", "))
	}
}

func (t *tool) until(at *time.Time) string {
	if at == nil {
		return ""
	}
	return " until " + t.clock(*at)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + oneLine(reason)
}

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
}
