package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// page is a part of a long list.
type page struct{ number, size int }

func (p *page) flags(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&p.number, "page", "p", 1, "which page")
	cmd.Flags().IntVar(&p.size, "per-page", 50, "rows on a page")
}

func (p *page) check() error {
	if p.number < 1 || p.size < 1 {
		return usage("--page and --per-page count from 1")
	}
	return nil
}

// cut gives the rows of the page and whether more follow.
func cut[T any](p page, rows []T) (part []T, more bool) {
	from := min((p.number-1)*p.size, len(rows))
	to := min(from+p.size, len(rows))
	return rows[from:to], to < len(rows)
}

func (t *tool) statusCommand() *cobra.Command {
	var p page
	cmd := &cobra.Command{
		Use: "status [ROUTE]", Short: "Show what is up and what is down", Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, routes []string) error {
			if err := p.check(); err != nil {
				return err
			}
			api, err := t.client()
			if err != nil {
				return err
			}
			if len(routes) == 1 {
				return t.statusOf(cmd.Context(), api, routes[0])
			}
			return t.statusOfAll(cmd.Context(), api, p)
		},
	}
	p.flags(cmd)
	return cmd
}

func (t *tool) statusOf(ctx context.Context, api *client.Client, text string) error {
	key, err := t.route(text)
	if err != nil {
		return err
	}
	r, err := api.Route(ctx, key)
	if err != nil {
		return err
	}
	if t.json() {
		return asJSON(t.out, r)
	}
	if err := t.banner(ctx, api, []wire.Route{r}); err != nil {
		return err
	}
	if err := printRoutes(t, []wire.Route{r}); err != nil {
		return err
	}
	t.tellDeprecation(r)
	if err := t.tellWindows(ctx, api, r); err != nil {
		return err
	}
	if r.Because != "" {
		fmt.Fprintf(t.out, "  because of %s\n", r.Because)
	}
	if r.ForceActive {
		fmt.Fprintln(t.out, "  protected")
	}
	if !r.Known {
		fmt.Fprintln(t.err, "nobody declared or saw this route")
	}
	return nil
}

// tellWindows lists the windows of a route with what recurs in words.
func (t *tool) tellWindows(ctx context.Context, api *client.Client, r wire.Route) error {
	if len(r.Windows) == 0 {
		return nil
	}
	list, err := api.Windows(ctx, r.Path, "", false)
	if err != nil {
		return err
	}
	ids := idsOf(list)
	for _, w := range list {
		when := ""
		if w.Recurrence != nil {
			when = w.Recurrence.Description + "; "
			if w.State == "pending" {
				when += "next "
			}
		}
		fmt.Fprintf(t.out, "  %s %s %s: %s%s, %s%s\n", w.State, w.Origin, shortID(w.ID, ids), when, t.inZone(w.Timezone).span(w.Start, w.End),
			effectInWords(w.Effect), because(w.Reason))
	}
	return nil
}

// finer is an effect beside its status word, where the word does not say it.
func finer(effect string) string {
	if effect == "read_only" || effect == "gone" {
		return " (" + effectInWords(effect) + ")"
	}
	return ""
}

func (t *tool) statusOfAll(ctx context.Context, api *client.Client, p page) error {
	service, err := t.serviceName()
	if err != nil {
		return err
	}
	routes, err := api.Routes(ctx, service.value)
	if err != nil {
		return err
	}
	slices.SortFunc(routes, func(a, b wire.Route) int { return strings.Compare(a.Path, b.Path) })
	if t.json() {
		return asJSON(t.out, routes)
	}
	if err := t.banner(ctx, api, routes); err != nil {
		return err
	}
	if len(routes) == 0 {
		// On stdout: pipelines look there for a line that does not say DISABLED.
		fmt.Fprintln(t.out, "no routes are known; the first command on one, or a service that registers, makes it known")
		return nil
	}
	part, more := cut(p, routes)
	if err := printRoutes(t, part); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(t.err, "%d routes; --page %d shows more\n", len(routes), p.number+1)
	}
	return nil
}

// banner prints the switches that are on, and the next change in time.
func (t *tool) banner(ctx context.Context, api *client.Client, routes []wire.Route) error {
	global, err := api.Switch(ctx, "")
	if err != nil {
		return err
	}
	if global.Enabled {
		t.tellSwitch("", global)
	}
	services, err := api.Services(ctx)
	if err != nil {
		return err
	}
	windows := slices.Clone(global.Windows)
	for _, name := range services {
		s, err := api.Switch(ctx, name)
		if err != nil {
			return err
		}
		if s.Enabled {
			t.tellSwitch(name, s)
		}
		windows = append(windows, s.Windows...)
	}
	for _, r := range routes {
		windows = append(windows, r.Windows...)
	}
	if at, what := nextChange(windows, now()); what != "" {
		fmt.Fprintf(t.out, "next change: in %s, at %s, a window %s\n", roughly(at.Sub(now())), t.clock(at), what)
	}
	return nil
}

// nextChange is the next instant at which a window opens or closes.
func nextChange(windows []wire.Window, at time.Time) (next time.Time, what string) {
	consider := func(t time.Time, word string) {
		if t.After(at) && (next.IsZero() || t.Before(next)) {
			next, what = t, word
		}
	}
	for _, w := range windows {
		consider(w.Start, "opens")
		if w.End != nil {
			consider(*w.End, "closes")
		}
	}
	return next, what
}

func printRoutes(t *tool, routes []wire.Route) error {
	rows := make([][]string, 0, len(routes))
	for _, r := range routes {
		end := ""
		switch {
		case r.Until != nil:
			end = t.brief(*r.Until)
		case r.Window != nil && r.Window.Start.After(now()): // one that runs below what has no end tells nothing here
			end = t.brief(r.Window.Start) + " …"
		}
		status := strings.ToUpper(r.Status) + finer(r.Effect)
		if r.ForceActive {
			status += " (protected)"
		}
		rows = append(rows, []string{r.Path, status, r.Reason, strings.Join(r.AllowedEnvs, ", "), end})
	}
	return table(t.out, []string{"ROUTE", "STATUS", "REASON", "ENVS", "UNTIL"}, rows)
}
