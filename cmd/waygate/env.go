package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) envCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "env", Short: "Admit a route only in some environments", Args: args(cobra.NoArgs), RunE: showHelp}
	var reason string
	set := &cobra.Command{
		Use: "set ROUTE ENV...", Short: "Admit only these environments; all others get a 403", Args: args(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			for _, env := range words[1:] {
				if strings.ContainsAny(env, ", ") {
					return usage("%q looks like several environments: give each on its own", env)
				}
			}
			c := wire.Command{Action: wire.ActionEnv, Envs: words[1:], Reason: reason}
			return t.commit(cmd.Context(), words[:1], c, time.Time{})
		},
	}
	clear := &cobra.Command{
		Use: "clear ROUTE", Short: "Take the gate away; leaves everything else as it is", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			return t.commit(cmd.Context(), words, wire.Command{Action: wire.ActionEnv, Reason: reason}, time.Time{})
		},
	}
	for _, c := range []*cobra.Command{set, clear} {
		reasonFlag(c, &reason)
		t.waitFlags(c)
	}
	cmd.AddCommand(set, clear)
	return cmd
}
