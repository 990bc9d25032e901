package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) windowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "window", Short: "Windows: blocks with a start and an end, once or again and again", Args: args(cobra.NoArgs), RunE: showHelp,
		Long: `Windows are blocks with a start and an end, once or again and again. Any number may lie on a target; the strictest
holds, and ending one leaves the others.

` + targetHelp + ` An ID is that of a window or the beginning of it; or the TARGET that has one window only.`,
	}
	cmd.AddCommand(t.windowAddCommand(), t.windowListCommand(), t.windowShowCommand(), t.windowExtendCommand(), t.windowEndCommand(), t.windowCancelCommand())
	return cmd
}

func (t *tool) windowListCommand() *cobra.Command {
	var ended bool
	cmd := &cobra.Command{
		Use: "list [TARGET]", Short: "List the windows that run or are to come", Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, targets []string) error {
			path := ""
			service, err := t.serviceName()
			if err == nil && len(targets) == 1 {
				path, err = t.target(targets[0])
				service.value = ""
			}
			if err != nil {
				return err
			}
			api, err := t.client()
			if err != nil {
				return err
			}
			list, err := api.Windows(cmd.Context(), path, service.value, ended)
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, list)
			}
			return t.listWindows(list)
		},
	}
	cmd.Flags().BoolVar(&ended, "ended", false, "those too that are over and still known")
	return cmd
}

func (t *tool) windowShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show everything about a window", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			w, err := t.findWindow(cmd.Context(), api, ids[0])
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, w)
			}
			t.showWindow(w)
			return nil
		},
	}
}

func (t *tool) windowExtendCommand() *cobra.Command {
	var by, to, occurrence string
	cmd := &cobra.Command{
		Use: "extend ID", Short: "Move the end of a window: of what runs, else of what is next", Args: args(cobra.ExactArgs(1)),
		Long:    "Move the end of a window: of what runs, else of what is next.\n\nTimes without a zone are read in --tz, else in the zone of the window.",
		Example: "  waygate window extend GET:/payments --by 30m\n  waygate window extend 0192f0c1-6b2e --to 18:00 --tz Europe/Berlin",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if (by == "") == (to == "") {
				return usage("say --by how much, or --to when; for example --by 30m")
			}
			if err := checkBy(by); err != nil {
				return err
			}
			at := now()
			_, toErr := t.when("--to", to, at)
			_, occurrenceErr := t.when("--occurrence", occurrence, at)
			if err := cmp.Or(toErr, occurrenceErr); err != nil {
				return err
			}
			var start time.Time
			return t.onWindow(cmd.Context(), ids[0], func(api *client.Client, w wire.WindowDetail) (wire.ChangedWindow, error) {
				in := t.inZone(w.Timezone)
				end, err := in.when("--to", to, at)
				if err != nil {
					return wire.ChangedWindow{}, err
				}
				if start, err = in.when("--occurrence", occurrence, at); err != nil {
					return wire.ChangedWindow{}, err
				}
				return api.ChangeWindow(cmd.Context(), w.ID, wire.WindowChange{Occurrence: sendWhen(start), End: sendWhen(end), By: by})
			}, func(_, is wire.WindowDetail) { t.tellMoved(is, start) })
		},
	}
	timeFlag(cmd, &by, "by", "move the end by so `much`: 30m; -30m shortens")
	timeFlag(cmd, &to, "to", "`when` it ends instead: 2h from now, 18:00, a time")
	timeFlag(cmd, &occurrence, "occurrence", "of a window that recurs, the one with this `start`")
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) windowEndCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "end ID", Short: "End what runs of a window now; if it recurs, it comes again", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return t.onWindow(cmd.Context(), ids[0], func(api *client.Client, w wire.WindowDetail) (wire.ChangedWindow, error) {
				return api.EndWindow(cmd.Context(), w.ID, reason)
			}, func(_, is wire.WindowDetail) {
				fmt.Fprintf(t.out, "window %s has ended%s\n", is.ID, t.comesAgain(is))
			})
		},
	}
	reasonFlag(cmd, &reason)
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) windowCancelCommand() *cobra.Command {
	var occurrence string
	var yes bool
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Cancel a window, all of it; or one --occurrence", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			at := now()
			start, err := t.when("--occurrence", occurrence, at)
			if err != nil {
				return err
			}
			return t.onWindow(cmd.Context(), ids[0], func(api *client.Client, w wire.WindowDetail) (wire.ChangedWindow, error) {
				var err error
				if start, err = t.inZone(w.Timezone).when("--occurrence", occurrence, at); err != nil {
					return wire.ChangedWindow{}, err
				}
				if w.Recurrence != nil && start.IsZero() && !yes && t.terminal && !t.agreed("Cancel all occurrences, "+w.Recurrence.Description+"?") {
					next := fmt.Sprintf("waygate window cancel %s --occurrence %s", w.ID, w.Start.Format(time.RFC3339))
					return wire.ChangedWindow{}, &exitError{code: exitRefused, err: errors.New("nothing was changed"), next: next}
				}
				return api.CancelWindow(cmd.Context(), w.ID, start)
			}, func(was, is wire.WindowDetail) { t.tellCancelled(was, is, start) })
		},
	}
	timeFlag(cmd, &occurrence, "occurrence", "of a window that recurs, only the one with this `start`")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before all occurrences are cancelled")
	t.waitFlags(cmd)
	return cmd
}

// onWindow changes the window that is meant by id and says what came of it, and waits if asked to. What is told of the
// window is told of it as it was and as it is; where it is gone, that is as it was.
func (t *tool) onWindow(ctx context.Context, id string, change func(*client.Client, wire.WindowDetail) (wire.ChangedWindow, error), tell func(was, is wire.WindowDetail)) error {
	if _, err := t.patience(); err != nil { // wrong usage is found before anything is sent
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	was, err := t.findWindow(ctx, api, id)
	if err != nil {
		return err
	}
	a, err := change(api, was)
	if err != nil {
		return aboutWindow(err, was)
	}
	if t.json() {
		err = asJSON(t.out, a)
	} else {
		is := was
		if a.Window != nil {
			is = *a.Window
		}
		tell(was, is)
		t.tellPlace(a.ChangeResult)
	}
	if err != nil {
		return err
	}
	return t.confirm(ctx, api, a.Place, time.Time{}, false)
}
