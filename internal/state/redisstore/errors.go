package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// ErrRefused is a Redis that answers but must not be used as it is. The message holds what to change. Waiting does not
// help.
var ErrRefused = errors.New("this Redis cannot be used")

// refused is an ErrRefused, and for whoever called meanwhile the store is not available.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w (%w): %s", ErrRefused, state.ErrUnavailable, fmt.Sprintf(format, args...))
}

// meanings tells what the error replies mean that Redis gives instead of running a command, by their first word.
// None of them changes anything.
var meanings = map[string]string{
	"LOADING":     "Redis is still loading its data",
	"READONLY":    "this Redis is a replica: let the URL name its primary, or use redis+sentinel://",
	"OOM":         "Redis is out of memory: raise its maxmemory",
	"MISCONF":     "Redis cannot write to its disk: its own log says why",
	"NOREPLICAS":  "Redis has fewer replicas than its min-replicas-to-write asks for",
	"NOPERM":      "the ACL of our Redis user is too narrow",
	"NOAUTH":      "Redis asks for a password: redis://user:password@host",
	"WRONGPASS":   "Redis does not accept this user and password",
	"CLUSTERDOWN": "the Redis Cluster has no majority",
	"TRYAGAIN":    "the Redis Cluster is moving our keys",
	"MOVED":       "the Redis Cluster has moved our keys",
	"ASK":         "the Redis Cluster is moving our keys",
	"MASTERDOWN":  "the replica has lost its primary",
	"BUSY":        "Redis is busy with a script",
	"NOSCRIPT":    "Redis has lost our script",
}

// word is the first word of an error reply, empty for what is no error reply.
func word(err error) string {
	reply, ok := errors.AsType[redis.Error](err)
	if !ok || errors.Is(err, redis.Nil) {
		return ""
	}
	first, _, _ := strings.Cut(reply.Error(), " ")
	return first
}

// unavailable says that nothing was read or changed while doing something, and why. Ctx is the caller's: one that gave
// up gets the error of its context.
func unavailable(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	if known(err) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	first := word(err)
	switch {
	case first == "WRONGTYPE":
		return fmt.Errorf("%s: somebody else uses our keys: %w: %w", doing, state.ErrDamaged, err)
	case meanings[first] != "":
		return fmt.Errorf("%s: %s: %w: %w", doing, meanings[first], state.ErrUnavailable, err)
	case isTimeout(err):
		return fmt.Errorf("%s: Redis does not answer: %w: %w", doing, state.ErrUnavailable, err)
	default:
		return fmt.Errorf("%s: %w: %w", doing, state.ErrUnavailable, err)
	}
}

// known reports whether an error says already what it is.
func known(err error) bool {
	for _, sentinel := range []error{state.ErrUnavailable, state.ErrEmpty, state.ErrDamaged, state.ErrGap, state.ErrNotFound, state.ErrConflict} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// isTimeout reports whether a deadline passed.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// broken reports whether the other side closed the connection, as a server that was restarted did with every idle one.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
