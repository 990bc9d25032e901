package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/waygate/waygate/internal/state"
)

const (
	// Heartbeats come at this pace: a client takes three that are missing for a broken link.
	beatEvery = 800 * time.Millisecond
	// A client has patience, and one second for each slowest bytes, to take an event.
	patience = 5 * time.Second
	slowest  = 256 << 10
	// The farewell is what is left of that once the stream is to end.
	farewell = 200 * time.Millisecond
	// A client whose place is ahead of our view is waited for so long: another admin may have been faster.
	aheadFor = time.Second
	// So many frames are read from the log at a time.
	logBatch = 100
	readFor  = 5 * time.Second
)

// timeFor is how long a client may take to read n bytes.
func timeFor(n int) time.Duration {
	return patience + time.Duration(n)*time.Second/slowest
}

// client is one that follows the log.
type client struct {
	*Handler
	w       http.ResponseWriter
	control *http.ResponseController
	voice   voice
	// at is the place the client has: the zero Meta where it has none, a zero head where only the revision is known.
	at state.Meta
}

// voice is how a client is told of the log.
type voice interface {
	// frame tells of the nth frame of a page.
	frame(ctx context.Context, p *page, n int) error
	// document tells of a document that no frames lead to.
	document(ctx context.Context, doc *state.Document) error
	// beat tells that the link is alive, and every how often that is done.
	beat(ctx context.Context) error
	every() time.Duration
}

// follow sends the response's head and a heartbeat at once, then the client what it misses, from the place it asked
// for, and each frame after that.
func (c *client) follow(ctx context.Context, asked place) error {
	if asked.now {
		c.at = c.view()
	}
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	if err := c.control.Flush(); err != nil {
		return fmt.Errorf("send the head: %w", err)
	}
	if !asked.now {
		c.resume(ctx, asked)
	}
	for ctx.Err() == nil {
		if err := c.voice.beat(ctx); err != nil {
			return err
		}
		if err := c.until(ctx, time.Now().Add(c.voice.every())); err != nil {
			return err
		}
	}
	return nil
}

// hurry bounds what is being sent when ctx ends. The caller calls what it gives when it sends nothing more.
func hurry(ctx context.Context, control *http.ResponseController) (stop func()) {
	hurried := make(chan struct{})
	spare := context.AfterFunc(ctx, func() {
		_ = control.SetWriteDeadline(time.Now().Add(farewell)) // it could be set before
		close(hurried)
	})
	return func() {
		if !spare() {
			<-hurried
		}
	}
}

// view is where this admin's own view stands, the zero Meta before the first document.
func (c *client) view() state.Meta {
	if snap := c.cfg.Cache.Load(); snap != nil {
		return snap.Document().Meta
	}
	return state.Meta{}
}

// resume takes the client's word for where it is, if our log can go on from there.
func (c *client) resume(ctx context.Context, asked place) {
	is := c.view()
	if asked.epoch == "" || asked.epoch != is.Epoch {
		return
	}
	if asked.rev > is.Rev {
		soon, cancel := context.WithTimeout(ctx, aheadFor)
		defer cancel()
		if c.cfg.Follower.Wait(soon, asked.epoch, asked.rev) != nil {
			return
		}
	}
	c.at = state.Meta{Epoch: asked.epoch, Rev: asked.rev}
}

// until sends whatever this admin's view gets to know before the next heartbeat is due.
func (c *client) until(ctx context.Context, due time.Time) error {
	soon, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	for soon.Err() == nil {
		if err := c.catchUp(ctx); err != nil {
			return err
		}
		// An error is the heartbeat, the end, or another epoch: the next look tells.
		_ = c.cfg.Follower.Wait(soon, c.at.Epoch, c.at.Rev+1)
	}
	return nil
}

// catchUp sends what lies between the client's place and this admin's view.
func (c *client) catchUp(ctx context.Context) error {
	to := c.view()
	sameHead := c.at.Head == to.Head || c.at.Head == (state.Head{})
	switch {
	case to.Epoch == "":
		return nil
	case to.Epoch != c.at.Epoch || to.Rev < c.at.Rev || to.Rev == c.at.Rev && !sameHead:
		return c.sendDocument(ctx)
	case to.Rev == c.at.Rev:
		c.at = to
		return nil
	}
	for c.at.Rev < to.Rev {
		p, err := c.read(to)
		if errors.Is(err, state.ErrGap) {
			return c.sendDocument(ctx)
		}
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if err := c.sendPage(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// read reads on in the log, at most to a place; state.ErrGap when the log does not go on from where the client is.
func (c *client) read(to state.Meta) (*page, error) {
	ctx, cancel := context.WithTimeout(c.life, readFor)
	defer cancel()
	p, err := c.shelf.page(ctx, c.cfg.Source, c.at, to.Rev)
	if err != nil {
		return nil, err
	}
	if len(p.frames) == 0 || c.at.Head != (state.Head{}) && p.frames[0].Prev != c.at.Head {
		return nil, state.ErrGap
	}
	return p, nil
}

func (c *client) sendPage(ctx context.Context, p *page) error {
	for i := range p.frames {
		if err := c.voice.frame(ctx, p, i); err != nil {
			return err
		}
		f := &p.frames[i]
		c.at = state.Meta{Epoch: f.Epoch, Rev: f.Rev, Head: f.Head}
	}
	return nil
}

func (c *client) sendDocument(ctx context.Context) error {
	doc := c.cfg.Cache.Load().Document()
	if err := c.voice.document(ctx, doc); err != nil {
		return err
	}
	c.at = doc.Meta
	return nil
}

// send sends one event.
func (c *client) send(ctx context.Context, name string, at place, line []byte) error {
	head := make([]byte, 0, 96)
	if name != "" {
		head = append(append(append(head, "event: "...), name...), '\n')
	}
	if at.epoch != "" {
		head = append(append(append(head, "id: "...), at.String()...), '\n')
	}
	head = append(head, "data: "...)
	return c.put(ctx, head, line, []byte("\n\n"))
}

// put sends the parts of one event, whole or not at all as far as the client is concerned. The deadline is lifted
// afterwards: over HTTP/2 it would end the stream although nothing is being written.
func (c *client) put(ctx context.Context, parts ...[]byte) error {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	deadline := time.Now().Add(timeFor(size))
	if err := c.control.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("bound an event: %w", err)
	}
	if ctx.Err() != nil { // what hurries us may have come before the deadline was set
		return ctx.Err()
	}
	for _, part := range parts {
		if _, err := c.w.Write(part); err != nil {
			return lost(err, deadline)
		}
	}
	if err := c.control.Flush(); err != nil {
		return lost(err, deadline)
	}
	return c.control.SetWriteDeadline(time.Time{})
}

// Why events do not get through: the client went away by itself, or was cut.
var (
	errGone = errors.New("the client is gone")
	errSlow = errors.New("the client did not keep up and was cut")
)

func lost(err error, deadline time.Time) error {
	if time.Now().Before(deadline) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return fmt.Errorf("%w: %w", errSlow, err)
}
