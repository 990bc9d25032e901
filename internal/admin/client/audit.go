package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waygate/waygate/internal/admin/wire"
)

// AuditPage lists lines of the audit, newest first, that a query asks for in the API's own words, and gives the cursor
// that asks for what follows; empty at the end. A search may end early: its page is short, or empty, and has a cursor.
func (c *Client) AuditPage(ctx context.Context, query url.Values) (list []wire.AuditEntry, next string, err error) {
	header, err := c.call(ctx, http.MethodGet, "/audit?"+query.Encode(), nil, "", &list)
	return list, header.Get(wire.NextHeader), err
}

// History lists the changes of one route, newest first.
func (c *Client) History(ctx context.Context, key string, limit int, cursor string) (list []wire.RouteChange, next string, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	header, err := c.call(ctx, http.MethodGet, routePath(key)+"/history?"+query.Encode(), nil, "", &list)
	return list, header.Get(wire.NextHeader), err
}

// Restore has a route as it was at a revision.
func (c *Client) Restore(ctx context.Context, key string, body wire.RestoreBody) (wire.Restored, error) {
	return change[wire.Restored](ctx, c, http.MethodPost, routePath(key)+"/restore", body)
}

// TrimAudit removes old entries from the log.
func (c *Client) TrimAudit(ctx context.Context, body wire.TrimBody) (wire.Trimmed, error) {
	return change[wire.Trimmed](ctx, c, http.MethodPost, "/audit/trim", body)
}

// LogPlace is where an admin's store stands, and of which namespace it is.
type LogPlace struct {
	Namespace string `json:"namespace"`
	Epoch     string `json:"epoch"`
	Rev       uint64 `json:"rev"`
	Head      string `json:"head"`
}

// LogPlace asks where the store stands.
func (c *Client) LogPlace(ctx context.Context) (LogPlace, error) {
	return get[LogPlace](ctx, c, "/stream/pulse", nil)
}

// Open begins to read an answer that may be as long as the log, or have no end. It lasts as long as ctx.
func (c *Client) Open(ctx context.Context, path string, query url.Values, header http.Header) (io.ReadCloser, error) {
	o := outcome{base: c.base}
	req, err := http.NewRequestWithContext(o.watch(ctx), http.MethodGet, c.base+"/api"+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	maps.Copy(req.Header, header)
	req.Header.Set("X-Waygate-Platform", "cli")
	if c.token != "" {
		req.Header.Set("X-Waygate-Token", c.token)
	}
	patient := *c.http
	patient.Timeout = 0
	resp, err := patient.Do(req)
	if err != nil {
		return nil, o.lost(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, o.lost(err)
	}
	return nil, o.refusal(resp, text)
}
