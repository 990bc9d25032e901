package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

const (
	// How often a subscription is asked for a sign of life.
	pingEvery = 800 * time.Millisecond
	// How long none may come: three of those.
	silenceLimit = 3 * pingEvery
)

// seededMessage is published instead of a frame when the store is seeded.
const seededMessage = "seeded"

var errSeeded = errors.New("the store was seeded anew")

// Watch implements state.Source by a subscription with a receive loop of our own. A subscription of go-redis that is
// read through its channel neither notices a peer that is gone without a word nor keeps messages while nobody reads.
//
// The loop is answered to a PING every 0.8 s; when 2.4 s passed without a complete message the watch ends, and so it
// does when the server closes the connection, when the store is seeded, and when something is received that is no frame:
// whoever follows catches up and watches again.
func (r *Reader) Watch(ctx context.Context, w state.Watcher) error {
	sub, err := r.subscribe(ctx)
	if err != nil {
		return unavailable(ctx, "watch", err)
	}
	err = r.receive(ctx, sub, w)
	if ctx.Err() != nil {
		return fmt.Errorf("watch: %w", ctx.Err())
	}
	return unavailable(ctx, "watch", err)
}

// subscribe connects and asks for the events; the confirmation comes with the first message.
func (r *Reader) subscribe(ctx context.Context) (*redis.PubSub, error) {
	node, err := within(ctx, quickTimeout, func(ctx context.Context) (*redis.Client, error) {
		if err := r.ready(ctx); err != nil {
			return nil, err
		}
		return r.link.node(ctx, r.keys.meta())
	})
	if err != nil {
		return nil, err
	}
	sub := node.Subscribe(ctx)
	_, err = within(ctx, quickTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, sub.Subscribe(ctx, r.keys.events())
	})
	if err != nil {
		go func() { _ = sub.Close() }() // it may still be dialing, and closing waits for that
		r.link.moved(ctx, err)
		return nil, err
	}
	return sub, nil
}

// receive hands on what comes until the link is lost, silent, or ctx ends.
func (r *Reader) receive(ctx context.Context, sub *redis.PubSub, w state.Watcher) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A read does not look at the context: closing the connection is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer stop()
	defer func() { _ = sub.Close() }() // again is no harm
	// From here on go-redis must not connect again by itself, or frames would be missed without a word.
	connected := new(atomic.Bool)
	connected.Store(true)
	ctx = context.WithValue(ctx, onceKey{}, connected)
	go keepAsking(ctx, sub)

	confirmed := false
	for {
		// One read of a whole message under the long limit, not three under a short one: a deadline in the middle of a
		// message would leave its rest to be read as the next.
		message, err := sub.ReceiveTimeout(ctx, silenceLimit)
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *redis.Subscription:
			if confirmed || m.Kind != "subscribe" {
				return fmt.Errorf("the server ended the subscription (%s)", m.Kind)
			}
			confirmed = true
			w.Subscribed()
		case *redis.Message:
			if err := deliver(m.Payload, w); err != nil {
				return err
			}
		}
	}
}

// deliver hands on one frame.
func deliver(text string, w state.Watcher) error {
	if text == seededMessage {
		return errSeeded
	}
	f, err := state.ParseFrame([]byte(text))
	if err != nil {
		return err
	}
	w.Frame(f)
	return nil
}

// keepAsking asks for a sign of life until ctx ends. That a PING cannot be written shows in the read as well.
func keepAsking(ctx context.Context, sub *redis.PubSub) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ping, cancel := context.WithTimeout(ctx, pingEvery)
			_ = sub.Ping(ping)
			cancel()
		case <-ctx.Done():
			return
		}
	}
}
