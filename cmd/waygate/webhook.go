package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) webhookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "webhook", Short: "Webhooks: who is told of changes, and what came of it", Args: args(cobra.NoArgs), RunE: showHelp,
		Long: `Webhooks tell receivers of every change: a service of yours, Slack, Teams, PagerDuty, Discord.

An ID is that of a webhook or the beginning of it, or its name.`,
	}
	cmd.AddCommand(t.webhookAddCommand(), t.webhookListCommand(), t.webhookShowCommand(), t.webhookChangeCommand(),
		t.webhookRemoveCommand(), t.webhookRotateCommand(), t.webhookSwitchCommand(true), t.webhookSwitchCommand(false),
		t.webhookTestCommand(), t.webhookDeliveriesCommand(), t.webhookRedeliverCommand())
	return cmd
}

func (t *tool) webhookListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the webhooks", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			list, err := api.Webhooks(cmd.Context())
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, list)
			}
			return t.listWebhooks(list)
		},
	}
}

func (t *tool) webhookShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show everything about a webhook but its secrets", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			_, w, err := t.findWebhook(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, w)
			}
			t.showWebhook(w)
			return nil
		},
	}
}

func (t *tool) webhookRemoveCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "remove ID", Short: "Remove a webhook, with what was still to be sent to it", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return t.onWebhook(cmd.Context(), ids[0], func(api *client.Client, w wire.Webhook) (wire.ChangedWebhook, error) {
				return api.RemoveWebhook(cmd.Context(), w.ID, reason)
			}, func(w wire.ChangedWebhook) { fmt.Fprintf(t.out, "%s is removed\n", webhookName(w.Webhook)) })
		},
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why; kept in the log")
	return cmd
}

func (t *tool) webhookRotateCommand() *cobra.Command {
	var r wire.WebhookRotation
	cmd := &cobra.Command{
		Use: "rotate ID", Short: "Give a webhook a new secret, which is shown once; the one before stays valid for a while",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			grace, err := wire.ParseGrace(r.Grace)
			if err != nil {
				return usage("--grace: %w", err)
			}
			return t.onWebhook(cmd.Context(), ids[0], func(api *client.Client, w wire.Webhook) (wire.ChangedWebhook, error) {
				return api.RotateWebhook(cmd.Context(), w.ID, r)
			}, func(w wire.ChangedWebhook) {
				valid := "no more"
				if grace > 0 {
					valid = "for " + roughly(grace) + " more"
				}
				fmt.Fprintf(t.err, "%s has a new secret; the one before is valid %s\n", webhookName(w.Webhook), valid)
				t.tellSecret(w)
			})
		},
	}
	cmd.Flags().StringVar(&r.Grace, "grace", "24h", "how `long` the secret before stays valid: 24h, 7d, 0s")
	cmd.Flags().StringVar(&r.Secret, "secret", "", "the new `secret`; without it one is made")
	return cmd
}

func (t *tool) webhookSwitchCommand(on bool) *cobra.Command {
	var reason string
	use, short, done := "disable", "Send a webhook nothing more; what happens meanwhile is not kept for it", "is disabled: it is sent nothing"
	if on {
		use, short, done = "enable", "Send a webhook what happens from now on", "is enabled"
	}
	cmd := &cobra.Command{
		Use: use + " ID", Short: short, Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return t.onWebhook(cmd.Context(), ids[0], func(api *client.Client, w wire.Webhook) (wire.ChangedWebhook, error) {
				return api.SwitchWebhook(cmd.Context(), w.ID, on, reason)
			}, func(w wire.ChangedWebhook) { fmt.Fprintf(t.out, "%s %s\n", webhookName(w.Webhook), done) })
		},
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why; kept in the log")
	return cmd
}

// onWebhook changes the webhook that is meant and says what came of it.
func (t *tool) onWebhook(ctx context.Context, id string, change func(*client.Client, wire.Webhook) (wire.ChangedWebhook, error), tell func(wire.ChangedWebhook)) error {
	api, w, err := t.findWebhook(ctx, id)
	if err != nil {
		return err
	}
	a, err := change(api, w)
	if err != nil {
		return err
	}
	if t.json() {
		return asJSON(t.out, a)
	}
	tell(a)
	return nil
}

// tellSecret prints a secret that was made: alone on the standard output, so that a script can keep it.
func (t *tool) tellSecret(w wire.ChangedWebhook) {
	if w.Secret == "" {
		return
	}
	fmt.Fprintln(t.err, "it signs with this secret, which is not shown again:")
	fmt.Fprintln(t.out, w.Secret)
}
