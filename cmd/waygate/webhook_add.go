package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// webhookOptions are the options of webhook add and change.
type webhookOptions struct {
	url, name, format, routingKey, templateFile string
	actions, routes, services, envs, allow      []string
}

func (o *webhookOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "what people call it; an ID in other commands")
	f.StringVar(&o.format, "format", "generic", "generic, slack, teams, pagerduty, discord, or template")
	f.StringVar(&o.templateFile, "template-file", "", "a `file` with the Go template that yields the JSON (- is the standard input)")
	f.StringVar(&o.routingKey, "routing-key", "", "of PagerDuty: the integration `key` of the service")
	f.StringArrayVar(&o.actions, "action", nil, "only this `event`: maintenance_on, disable, … (repeatable)")
	f.StringArrayVar(&o.routes, "route", nil, "only what touches this route or `pattern`: GET:/payments, /v1/** (repeatable)")
	f.StringArrayVar(&o.services, "of", nil, "only what touches this `service` (repeatable)")
	f.StringArrayVar(&o.envs, "env", nil, "of environment gates, only those that shut this `environment` out (repeatable)")
	f.StringArrayVar(&o.allow, "allow", nil, "an internal `receiver` that may be connected to: CIDR, address, host, host:port (repeatable)")
}

// template reads the template file; empty without one.
func (o *webhookOptions) template(in io.Reader) (string, error) {
	if o.templateFile == "" {
		return "", nil
	}
	var text []byte
	var err error
	if o.templateFile == "-" {
		text, err = io.ReadAll(io.LimitReader(in, 1<<20))
	} else {
		text, err = os.ReadFile(o.templateFile)
	}
	if err != nil {
		return "", usage("--template-file: %w", err)
	}
	return string(text), nil
}

func (t *tool) webhookAddCommand() *cobra.Command {
	var o webhookOptions
	var secret string
	var disabled bool
	cmd := &cobra.Command{
		Use: "add URL", Short: "Have a receiver told of changes; its secret is shown once", Args: args(cobra.ExactArgs(1)),
		Example: "  waygate webhook add https://hooks.example.com/waygate --name ops\n" +
			"  waygate webhook add https://hooks.slack.com/services/T0/B0/X --format slack --name slack --route 'orders:/**'\n" +
			"  waygate webhook add https://events.pagerduty.com/v2/enqueue --format pagerduty --routing-key KEY --action disable --action enable\n" +
			"  waygate webhook add http://10.0.0.7:8080/in --allow 10.0.0.0/24",
		RunE: func(cmd *cobra.Command, urls []string) error {
			text, err := o.template(t.in)
			if err != nil {
				return err
			}
			format := o.format
			if text != "" && !cmd.Flags().Changed("format") {
				format = "template"
			}
			api, err := t.client()
			if err != nil {
				return err
			}
			a, err := api.AddWebhook(cmd.Context(), wire.NewWebhook{
				URL: urls[0], Name: o.name, Format: format, Template: text, Secret: secret, RoutingKey: o.routingKey, Allow: o.allow,
				WebhookFilter: wire.WebhookFilter{Actions: o.actions, Routes: o.routes, Services: o.services, Envs: o.envs},
				Disabled:      disabled,
			})
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, a)
			}
			fmt.Fprintf(t.err, "%s is added; try: waygate webhook test %s\n", webhookName(a.Webhook), a.ID)
			t.tellSecret(a)
			return nil
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&secret, "secret", "", "the `secret` that signs: whsec_ and the base64 of 24 to 64 bytes; without it one is made")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "send nothing until it is enabled")
	return cmd
}

func (t *tool) webhookChangeCommand() *cobra.Command {
	var o webhookOptions
	var reason string
	cmd := &cobra.Command{
		Use: "change ID", Short: "Change a webhook; what is not named stays", Args: args(cobra.ExactArgs(1)),
		Long: "Change a webhook. What is not named stays; an option that is repeatable replaces the whole list, and an empty one (--route '') clears it.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			change, err := o.change(cmd, t.in)
			if err != nil {
				return err
			}
			change.Reason = reason
			return t.onWebhook(cmd.Context(), ids[0], func(api *client.Client, w wire.Webhook) (wire.ChangedWebhook, error) {
				return api.ChangeWebhook(cmd.Context(), w.ID, change)
			}, func(w wire.ChangedWebhook) {
				if !w.Changed {
					fmt.Fprintf(t.err, "%s was so already\n", webhookName(w.Webhook))
				}
				t.showWebhook(w.Webhook)
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.url, "url", "", "where it is sent to")
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why; kept in the log")
	return cmd
}

// change is what the options that were given ask for.
func (o *webhookOptions) change(cmd *cobra.Command, in io.Reader) (wire.WebhookChange, error) {
	var c wire.WebhookChange
	text, err := o.template(in)
	if err != nil {
		return c, err
	}
	if o.templateFile != "" {
		c.Template = &text
		if !cmd.Flags().Changed("format") {
			o.format = "template"
			c.Format = &o.format
		}
	}
	named := 0
	for flag, member := range map[string]**string{"url": &c.URL, "name": &c.Name, "format": &c.Format, "routing-key": &c.RoutingKey} {
		if cmd.Flags().Changed(flag) {
			value := cmd.Flags().Lookup(flag).Value.String()
			*member = &value
			named++
		}
	}
	lists := map[string]struct {
		given  []string
		member **[]string
	}{
		"action": {o.actions, &c.Actions}, "route": {o.routes, &c.Routes}, "of": {o.services, &c.Services},
		"env": {o.envs, &c.Envs}, "allow": {o.allow, &c.Allow},
	}
	for flag, list := range lists {
		if !cmd.Flags().Changed(flag) {
			continue
		}
		named++
		given := list.given
		if len(given) == 1 && given[0] == "" {
			given = []string{}
		}
		*list.member = &given
	}
	if named == 0 && o.templateFile == "" {
		return c, usage("say what is to change; for example --name ops")
	}
	return c, nil
}
