package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// findWebhook finds the webhook that is meant: by its id, by its name, or by the beginning of its id.
func (t *tool) findWebhook(ctx context.Context, text string) (*client.Client, wire.Webhook, error) {
	api, err := t.client()
	if err != nil {
		return nil, wire.Webhook{}, err
	}
	list, err := api.Webhooks(ctx)
	if err != nil {
		return nil, wire.Webhook{}, err
	}
	var begins []wire.Webhook
	for _, w := range list {
		if text != "" && (w.ID == text || w.Name == text) {
			return api, w, nil
		}
		if text != "" && strings.HasPrefix(w.ID, strings.ToLower(text)) {
			begins = append(begins, w)
		}
	}
	switch len(begins) {
	case 1:
		return api, begins[0], nil
	case 0:
		err = fmt.Errorf("%q names no webhook", oneLine(text))
	default:
		var names []string
		for _, w := range begins[:min(len(begins), 5)] {
			names = append(names, webhookName(w))
		}
		err = errors.New(oneLine(text) + " may be any of " + fmt.Sprint(len(begins)) + " webhooks: " + strings.Join(names, "; "))
	}
	return nil, wire.Webhook{}, &exitError{code: exitRefused, err: err, next: "waygate webhook list"}
}

// webhookName is how a webhook is spoken of.
func webhookName(w wire.Webhook) string {
	if w.Name == "" {
		return "webhook " + w.ID
	}
	return fmt.Sprintf("webhook %s (%s)", w.ID, oneLine(w.Name))
}

func (t *tool) listWebhooks(list []wire.Webhook) error {
	if len(list) == 0 {
		fmt.Fprintln(t.out, "no webhooks; waygate webhook add URL makes one")
		return nil
	}
	rows := make([][]string, 0, len(list))
	for _, w := range list {
		is := "enabled"
		if w.Disabled {
			is = strings.TrimSpace("DISABLED " + w.Why)
		}
		rows = append(rows, []string{w.ID, w.Name, w.Format, w.URL, eventsInWords(w), w.Source, is})
	}
	return table(t.out, []string{"ID", "NAME", "FORMAT", "URL", "EVENTS", "SOURCE", "STATE"}, rows)
}

// eventsInWords says what a webhook is told of.
func eventsInWords(w wire.Webhook) string {
	var parts []string
	for _, list := range []struct {
		before string
		names  []string
	}{{"", w.Actions}, {"on ", w.Routes}, {"of ", w.Services}, {"shut out: ", w.Envs}} {
		if len(list.names) > 0 {
			parts = append(parts, list.before+strings.Join(list.names, ", "))
		}
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, " ")
}

func (t *tool) showWebhook(w wire.Webhook) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(t.out, "%-12s %s\n", name, oneLine(text))
		}
	}
	line("id", w.ID)
	line("name", w.Name)
	line("url", w.URL)
	line("format", w.Format)
	line("events", eventsInWords(w))
	line("allow", strings.Join(w.Allow, ", "))
	line("state", map[bool]string{true: "DISABLED " + w.Why, false: "enabled"}[w.Disabled])
	line("source", map[string]string{"file": "the admins' --webhooks-file", "environment": "the admins' environment"}[w.Source])
	line("secrets", t.secretsInWords(w))
	line("made", t.byAt(w.By, w.At))
	line("changed", t.byAt(w.ChangedBy, w.ChangedAt))
	if w.Template != "" {
		fmt.Fprintf(t.out, "template:\n%s\n", w.Template)
	}
}

func (t *tool) secretsInWords(w wire.Webhook) string {
	var parts []string
	for _, s := range w.Secrets {
		if s.Until == nil {
			parts = append(parts, "one that stays")
		} else {
			parts = append(parts, "one until "+t.clock(*s.Until))
		}
	}
	if w.RoutingKey {
		parts = append(parts, "a routing key")
	}
	return strings.Join(parts, ", ")
}

func (t *tool) byAt(by string, at *time.Time) string {
	if at == nil {
		return ""
	}
	return strings.TrimPrefix(by+", ", ", ") + t.clock(*at)
}
