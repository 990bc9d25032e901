package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (t *tool) logCommand() *cobra.Command {
	var route string
	var p page
	cmd := &cobra.Command{
		Use: "log", Short: "Show who did what, newest first", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			entries, err := api.Audit(cmd.Context(), route, service.value, p.number*p.size+1)
			if err != nil {
				return err
			}
			part, more := cut(p, entries)
			if t.json() {
				return asJSON(t.out, part)
			}
			rows := make([][]string, 0, len(part))
			for _, e := range part {
				change := ""
				if e.PreviousStatus != nil && e.NewStatus != nil {
					change = strings.ToUpper(*e.PreviousStatus) + " → " + strings.ToUpper(*e.NewStatus)
				}
				when := e.Timestamp.UTC().Format("2006-01-02 15:04:05 UTC")
				rows = append(rows, []string{when, e.Path, e.Action, e.Actor, e.Platform, change, e.Reason})
			}
			if err := table(t.out, []string{"TIME", "ROUTE", "ACTION", "ACTOR", "PLATFORM", "STATUS", "REASON"}, rows); err != nil {
				return err
			}
			if more {
				fmt.Fprintf(t.err, "--page %d shows older ones\n", p.number+1)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&route, "route", "", "only this `route`")
	p.flags(cmd)
	return cmd
}
