package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

const (
	// Up to how many fields a document is read by one HGETALL. The server does nothing else meanwhile: some 6 ms.
	wholeFields = 10_000
	// How many fields one HSCAN is asked for, and how many frames are read at a time.
	scanFields, scanFrames = 4_000, 1_000
	// How often a large document is begun anew because the store was seeded, or went back, while it was read.
	scanTries = 3
)

// Load implements state.Source.
//
// A document of the usual size is read by one transaction. A large one is read in portions, so that the server has time
// for others: whatever changed meanwhile is in the log, and putting that on top makes the portions one document, exactly
// the one at the last revision that was put on top.
func (r *Reader) Load(ctx context.Context) (*state.Document, error) {
	return ask(ctx, r, bulkTimeout, "load the document", func(ctx context.Context, node *redis.Client) (*state.Document, error) {
		size, err := node.HLen(ctx, r.keys.state()).Result()
		if err != nil {
			return nil, err
		}
		if size <= r.whole {
			return r.loadWhole(ctx, node)
		}
		for try := 1; ; try++ {
			doc, err := r.loadPortions(ctx, node)
			if !errors.Is(err, state.ErrGap) || try == scanTries {
				return doc, err
			}
		}
	})
}

// stand is where the store stands, as part of a pipeline.
type stand struct {
	place, stamp, secret *redis.SliceCmd
}

// ask adds the commands.
func (st *stand) ask(ctx context.Context, r *Reader, pipe redis.Pipeliner) {
	st.place = pipe.HMGet(ctx, r.keys.meta(), metaFields...)
	st.stamp = pipe.HMGet(ctx, r.keys.state(), stampEpoch, stampRev)
	if r.secrets {
		st.secret = pipe.HMGet(ctx, r.keys.private(), stampEpoch)
	}
}

// meta reads the answers.
func (st *stand) meta(r *Reader) (state.Meta, error) {
	secret := ""
	if st.secret != nil {
		secret = texts(st.secret.Val())[0]
	}
	return r.placeOf(texts(st.place.Val()), texts(st.stamp.Val()), secret)
}

// loadWhole reads everything by one transaction.
func (r *Reader) loadWhole(ctx context.Context, node *redis.Client) (*state.Document, error) {
	var st stand
	var fields *redis.MapStringStringCmd
	_, err := node.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		st.ask(ctx, r, pipe)
		fields = pipe.HGetAll(ctx, r.keys.state())
		return nil
	})
	if err != nil {
		return nil, err
	}
	meta, err := st.meta(r)
	if err != nil {
		return nil, err
	}
	patch := make(state.Patch, len(fields.Val()))
	for field, value := range fields.Val() {
		put(patch, field, value)
	}
	return state.NewDocument(meta).With(patch, meta)
}

// put adds a stored field, unless it is a stamp.
func put(patch state.Patch, field, value string) {
	if !strings.HasPrefix(field, "@") {
		patch[field] = json.RawMessage(value)
	}
}

// stands reads where the store stands, in one step.
func (r *Reader) stands(ctx context.Context, node *redis.Client) (state.Meta, error) {
	var st stand
	if _, err := node.TxPipelined(ctx, func(pipe redis.Pipeliner) error { st.ask(ctx, r, pipe); return nil }); err != nil {
		return state.Meta{}, err
	}
	return st.meta(r)
}

// loadPortions reads the fields in portions and then what the log says has changed since before the first. It fails with
// state.ErrGap when the store was seeded or went back meanwhile.
func (r *Reader) loadPortions(ctx context.Context, node *redis.Client) (*state.Document, error) {
	meta, err := r.stands(ctx, node)
	if err != nil {
		return nil, err
	}
	patch := state.Patch{}
	for cursor := uint64(0); ; {
		pairs, next, err := node.HScan(ctx, r.keys.state(), cursor, "", r.portion).Result()
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			put(patch, pairs[i], pairs[i+1])
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	if meta, err = r.replay(ctx, node, patch, meta); err != nil {
		return nil, err
	}
	// Had a part of the store been lost meanwhile, the portions would lack it.
	now, err := r.stands(ctx, node)
	if err != nil {
		return nil, err
	}
	if now.Epoch != meta.Epoch {
		return nil, fmt.Errorf("seeded while it was read: %w", state.ErrGap)
	}
	return state.NewDocument(meta).With(patch, meta)
}

// replay puts the frames after a place on top of the fields, up to where the store stands, and gives that place. It fails
// with state.ErrGap when the store does not stand where the place led to: a replica that was behind took over, and what
// was read until then is of two histories.
func (r *Reader) replay(ctx context.Context, node *redis.Client, patch state.Patch, at state.Meta) (state.Meta, error) {
	for {
		frames, last, err := r.frames(ctx, node, at.Epoch, at.Rev, scanFrames)
		if err != nil {
			return at, err
		}
		for _, f := range frames {
			if f.Prev != at.Head {
				return at, fmt.Errorf("frame %d does not follow: %w", f.Rev, state.ErrGap)
			}
			e, err := f.Entry()
			if err != nil {
				return at, err
			}
			// A removal stays in as null: it also removes what a portion still held.
			maps.Copy(patch, e.Patch)
			at.Rev, at.Head = f.Rev, f.Head
		}
		switch {
		case at.Rev > last.rev || at.Rev == last.rev && at.Head.String() != last.head:
			return at, fmt.Errorf("the store went back while it was read: %w", state.ErrGap)
		case at.Rev == last.rev:
			return at, nil
		}
	}
}
