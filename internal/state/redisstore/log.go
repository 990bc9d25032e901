package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// LogTo hands what go-redis itself has to say, failed dials mostly, to write, for all stores of the process. Without it
// that goes to standard error. Call it before the first Open.
func LogTo(write func(message string)) { redis.SetLogger(logger(write)) }

// logger is the shape that go-redis asks for.
type logger func(message string)

// Printf implements the logger of go-redis.
func (l logger) Printf(_ context.Context, format string, v ...any) { l(fmt.Sprintf(format, v...)) }
