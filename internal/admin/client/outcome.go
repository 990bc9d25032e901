package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/waygate/waygate/internal/admin/wire"
)

// outcome tells what is known of a call that had no answer of an admin.
type outcome struct {
	base    string
	changes bool // the call may change something
	sent    atomic.Bool
}

// watch notes in sent when there is a connection to send the call on. What fails before, a handshake or a proxy too,
// reached no admin.
func (o *outcome) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { o.sent.Store(true) }})
}

// lost is the error of a call whose answer is missing, or is none of an admin.
func (o *outcome) lost(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		err = op.Err
	}
	kind := ErrNoAnswer
	switch {
	case !o.sent.Load():
		kind = ErrUnreachable
	case !o.changes:
		kind = ErrUnread
	}
	return fmt.Errorf("%w at %s: %w", kind, o.base, err)
}

// refusal is the error of an answer with a status that is not success. What a proxy says of a change that it passed on
// (502, 504) tells nothing of what became of it.
func (o *outcome) refusal(resp *http.Response, text []byte) error {
	r := &Refusal{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After")}
	foreign := json.Unmarshal(text, &r.Problem) != nil || r.Message == ""
	if foreign {
		r.Message = fmt.Sprintf("%s answered %s, not as a Waygate admin does", resp.Request.URL.Redacted(), resp.Status)
	}
	if r.Type == wire.ProblemOutcome || foreign && o.changes && r.Status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: %w", ErrNoAnswer, r)
	}
	return r
}
