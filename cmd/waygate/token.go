package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Tokens for machines", Args: args(cobra.NoArgs), RunE: showHelp}
	var body wire.TokenBody
	create := &cobra.Command{
		Use: "create", Short: "Make a token; it is shown once", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := wire.ParseDuration(body.TTL); err != nil {
				return usage("--ttl: %w", err)
			}
			api, err := t.client()
			if err != nil {
				return err
			}
			n, err := api.CreateToken(cmd.Context(), body)
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, n)
			}
			fmt.Fprintf(t.err, "%s token %s, id %s, until %s; it is not shown again:\n", n.Role, n.Name, n.ID, t.clock(n.ExpiresAt))
			fmt.Fprintln(t.out, n.Text)
			return nil
		},
	}
	create.Flags().StringVar(&body.Role, "role", "instance", "viewer, operator, admin, or instance (what waygate-authz needs)")
	create.Flags().StringVar(&body.TTL, "ttl", "1y", "how long it lives: 90d, 1y")
	create.Flags().StringVar(&body.Name, "name", "", "the actor that the log will show")
	list := &cobra.Command{
		Use: "list", Short: "List machine tokens", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			tokens, err := api.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, tokens)
			}
			rows := make([][]string, 0, len(tokens))
			for _, k := range tokens {
				rows = append(rows, []string{k.ID, k.Name, k.Role, k.CreatedBy, t.clock(k.CreatedAt), t.clock(k.ExpiresAt)})
			}
			return table(t.out, []string{"ID", "NAME", "ROLE", "MADE BY", "MADE", "EXPIRES"}, rows)
		},
	}
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "End a token at every admin", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			if err := api.RevokeToken(cmd.Context(), ids[0]); err != nil {
				return err
			}
			fmt.Fprintf(t.out, "token %s is revoked\n", ids[0])
			return nil
		},
	}
	cmd.AddCommand(create, list, revoke)
	return cmd
}
