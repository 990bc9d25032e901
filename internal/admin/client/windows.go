package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/waygate/waygate/internal/admin/wire"
)

func windowPath(id string) string { return "/windows/" + url.PathEscape(id) }

// Windows lists the windows that run or are to come; of one route or switch, or of one service, where those are not
// empty. With ended it lists those too that are over and still known.
func (c *Client) Windows(ctx context.Context, path, service string, ended bool) ([]wire.WindowDetail, error) {
	query := url.Values{}
	if path != "" {
		query.Set("path", path)
	}
	if service != "" {
		query.Set("service", service)
	}
	if ended {
		query.Set("ended", "true")
	}
	return get[[]wire.WindowDetail](ctx, c, "/windows", query)
}

// Window reads one window.
func (c *Client) Window(ctx context.Context, id string) (wire.WindowDetail, error) {
	return get[wire.WindowDetail](ctx, c, windowPath(id), nil)
}

// AddWindow adds a window.
func (c *Client) AddWindow(ctx context.Context, w wire.NewWindow) (wire.ChangedWindow, error) {
	return change[wire.ChangedWindow](ctx, c, http.MethodPost, "/windows", w)
}

// ChangeWindow changes a window: its times, its reason or its ticket.
func (c *Client) ChangeWindow(ctx context.Context, id string, w wire.WindowChange) (wire.ChangedWindow, error) {
	return change[wire.ChangedWindow](ctx, c, http.MethodPatch, windowPath(id), w)
}

// EndWindow ends what runs of a window now.
func (c *Client) EndWindow(ctx context.Context, id, reason string) (wire.ChangedWindow, error) {
	return change[wire.ChangedWindow](ctx, c, http.MethodPost, windowPath(id)+"/end", wire.ReasonBody{Reason: reason})
}

// CancelWindow cancels a window; or, where a start is given, one of its occurrences.
func (c *Client) CancelWindow(ctx context.Context, id string, occurrence time.Time) (wire.ChangedWindow, error) {
	path := windowPath(id)
	if !occurrence.IsZero() {
		path += "?" + url.Values{"occurrence": {occurrence.Format(time.RFC3339Nano)}}.Encode()
	}
	return change[wire.ChangedWindow](ctx, c, http.MethodDelete, path, nil)
}

// Calendar lists the occurrences that have a part between two instants, in the order of their starts.
func (c *Client) Calendar(ctx context.Context, from, to time.Time) ([]wire.CalendarEntry, error) {
	query := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	return get[[]wire.CalendarEntry](ctx, c, "/calendar", query)
}
