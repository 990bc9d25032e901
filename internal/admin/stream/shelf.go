package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"weak"

	"github.com/waygate/waygate/internal/state"
)

// sharedPage is how many frames a client can be behind and still be served with the others. Clients that keep up all
// ask for the same few frames.
const sharedPage = 16

// text is something encoded, ready to be sent.
type text struct {
	meta  state.Meta
	bytes []byte
}

// page is a run of frames.
type page struct {
	epoch  string
	after  uint64
	frames []state.Frame
	texts  [][]byte // as they are sent; nil where they are encoded one by one
}

// text is the JSON of a frame.
func (p *page) text(i int) ([]byte, error) {
	if p.texts != nil {
		return p.texts[i], nil
	}
	return frameText(&p.frames[i])
}

func frameText(f *state.Frame) ([]byte, error) {
	line, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode frame %d: %w", f.Rev, err)
	}
	return line, nil
}

// shelf has what several clients are sent at the same time read and encoded once. It holds on to nothing: what is on
// it lives for as long as somebody is being sent it.
type shelf struct {
	writing sync.Mutex
	whole   weak.Pointer[text]
	reading sync.Mutex
	latest  weak.Pointer[page]
}

// documentBody is a document on the wire.
type documentBody struct {
	Namespace string      `json:"namespace"`
	Meta      state.Meta  `json:"meta"`
	Fields    state.Patch `json:"fields"`
}

// document encodes a document.
func (s *shelf) document(doc *state.Document, namespace string) (*text, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if t := s.whole.Value(); t != nil && t.meta == doc.Meta {
		return t, nil
	}
	fields, err := doc.Fields()
	if err != nil {
		return nil, fmt.Errorf("encode the document: %w", err)
	}
	line, err := json.Marshal(documentBody{Namespace: namespace, Meta: doc.Meta, Fields: fields})
	if err != nil {
		return nil, fmt.Errorf("encode the document: %w", err)
	}
	t := &text{meta: doc.Meta, bytes: line}
	s.whole = weak.Make(t)
	return t, nil
}

// page reads the frames after a place, up to a revision or fewer of them.
func (s *shelf) page(ctx context.Context, source state.Source, at state.Meta, upTo uint64) (*page, error) {
	if upTo-at.Rev > sharedPage {
		return readPage(ctx, source, at, min(logBatch, int(upTo-at.Rev)))
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	p := s.latest.Value()
	if p != nil && p.epoch == at.Epoch && p.after == at.Rev && p.frames[len(p.frames)-1].Rev == upTo {
		return p, nil
	}
	p, err := readPage(ctx, source, at, int(upTo-at.Rev))
	if err != nil || len(p.frames) == 0 {
		return p, err
	}
	texts := make([][]byte, len(p.frames))
	for i := range p.frames {
		if texts[i], err = frameText(&p.frames[i]); err != nil {
			return nil, err
		}
	}
	p.texts = texts
	s.latest = weak.Make(p)
	return p, nil
}

func readPage(ctx context.Context, source state.Source, at state.Meta, limit int) (*page, error) {
	read, err := source.Frames(ctx, at.Epoch, at.Rev, limit)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was read
	}
	return &page{epoch: at.Epoch, after: at.Rev, frames: read}, nil
}
