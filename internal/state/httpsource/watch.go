package httpsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// silenceLimit is how long the stream may say nothing: three heartbeats of the admin.
const silenceLimit = 2400 * time.Millisecond

var (
	errSilent   = errors.New("the stream is silent")
	errReplaced = errors.New("the admin's document was replaced as a whole")
	errEnded    = errors.New("the admin ended the stream")
)

// Watch implements state.Source. It follows the admin's stream from wherever that stands, and is confirmed by the first
// event, which names the namespace. It ends when the stream does, when no byte came for three heartbeats, when the
// admin's document was replaced by one that no frames lead to, and when something comes that is no frame: whoever
// follows catches up and watches again.
func (s *Source) Watch(ctx context.Context, w state.Watcher) error {
	const doing = "watch"
	link, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	defer context.AfterFunc(s.life, func() { lose(errClosed) })()
	quiet := time.AfterFunc(silenceLimit, func() { lose(errSilent) })
	defer quiet.Stop()
	err := s.receive(link, quiet, w)
	if errors.Is(err, io.EOF) {
		err = errEnded
	}
	if cause := context.Cause(link); cause != nil && ctx.Err() == nil {
		err = cause
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return s.failed(ctx, doing, err)
}

// receive hands on what comes until the link is lost.
func (s *Source) receive(ctx context.Context, quiet *time.Timer, w state.Watcher) error {
	resp, err := s.ask(ctx, "/stream", url.Values{"after": {"now"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "text/event-stream" || resp.Header.Get(namespaceHeader) == "" {
		return notAdmin(resp)
	}
	from := newEvents(&heard{from: resp.Body, quiet: quiet}, maxAnswer)
	if err := s.confirm(from, resp); err != nil {
		return err
	}
	w.Subscribed()
	for {
		e, err := from.next()
		if err != nil {
			return err
		}
		switch e.name {
		case "message":
			f, err := state.ParseFrame(e.data)
			if err != nil {
				return err //nolint:wrapcheck // it says what is damaged
			}
			w.Frame(f)
		case "document":
			return errReplaced
		}
	}
}

// confirm reads the first event.
func (s *Source) confirm(from *events, resp *http.Response) error {
	e, err := from.next()
	if err != nil {
		return err
	}
	var p pulse
	if e.name != "pulse" || json.Unmarshal(e.data, &p) != nil || p.Namespace != s.namespace {
		return notAdmin(resp)
	}
	return nil
}

// heard is a stream that is listened to: the timer runs only while we wait for the next byte, not while what came is
// being worked on.
type heard struct {
	from  io.Reader
	quiet *time.Timer
}

// Read implements io.Reader.
func (h *heard) Read(p []byte) (int, error) {
	h.quiet.Reset(silenceLimit)
	n, err := h.from.Read(p)
	h.quiet.Stop()
	return n, err //nolint:wrapcheck // io.Reader wants io.EOF as it is
}
