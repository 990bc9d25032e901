package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// metaFields are the fields of meta that [placeOf] reads, in its order.
var metaFields = []string{"epoch", "gen", "rev", "head"}

// Pulse implements state.Source by one script on two or three keys.
func (r *Reader) Pulse(ctx context.Context) (state.Pulse, error) {
	return ask(ctx, r, quickTimeout, "read where the store stands", func(ctx context.Context, node *redis.Client) (state.Pulse, error) {
		keys := []string{r.keys.meta(), r.keys.state()}
		if r.secrets {
			keys = append(keys, r.keys.private())
		}
		reply, err := pulseScript.RunRO(ctx, node, keys).Slice()
		if err != nil {
			return state.Pulse{}, err
		}
		return r.pulseOf(reply)
	})
}

// pulseOf reads the reply of [pulseScript].
func (r *Reader) pulseOf(reply []any) (state.Pulse, error) {
	if len(reply) != 4 {
		return state.Pulse{}, fmt.Errorf("pulse of %d parts: %w", len(reply), state.ErrDamaged)
	}
	clock, place, stamp := texts(reply[0]), texts(reply[1]), texts(reply[2])
	if len(clock) != 2 || len(place) != 5 {
		return state.Pulse{}, fmt.Errorf("pulse: %w", state.ErrDamaged)
	}
	secret, _ := reply[3].(string)
	meta, err := r.placeOf(place[:4], stamp, secret)
	if err != nil {
		return state.Pulse{}, err
	}
	p := state.Pulse{Meta: meta}
	seconds, err1 := strconv.ParseInt(clock[0], 10, 64)
	micros, err2 := strconv.ParseInt(clock[1], 10, 64)
	if err1 != nil || err2 != nil {
		return state.Pulse{}, fmt.Errorf("the server's clock: %w", state.ErrDamaged)
	}
	p.Now = time.Unix(seconds, micros*1000)
	if beat, err := strconv.ParseInt(place[4], 10, 64); err == nil {
		p.Beat = time.UnixMilli(beat)
	}
	return p, nil
}

// placeOf reads where the store stands, or finds that it holds nothing. A store that lost one of its keys, so that they
// no longer carry the same stamp, holds nothing either: half a document would be one that blocks less.
func (r *Reader) placeOf(place, stamp []string, secret string) (state.Meta, error) {
	if place[0] == "" {
		return state.Meta{}, state.ErrEmpty
	}
	if len(stamp) != 2 || stamp[0] != place[0] || stamp[1] != place[2] || r.secrets && secret != place[0] {
		return state.Meta{}, fmt.Errorf("a part of the store is gone: %w", state.ErrEmpty)
	}
	m := state.Meta{Epoch: place[0]}
	var err1, err2 error
	m.Gen, err1 = strconv.ParseUint(place[1], 10, 64)
	m.Rev, err2 = strconv.ParseUint(place[2], 10, 64)
	if err := m.Head.UnmarshalText([]byte(place[3])); err != nil || err1 != nil || err2 != nil {
		return state.Meta{}, fmt.Errorf("the store's place %q: %w", place, state.ErrDamaged)
	}
	return m, nil
}

// Frames implements state.Source.
func (r *Reader) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	return ask(ctx, r, bulkTimeout, "read the log", func(ctx context.Context, node *redis.Client) ([]state.Frame, error) {
		frames, _, err := r.frames(ctx, node, epoch, after, limit)
		return frames, err
	})
}

// end is where the log ends: what meta says at the moment the log was read.
type end struct {
	rev  uint64
	head string
}

// frames reads frames, and where the log ends at that moment.
func (r *Reader) frames(ctx context.Context, node *redis.Client, epoch string, after uint64, limit int) ([]state.Frame, end, error) {
	if after == math.MaxUint64 || limit <= 0 {
		return []state.Frame{}, end{}, nil
	}
	first := strconv.FormatUint(after+1, 10) + "-0"
	// A transaction and not a script: a script would turn each entry into values of its language and back.
	var place *redis.SliceCmd
	var log *redis.Cmd
	_, err := node.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		place = pipe.HMGet(ctx, r.keys.meta(), "epoch", "rev", "head")
		log = pipe.Do(ctx, "XRANGE", r.keys.log(), first, "+", "COUNT", limit)
		return nil
	})
	if err != nil {
		return nil, end{}, err
	}
	at := texts(place.Val())
	switch {
	case at[0] == "":
		return nil, end{}, state.ErrEmpty
	case at[0] != epoch:
		return nil, end{}, fmt.Errorf("epoch %s: %w", epoch, state.ErrGap)
	}
	rev, err := strconv.ParseUint(at[1], 10, 64)
	if err != nil {
		return nil, end{}, fmt.Errorf("revision of the store: %w", state.ErrDamaged)
	}
	entries, err := log.Slice()
	if err != nil {
		return nil, end{}, err
	}
	frames, err := framesOf(entries, epoch, after)
	if err == nil && len(frames) == 0 && after < rev {
		err = fmt.Errorf("the log after %d is gone: %w", after, state.ErrGap)
	}
	return frames, end{rev, at[2]}, err
}

// framesOf reads the entries after a revision.
func framesOf(entries []any, epoch string, after uint64) ([]state.Frame, error) {
	frames := make([]state.Frame, 0, len(entries))
	for i, entry := range entries {
		f, err := frameOf(entry)
		if err != nil {
			return nil, err
		}
		if f.Rev != after+uint64(i)+1 {
			return nil, fmt.Errorf("after %d the log goes on with %d: %w", after, f.Rev, state.ErrGap)
		}
		f.Epoch = epoch
		if err := f.Verify(); err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// frameOf reads one entry of the log: its id and a list of names and values.
func frameOf(entry any) (state.Frame, error) {
	var f state.Frame
	pair, _ := entry.([]any)
	if len(pair) != 2 {
		return f, fmt.Errorf("log entry %v: %w", entry, state.ErrDamaged)
	}
	id, _ := pair[0].(string)
	number, sub, _ := strings.Cut(id, "-")
	var err error
	if f.Rev, err = strconv.ParseUint(number, 10, 64); err != nil || sub != "0" {
		return f, fmt.Errorf("log entry %q: %w", id, state.ErrDamaged)
	}
	fields := texts(pair[1])
	for i := 0; i+1 < len(fields); i += 2 {
		switch value := fields[i+1]; fields[i] {
		case "head":
			err = f.Head.UnmarshalText([]byte(value))
		case "prev":
			err = f.Prev.UnmarshalText([]byte(value))
		case "payload":
			f.Payload = json.RawMessage(value)
		}
		if err != nil {
			return f, fmt.Errorf("log entry %q: %w", id, err)
		}
	}
	return f, nil
}

// texts is a reply that is a list of strings; what is missing is empty.
func texts(reply any) []string {
	list, _ := reply.([]any)
	out := make([]string, len(list))
	for i, v := range list {
		out[i], _ = v.(string)
	}
	return out
}
