package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/crash"
	"github.com/waygate/waygate/internal/state"
)

// syncTimeout is how long the server may take until its file is synced; with appendfsync everysec that is a second.
const syncTimeout = 3 * time.Second

// call is one run of a script that changes something.
type call struct {
	script *redis.Script
	keys   []string
	args   []any
	once   *once
}

// answer is what a script said and what is known about it.
type answer struct {
	said string
	more []string
	// lost says that an earlier sending of the same call got no answer.
	lost bool
	// waited says that WAITAOF was asked, and synced that it confirmed.
	waited, synced bool
}

// rest is the nth element after what was said, empty if there is none.
func (a answer) rest(n int) string {
	if n >= len(a.more) {
		return ""
	}
	return a.more[n]
}

// once is the argument of a script that marks one change: its nonce, by which the script knows a change it made
// already. Its bytes are asked for at the moment the command is written to a connection, so it also knows what no error
// of a network tells: whether anything was sent.
type once struct {
	nonce string

	mu sync.Mutex
	// sent: a sending is under way. lost: one ended without an answer. over: nobody waits any more.
	sent, lost, over bool
}

var errNobodyWaits = errors.New("nobody waits for the answer")

func newOnce() *once { return &once{nonce: rand.Text()} }

// MarshalBinary implements encoding.BinaryMarshaler.
func (o *once) MarshalBinary() ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return nil, errNobodyWaits
	}
	o.sent = true
	return []byte(o.nonce), nil
}

// ended notes how a sending ended.
func (o *once) ended(answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = o.lost || o.sent && !answered
	o.sent = false
}

// giveUp prevents every further sending and reports whether an answer is missing.
func (o *once) giveUp() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	return o.lost || o.sent
}

// wasLost reports whether an answer is missing.
func (o *once) wasLost() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// send runs a script that changes something. It sends again only over a connection that broke, which is safe because of
// the nonce. An error is state.ErrUnknownOutcome when an answer is missing, otherwise nothing has happened.
func (s *Store) send(ctx context.Context, doing string, limit time.Duration, c call) (answer, error) {
	if s.keep.Load().wait {
		limit += syncTimeout
	}
	a, err := within(ctx, limit, func(ctx context.Context) (answer, error) {
		if err := s.ready(ctx); err != nil {
			return answer{}, err
		}
		return onNode(ctx, s.link, s.keys.meta(), func(ctx context.Context, node *redis.Client) (answer, error) {
			crash.Point("redis before")
			a, err := s.run(ctx, node, c)
			crash.Point("redis answered")
			c.once.ended(err == nil || word(err) != "")
			return a, err
		})
	})
	if err == nil {
		a.lost = c.once.wasLost()
		return a, nil
	}
	if !c.once.giveUp() {
		return a, unavailable(ctx, doing, err)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return a, fmt.Errorf("%s: the answer was lost: %w: %w", doing, state.ErrUnknownOutcome, err)
}

// run sends the script and, where the server has it, WAITAOF behind it on the same connection: it waits for the writes
// of its own connection only.
func (s *Store) run(ctx context.Context, node *redis.Client, c call) (answer, error) {
	keep := *s.keep.Load()
	reply, sync, err := piped(ctx, node, c, keep.wait, false)
	if word(err) == "NOSCRIPT" {
		reply, sync, err = piped(ctx, node, c, keep.wait, true)
	}
	if err != nil {
		return answer{}, err
	}
	a, err := answerOf(reply)
	if err != nil || !keep.wait {
		return a, err
	}
	if err := sync.Err(); word(err) != "" {
		weaker := keep.without(err)
		s.keep.Store(&weaker)
		return a, nil
	}
	a.waited, a.synced = true, sync.Err() == nil && synced(sync.Val())
	return a, nil
}

// piped sends one script, by its hash or in full, and WAITAOF if asked to. The error is that of the script.
func piped(ctx context.Context, node *redis.Client, c call, wait, full bool) (reply any, sync *redis.Cmd, err error) {
	var script *redis.Cmd
	_, _ = node.Pipelined(ctx, func(pipe redis.Pipeliner) error { // each command has its own error
		if full {
			script = c.script.Eval(ctx, pipe, c.keys, c.args...)
		} else {
			script = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
		}
		if wait {
			sync = pipe.Do(ctx, "WAITAOF", 1, 0, syncTimeout.Milliseconds())
		}
		return nil
	})
	if reply = script.Val(); reply != nil {
		// The reply is there; an error beside it is that of the connection while we waited for WAITAOF.
		return reply, sync, nil
	}
	return nil, sync, script.Err()
}
