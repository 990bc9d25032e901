package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) historyCommand() *cobra.Command {
	var p page
	cmd := &cobra.Command{
		Use: "history ROUTE", Short: "Show every change of one route and its windows, before and after", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error { return t.history(cmd.Context(), routes[0], p) },
	}
	p.flags(cmd)
	return cmd
}

func (t *tool) history(ctx context.Context, text string, p page) error {
	if err := p.check(); err != nil {
		return err
	}
	key, err := t.route(text)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	var all []wire.RouteChange
	limit := p.number*p.size + 1
	for cursor := ""; len(all) < limit; {
		some, next, err := api.History(ctx, key, limit-len(all), cursor)
		if err != nil {
			return err
		}
		all = append(all, some...)
		if cursor = next; next == "" {
			break
		}
	}
	part, more := cut(p, all)
	if t.json() {
		return asJSON(t.out, part)
	}
	if len(part) == 0 {
		fmt.Fprintln(t.out, "nothing was said of this route that the log still tells")
	}
	for _, c := range part {
		fmt.Fprintf(t.out, "revision %d  %s  %s by %s (%s)%s\n", c.Revision, t.stamp(c.Timestamp), c.Action, oneLine(c.Actor), c.Platform, because(c.Reason))
		t.tellChanges(c.Changes)
	}
	if more {
		fmt.Fprintf(t.err, "--page %d shows older ones\n", p.number+1)
	}
	return nil
}

// tellChanges prints what was set, member by member.
func (t *tool) tellChanges(all []wire.FieldChange) {
	for _, c := range all {
		name := "route"
		if id, ok := strings.CutPrefix(c.Field, "w:"); ok {
			name = "window " + id
		}
		before, after := members(c.Before), members(c.After)
		switch {
		case before == nil && after == nil:
			continue
		case before == nil:
			fmt.Fprintf(t.out, "  %s is new\n", name)
		case after == nil:
			fmt.Fprintf(t.out, "  %s is removed\n", name)
		}
		names := maps.Clone(before)
		if names == nil {
			names = map[string]any{}
		}
		maps.Copy(names, after)
		for _, member := range slices.Sorted(maps.Keys(names)) {
			was, is := compact(before[member]), compact(after[member])
			if member == "at" || member == "by" || member == "made" || was == is {
				continue
			}
			fmt.Fprintf(t.out, "  %s.%s: %s → %s\n", name, member, oneLine(was), oneLine(is))
		}
	}
}

// members are those of a JSON object, nil for none.
func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// restoreOptions are the options of restore.
type restoreOptions struct {
	to          uint64
	dryRun, yes bool
	reason      string
}

func (t *tool) restoreCommand() *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use: "restore ROUTE --to REVISION", Short: "Have a route, its parts and its windows, as it was at a revision", Args: args(cobra.ExactArgs(1)),
		Long: `Gives a route what was said of it at a revision (waygate history ROUTE lists them), as a new change: nothing is
rewritten. Windows that are over stay over, exceptions are those of then, and switches are left alone.`,
		RunE: func(cmd *cobra.Command, routes []string) error { return t.restore(cmd.Context(), routes[0], o) },
	}
	cmd.Flags().Uint64Var(&o.to, "to", 0, "the `revision`")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "change nothing and show what would change")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	reasonFlag(cmd, &o.reason)
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // the flag is there
	}
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) restore(ctx context.Context, text string, o restoreOptions) error {
	if _, err := t.patience(); err != nil {
		return err
	}
	key, err := t.route(text)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	body := wire.RestoreBody{Revision: o.to, Reason: o.reason, DryRun: true}
	preview, err := api.Restore(ctx, key, body)
	if err != nil {
		return err
	}
	if !t.json() || o.dryRun {
		if err := t.tellRestore(preview); err != nil {
			return err
		}
	}
	if o.dryRun || len(preview.Changes) == 0 {
		return nil
	}
	if !o.yes && (!t.terminal || !t.agreed("Restore?")) {
		return &exitError{code: exitRefused, err: errors.New("nothing was changed"), next: fmt.Sprintf("waygate restore %s --to %d --yes", text, o.to)}
	}
	body.DryRun = false
	done, err := api.Restore(ctx, key, body)
	if err != nil {
		return err
	}
	if t.json() {
		err = asJSON(t.out, done)
	} else {
		t.tellRouteState(done.ChangedRoute)
		t.tellEffects(done.ChangedRoute)
	}
	if err != nil {
		return err
	}
	return t.confirm(ctx, api, done.Place, now(), true)
}

func (t *tool) tellRestore(r wire.Restored) error {
	if t.json() {
		return asJSON(t.out, r)
	}
	if len(r.Changes) == 0 {
		fmt.Fprintln(t.out, "it is so already")
	}
	t.tellChanges(r.Changes)
	return nil
}

// compact is JSON in one line.
func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
