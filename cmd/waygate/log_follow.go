package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/client"
)

// reconnectEvery is how long to wait before a stream that ended is opened again.
const reconnectEvery = time.Second

// follower prints the audit as it happens. The stream tells that something happened, and the audit what it was, so
// that filters mean the same as without --follow.
type follower struct {
	*tool
	api   *client.Client
	query url.Values
	// id is that of the last event, and rev the revision up to which everything was printed.
	id  string
	rev uint64
}

// followLog prints entries from now on until ctx ends. A stream that breaks off is resumed where it ended.
func (t *tool) followLog(ctx context.Context, api *client.Client, query url.Values) error {
	at, err := api.LogPlace(ctx)
	if err != nil {
		return err
	}
	f := &follower{tool: t, api: api, query: query, rev: at.Rev, id: at.Epoch + "." + strconv.FormatUint(at.Rev, 10)}
	for {
		err := f.stream(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if refusal := new(client.Refusal); errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError {
			return err
		}
		fmt.Fprintf(t.err, "the stream ended (%v); resuming\n", err)
		timer := time.NewTimer(reconnectEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// stream follows one connection to its end.
func (f *follower) stream(ctx context.Context) error {
	body, err := f.api.Open(ctx, "/stream", url.Values{}, http.Header{"Last-Event-Id": {f.id}})
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReader(body)
	id := ""
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the admin closed it")
			}
			return err
		}
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "id:"); ok {
			id = strings.TrimSpace(value)
		}
		if strings.TrimSpace(line) != "" || id == "" {
			continue
		}
		if err := f.print(ctx, id); err != nil {
			return err
		}
		f.id, id = id, ""
	}
}

// print prints what was done up to the revision that an event names.
func (f *follower) print(ctx context.Context, id string) error {
	rev, err := strconv.ParseUint(id[strings.LastIndexByte(id, '.')+1:], 10, 64)
	if err != nil || rev <= f.rev {
		return nil
	}
	query := maps.Clone(f.query)
	query.Set("before", strconv.FormatUint(rev+1, 10))
	query.Set("limit", strconv.FormatUint(min(10_000, 100*(rev-f.rev)), 10))
	entries, _, err := f.api.AuditPage(ctx, query)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
		if e.Revision <= f.rev {
			continue
		}
		if err := f.logLine(&e); err != nil {
			return err
		}
	}
	f.rev = rev
	return nil
}

// compact is JSON in one line.
func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
