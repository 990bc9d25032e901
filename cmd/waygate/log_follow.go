package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

const (
	// How long to wait before a stream that ended is opened again.
	reconnectEvery = time.Second
	// How long a stream that is alive says nothing at the most: heartbeats come every 5 s.
	silence = 20 * time.Second
)

// follower prints the audit as it happens.
type follower struct {
	*tool
	api   *client.Client
	query url.Values
	// id is where the stream goes on: after the last thing that it told.
	id string
}

// followLog prints entries from now on until ctx ends. A stream that breaks off is resumed where it ended.
func (t *tool) followLog(ctx context.Context, api *client.Client, query url.Values) error {
	if t.output == "csv" {
		return usage("--follow prints a table, json or ndjson")
	}
	at, err := api.LogPlace(ctx)
	if err != nil {
		return err
	}
	f := &follower{tool: t, api: api, query: query, id: at.Epoch + "." + strconv.FormatUint(at.Rev, 10)}
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

// stream follows one connection to its end. One that fell silent is dead, although nobody closed it.
func (f *follower) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(errors.New("nothing was heard of the admin")) })
	defer watch.Stop()
	body, err := f.api.Open(ctx, "/events", f.query, http.Header{"Last-Event-Id": {f.id}})
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReader(body)
	var e event
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the admin closed it")
			}
			return errors.Join(context.Cause(ctx), err)
		}
		watch.Reset(silence)
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			e.take(line)
			continue
		}
		if err := f.print(&e); err != nil {
			return err
		}
		if e.id != "" {
			f.id = e.id
		}
		e = event{}
	}
}

// event is one of the stream, as far as it was read.
type event struct{ id, name, data string }

// take reads one of its lines.
func (e *event) take(line string) {
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "id":
		e.id = value
	case "event":
		e.name = value
	case "data":
		e.data = value
	}
}

// print prints the entry that an event tells.
func (f *follower) print(e *event) error {
	switch {
	case e.data == "":
		return nil
	case e.name == "reset":
		_, err := fmt.Fprintf(f.err, "warning: the log does not lead from %s to %s, where this goes on: see waygate log for what is between\n", f.id, e.id)
		return err
	}
	var entry wire.AuditEntry
	if err := json.Unmarshal([]byte(e.data), &entry); err != nil {
		return fmt.Errorf("an event cannot be read: %w", err)
	}
	return f.logLine(&entry)
}
