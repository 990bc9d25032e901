package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) logCommand() *cobra.Command {
	var route string
	var p page
	cmd := &cobra.Command{
		Use: "log", Short: "Show who did what, newest first", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.showLog(cmd.Context(), route, p) },
	}
	cmd.Flags().StringVar(&route, "route", "", "only this `route`")
	p.flags(cmd)
	return cmd
}

func (t *tool) showLog(ctx context.Context, route string, p page) error {
	if err := p.check(); err != nil {
		return err
	}
	if route != "" {
		key, err := t.route(route)
		if err != nil {
			return err
		}
		route = key
	}
	service, err := t.serviceName()
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	entries, err := api.Audit(ctx, route, service.value, p.number*p.size+1)
	if err != nil {
		return err
	}
	part, more := cut(p, entries)
	if t.json() {
		return asJSON(t.out, part)
	}
	if err := t.printLog(part); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(t.err, "--page %d shows older ones\n", p.number+1)
	}
	return nil
}

func (t *tool) printLog(entries []wire.AuditEntry) error {
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		change := ""
		if e.PreviousStatus != nil && e.NewStatus != nil {
			change = strings.ToUpper(*e.PreviousStatus) + " → " + strings.ToUpper(*e.NewStatus)
		}
		rows = append(rows, []string{t.stamp(e.Timestamp), e.Path, e.Action, e.Actor, e.Platform, change, e.Reason})
	}
	return table(t.out, []string{"TIME", "ROUTE", "ACTION", "ACTOR", "PLATFORM", "STATUS", "REASON"}, rows)
}
