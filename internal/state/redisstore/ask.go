package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long a call may take, whatever its context allows.
const (
	// A few bytes: pulse, beat, report.
	quickTimeout = 2 * time.Second
	// A commit, until the script has answered.
	commitTimeout = 3 * time.Second
	// What grows with the document: load, frames, private part.
	bulkTimeout = time.Minute
)

// ask lets do read from the server, or write what may be written twice. A connection that the server closed while it
// was idle is replaced by another one; every other error is final.
func ask[T any](ctx context.Context, r *Reader, limit time.Duration, doing string, do func(context.Context, *redis.Client) (T, error)) (T, error) {
	answer, err := within(ctx, limit, func(ctx context.Context) (T, error) {
		if err := r.ready(ctx); err != nil {
			var none T
			return none, err
		}
		return onNode(ctx, r.link, r.keys.meta(), do)
	})
	if err != nil {
		return answer, unavailable(ctx, doing, err)
	}
	return answer, nil
}

// onNode runs do on the server that holds a key, over at most one connection more than are kept idle.
func onNode[T any](ctx context.Context, link dialed, key string, do func(context.Context, *redis.Client) (T, error)) (T, error) {
	for try := 0; ; try++ {
		var answer T
		node, err := link.node(ctx, key)
		if err == nil {
			answer, err = do(ctx, node)
		}
		link.moved(ctx, err)
		if err == nil || !broken(err) || try > idleConns {
			return answer, err
		}
	}
}

// within runs do with a deadline and returns when ctx ends, even while do still waits: go-redis looks at deadlines only,
// and a caller that is stopping must not wait for a server that is silent. Do ends with the deadline.
func within[T any](ctx context.Context, limit time.Duration, do func(context.Context) (T, error)) (T, error) {
	type outcome struct {
		answer T
		err    error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	done := make(chan outcome, 1)
	go func() {
		defer cancel()
		answer, err := do(ctx)
		done <- outcome{answer, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-done:
		return o.answer, o.err
	default:
		return none, ctx.Err()
	}
}
