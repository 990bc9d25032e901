// Package redisstore keeps truth in Redis 7.0 or later: one node, Sentinel or Cluster.
//
// A commit is one Lua script on the server. It checks first (is the store whole, does it stand at the base, was this
// id committed before, may we do all of it), then it appends to the log, patches the state and publishes the frame.
// Redis runs scripts one at a time and never undoes one, so everything that can fail is checked before the first write.
//
// The keys live under one hash tag, so that a Cluster keeps them together. The state carries the epoch and the revision
// it belongs to: a store that lost one of its keys counts as empty and is seeded again, and never reads as "all open".
//
// [Open] gives an admin its [Store], [OpenReader] an instance of waygate-authz its [Reader], which needs no right to
// write but its own report. [Reader.Watch] is our own receive loop, which notices a silent peer within 2.4 s.
//
// The package is the only home of go-redis.
package redisstore
