package stream

import (
	"context"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// frames is the voice in which machines are told of the log: documents and frames as they are.
type frames struct{ *client }

func (f frames) every() time.Duration { return beatEvery }

func (f frames) frame(ctx context.Context, p *page, n int) error {
	text, err := p.text(n)
	if err != nil {
		return err
	}
	return f.send(ctx, "", place{epoch: p.frames[n].Epoch, rev: p.frames[n].Rev}, text)
}

func (f frames) document(ctx context.Context, doc *state.Document) error {
	t, err := f.shelf.document(doc, f.cfg.Namespace)
	if err != nil {
		return err
	}
	return f.send(ctx, "document", place{epoch: doc.Epoch, rev: doc.Rev}, t.bytes)
}

func (f frames) beat(ctx context.Context) error {
	text, err := f.heartbeat()
	if err != nil {
		return err
	}
	return f.send(ctx, "pulse", place{}, text)
}
