package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// logOptions are the options of log.
type logOptions struct {
	page
	route, match, actor, platform, from, to, text string
	actions                                       []string
	changes, follow                               bool
}

func (t *tool) logCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use: "log", Short: "Show who did what, newest first", Args: args(cobra.NoArgs),
		Long: `Shows who did what, newest first. With -o ndjson or -o csv everything that is asked for is printed, oldest first.
Times are 2025-06-01T02:00Z, 2025-06-01, or a duration before now (2h, 7d).`,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.showLog(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.route, "route", "", "only this `route`")
	flags.StringVar(&o.match, "match", "", "only routes that this `pattern` contains: /v1/**, orders:GET:/users/{id}")
	flags.StringVar(&o.actor, "actor", "", "only what this `name` did")
	flags.StringArrayVar(&o.actions, "action", nil, "only this `action` (disable, maintenance_on, …); may be given several times")
	flags.StringVar(&o.platform, "platform", "", "only what came through cli, dashboard, sdk, api or system")
	timeFlag(cmd, &o.from, "from", "only what was done at this `time` or later")
	timeFlag(cmd, &o.to, "to", "only what was done before this `time`")
	flags.StringVar(&o.text, "text", "", "only entries with this `text` in reason, route or actor")
	flags.BoolVar(&o.changes, "changes", false, "with -o json or ndjson, or csv: what was set, before and after")
	flags.BoolVarP(&o.follow, "follow", "f", false, "print each entry as it happens, until interrupted")
	o.flags(cmd)
	allowFormats(cmd, "table", "json", "ndjson", "csv")
	return cmd
}

// query is what the API is asked.
func (t *tool) logQuery(o *logOptions) (url.Values, error) {
	query := url.Values{}
	for name, text := range map[string]*string{"route": &o.route, "match": &o.match} {
		if *text == "" {
			continue
		}
		key, err := t.route(*text)
		if err != nil {
			return nil, err
		}
		query.Set(name, key)
	}
	for name, text := range map[string]string{"from": o.from, "to": o.to} {
		if text == "" {
			continue
		}
		at, err := t.pastTime(name, text)
		if err != nil {
			return nil, err
		}
		query.Set(name, at)
	}
	service, err := t.serviceName()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"service": service.value, "actor": o.actor, "platform": o.platform, "text": o.text,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	query["action"] = o.actions
	if o.changes {
		query.Set("changes", "1")
	}
	return query, nil
}

func (t *tool) showLog(ctx context.Context, o logOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	query, err := t.logQuery(&o)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	switch {
	case o.follow:
		return t.followLog(ctx, api, query)
	case t.output == "ndjson" || t.output == "csv":
		return t.exportLog(ctx, api, query)
	}
	entries, err := t.readLog(ctx, api, query, o.number*o.size+1)
	if err != nil {
		return err
	}
	part, more := cut(o.page, entries)
	if t.json() {
		return asJSON(t.out, part)
	}
	if err := t.printLog(part); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(t.err, "--page %d shows older ones\n", o.number+1)
	}
	return nil
}

// readLog reads so many lines, in as many calls as the search takes.
func (t *tool) readLog(ctx context.Context, api *client.Client, query url.Values, limit int) (all []wire.AuditEntry, err error) {
	for {
		query.Set("limit", strconv.Itoa(limit-len(all)))
		page, next, err := api.AuditPage(ctx, query)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" || len(all) >= limit {
			return all, nil
		}
		query.Set("cursor", next)
	}
}

// exportLog prints everything that is asked for.
func (t *tool) exportLog(ctx context.Context, api *client.Client, query url.Values) error {
	query.Set("format", t.output)
	body, err := api.Open(ctx, "/audit/export", query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(t.out, body); err != nil {
		return &exitError{code: exitRefused, err: fmt.Errorf("the export broke off: %w", err), next: "again"}
	}
	return nil
}

func (t *tool) printLog(entries []wire.AuditEntry) error {
	rows := make([][]string, 0, len(entries))
	for i := range entries {
		rows = append(rows, t.logRow(&entries[i]))
	}
	return table(t.out, []string{"TIME", "ROUTE", "ACTION", "ACTOR", "PLATFORM", "STATUS", "REASON"}, rows)
}

func (t *tool) logRow(e *wire.AuditEntry) []string {
	change := ""
	if e.PreviousStatus != nil && e.NewStatus != nil {
		change = strings.ToUpper(*e.PreviousStatus) + " → " + strings.ToUpper(*e.NewStatus)
	}
	return []string{t.stamp(e.Timestamp), e.Path, e.Action, e.Actor, e.Platform, change, e.Reason}
}

// logLine prints one entry as it happens.
func (t *tool) logLine(e *wire.AuditEntry) error {
	if t.output != "table" {
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(e)
	}
	row := t.logRow(e)
	for i, cell := range row {
		row[i] = oneLine(cell)
	}
	_, err := fmt.Fprintln(t.out, strings.Join(row, "  "))
	return err
}
