package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) webhookTestCommand() *cobra.Command {
	return &cobra.Command{
		Use: "test ID", Short: "Send a sample of each event that a webhook would be sent, and tell how it went", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			api, w, err := t.findWebhook(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			sent, err := api.TestWebhook(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			return t.tellSent(w, sent)
		},
	}
}

func (t *tool) webhookDeliveriesCommand() *cobra.Command {
	var limit int
	var dead bool
	cmd := &cobra.Command{
		Use: "deliveries ID", Short: "Show what was sent to a webhook and how it went, newest first; or its --dead letters", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if limit < 1 {
				return usage("--limit: at least 1")
			}
			api, w, err := t.findWebhook(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			letters, err := api.DeadLetters(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			if dead {
				return t.listDead(letters)
			}
			list, err := api.Deliveries(cmd.Context(), w.ID, limit)
			if err != nil {
				return err
			}
			if len(letters) > 0 {
				fmt.Fprintf(t.err, "%d dead letters; waygate webhook redeliver %s --dead sends them\n", len(letters), w.ID)
			}
			return t.listDeliveries(list)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how `many` at most")
	cmd.Flags().BoolVar(&dead, "dead", false, "the events that are not tried again by themselves")
	return cmd
}

func (t *tool) webhookRedeliverCommand() *cobra.Command {
	var dead bool
	cmd := &cobra.Command{
		Use: "redeliver ID [DELIVERY... | --dead]", Short: "Send deliveries again, under the ids they had; or all --dead letters",
		Args:    args(cobra.MinimumNArgs(1)),
		Example: "  waygate webhook redeliver ops 000645f2a1b2c3d4abcdef\n  waygate webhook redeliver ops --dead",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if dead == (len(ids) > 1) {
				return usage("name deliveries, or say --dead; waygate webhook deliveries %s lists them", ids[0])
			}
			api, w, err := t.findWebhook(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			sent, err := api.Redeliver(cmd.Context(), w.ID, wire.RedeliverBody{Deliveries: ids[1:], AllDead: dead})
			if err != nil {
				return err
			}
			return t.tellSent(w, sent)
		},
	}
	cmd.Flags().BoolVar(&dead, "dead", false, "all dead letters, oldest first, up to the first that does not arrive")
	return cmd
}

// tellSent says how what was sent by hand went. It is an error where something did not arrive, so that scripts can ask.
func (t *tool) tellSent(w wire.Webhook, sent wire.SentWebhooks) error {
	missed := 0
	for _, d := range sent.Deliveries {
		if d.Outcome != "delivered" {
			missed++
		}
	}
	var err error
	switch {
	case t.json():
		err = asJSON(t.out, sent)
	case sent.Done && len(sent.Deliveries) == 0:
		fmt.Fprintln(t.out, "there was nothing to send")
	case len(sent.Deliveries) > 0:
		err = t.listDeliveries(sent.Deliveries)
	}
	next := "waygate webhook deliveries " + w.ID
	switch {
	case err != nil:
		return err
	case !sent.Done:
		return &exitError{code: exitUnknown, err: errors.New("it is still being sent: the receiver takes its time"), next: next}
	case missed > 0:
		return &exitError{code: exitRefused, err: fmt.Errorf("%d of %d did not arrive", missed, len(sent.Deliveries)), next: next + " -o json"}
	}
	return nil
}

func (t *tool) listDeliveries(list []wire.WebhookDelivery) error {
	if t.json() {
		return asJSON(t.out, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(t.out, "nothing was sent yet")
		return nil
	}
	rows := make([][]string, 0, len(list))
	for _, d := range list {
		answer := d.Error
		if d.Response != nil {
			answer = strconv.Itoa(d.Response.Status)
			if d.Outcome != "delivered" && d.Response.Body != "" {
				answer += " " + short(d.Response.Body)
			}
		}
		took := time.Duration(d.TookMS * float64(time.Millisecond)).Round(time.Millisecond)
		rows = append(rows, []string{t.stamp(d.At), d.ID, d.Event, d.Path, strconv.Itoa(d.Try), d.Why, d.Outcome, answer, took.String()})
	}
	return table(t.out, []string{"TIME", "DELIVERY", "EVENT", "ROUTE", "TRY", "WHY", "OUTCOME", "ANSWER", "TOOK"}, rows)
}

func (t *tool) listDead(letters []wire.DeadLetter) error {
	if t.json() {
		return asJSON(t.out, letters)
	}
	if len(letters) == 0 {
		fmt.Fprintln(t.out, "no dead letters")
		return nil
	}
	rows := make([][]string, 0, len(letters))
	for _, l := range letters {
		rows = append(rows, []string{t.stamp(l.At), l.EventID, l.Event, l.Path, strconv.Itoa(l.Tries), t.stamp(l.DiedAt), l.Why})
	}
	return table(t.out, []string{"TIME", "EVENT ID", "EVENT", "ROUTE", "TRIES", "DIED", "BECAUSE"}, rows)
}

// short is the beginning of a text of any length.
func short(text string) string {
	const most = 60
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
