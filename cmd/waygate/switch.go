package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// onSwitch makes a change of a switch (empty service: the global one), tells what came of it, and waits if asked to.
func (t *tool) onSwitch(cmd *cobra.Command, service, action string, body any) error {
	if _, err := t.patience(); err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	s, err := api.SetSwitch(cmd.Context(), service, action, body)
	if err != nil {
		return err
	}
	if t.json() {
		err = asJSON(t.out, s)
	} else {
		t.tellSwitch(service, s.Switch)
	}
	if err != nil {
		return err
	}
	if s.Replaced != nil {
		fmt.Fprintf(t.err, "this replaces what %s set at %s%s\n", s.Replaced.Actor, t.clock(s.Replaced.Since), because(s.Replaced.Reason))
	}
	t.warnSwitch(s)
	if len(s.Unscoped) > 0 && action == wire.ActionEnable {
		fmt.Fprintf(t.err, "instances without a service are shut by it too: %s\n", strings.Join(s.Unscoped, ", "))
	}
	return t.confirm(cmd.Context(), api, s.Place, time.Time{}, action == wire.ActionEnable)
}

func (t *tool) warnSwitch(s wire.ChangedSwitch) {
	if s.Service != "" && s.Known != nil && !*s.Known {
		fmt.Fprintf(t.err, "warning: nothing names a service %s; is it spelled right? (waygate services lists them)\n", s.Service)
	}
}

func switchName(service string) string {
	if service == "" {
		return "global maintenance"
	}
	return "maintenance of " + service
}

// tellSwitch prints the state of a switch.
func (t *tool) tellSwitch(service string, s wire.Switch) {
	word := "OFF"
	if s.Enabled {
		word = "ON" + t.until(s.Until)
	}
	fmt.Fprintf(t.out, "%s is %s%s\n", switchName(service), word, because(s.Reason))
	what := "exempt: "
	if !s.Enabled {
		what = "exempt at the next enable: "
	}
	tellList(t.out, what, s.ExemptPaths)
	if s.Enabled && s.IncludeForceActive {
		fmt.Fprintln(t.out, "  protected routes are included")
	}
}

func (t *tool) showSwitch(cmd *cobra.Command, service string) error {
	api, err := t.client()
	if err != nil {
		return err
	}
	s, err := api.Switch(cmd.Context(), service)
	if err != nil {
		return err
	}
	if t.json() {
		return asJSON(t.out, s)
	}
	t.tellSwitch(service, s)
	return nil
}

// switchOptions are the options of an enable of a switch.
type switchOptions struct {
	reason, until string
	exempt        []string
	protected     bool
}

func (o *switchOptions) flags(cmd *cobra.Command) {
	reasonFlag(cmd, &o.reason)
	cmd.Flags().StringArrayVarP(&o.exempt, "exempt", "e", nil, "a `route` that passes meanwhile (repeatable)")
	cmd.Flags().BoolVar(&o.protected, "include-force-active", false, "hold for protected routes too")
	timeFlag(cmd, &o.until, "until", "`when` it opens again by itself: 2h, 18:00, a time")
}

func (t *tool) switchBody(o switchOptions) (wire.SwitchBody, error) {
	end, err := t.when("--until", o.until, now())
	if err != nil {
		return wire.SwitchBody{}, err
	}
	if err := exemptions(o.exempt); err != nil {
		return wire.SwitchBody{}, err
	}
	return wire.SwitchBody{Reason: o.reason, ExemptPaths: o.exempt, IncludeForceActive: o.protected, Until: sendWhen(end)}, nil
}

// exemptions refuses what is no route, or several in one word: either would exempt nothing. A service is put before none
// of them: an exemption of a switch without one is for every service that it shuts.
func exemptions(routes []string) error {
	for _, text := range routes {
		if _, err := state.ParseSpelling(text); err != nil {
			return usage("%w", err)
		}
		if err := oneRoute(text); err != nil {
			return err
		}
	}
	return nil
}

func (t *tool) globalCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "global", Short: "Shut everything, and open it again", Args: args(cobra.NoArgs), RunE: showHelp}
	status := &cobra.Command{
		Use: "status", Short: "Show global maintenance", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.showSwitch(cmd, "") },
	}
	var o switchOptions
	var yes bool
	enable := &cobra.Command{
		Use: "enable", Short: "Shut everything but what is exempt", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := t.switchBody(o)
			if err != nil {
				return err
			}
			if !yes && t.terminal && !t.agreed("Shut every route of every service?") {
				return &exitError{code: exitRefused, err: fmt.Errorf("nothing was changed"), next: "waygate global enable --yes"}
			}
			return t.onSwitch(cmd, "", wire.ActionEnable, body)
		},
	}
	o.flags(enable)
	enable.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	var reason string
	disable := &cobra.Command{
		Use: "disable", Short: "Open: every route is back to its own state", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.onSwitch(cmd, "", wire.ActionDisable, wire.ReasonBody{Reason: reason})
		},
	}
	reasonFlag(disable, &reason)
	add := &cobra.Command{
		Use: "exempt-add ROUTE...", Short: "Exempt routes; switches nothing on", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			if err := exemptions(routes); err != nil {
				return err
			}
			return t.onSwitch(cmd, "", wire.ActionExempt, wire.ExemptBody{Add: routes})
		},
	}
	remove := &cobra.Command{
		Use: "exempt-remove ROUTE...", Short: "Take exemptions away", Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			return t.onSwitch(cmd, "", wire.ActionExempt, wire.ExemptBody{Remove: routes})
		},
	}
	for _, c := range []*cobra.Command{enable, disable, add, remove} {
		t.waitFlags(c)
	}
	cmd.AddCommand(status, enable, disable, add, remove)
	return cmd
}

func (t *tool) serviceMaintenanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sm", Aliases: []string{"service-maintenance"}, Short: "Shut one service, and open it again", Args: args(cobra.NoArgs), RunE: showHelp,
	}
	status := &cobra.Command{
		Use: "status SERVICE", Short: "Show the maintenance of a service", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error { return t.showSwitch(cmd, names[0]) },
	}
	var o switchOptions
	enable := &cobra.Command{
		Use: "enable SERVICE", Short: "Shut a service but what is exempt", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			body, err := t.switchBody(o)
			if err != nil {
				return err
			}
			return t.onSwitch(cmd, names[0], wire.ActionEnable, body)
		},
	}
	o.flags(enable)
	var reason string
	disable := &cobra.Command{
		Use: "disable SERVICE", Short: "Open a service: its routes are back to their own state", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			return t.onSwitch(cmd, names[0], wire.ActionDisable, wire.ReasonBody{Reason: reason})
		},
	}
	reasonFlag(disable, &reason)
	t.waitFlags(enable)
	t.waitFlags(disable)
	cmd.AddCommand(status, enable, disable)
	return cmd
}

// agreed asks a person on the terminal.
func (t *tool) agreed(question string) bool {
	fmt.Fprintf(t.err, "%s [y/N] ", question)
	line, err := t.line()
	if err != nil && line == "" {
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
