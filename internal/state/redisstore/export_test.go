package redisstore

import "github.com/redis/go-redis/v9"

// LoadInPortions makes every document a large one, read a few fields at a time.
func (r *Reader) LoadInPortions(fields int64) { r.whole, r.portion = -1, fields }

// Hook lets a test look at each command.
func (r *Reader) Hook(h redis.Hook) { r.link.client.AddHook(h) }
