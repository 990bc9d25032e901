// Package statetest holds the contract that every store is held to, and what tests of other packages build on.
//
// [Run] drives a state.Backend through everything the interfaces promise: commits are compare-and-set and idempotent,
// the log is an unbroken hash chain, the document is read in one atomic step, a watcher misses and doubles nothing,
// what is secret stays out of the log, exactly one of several seeds wins, concurrent committers lose nothing, and all
// of it is linearizable. [RunSource] holds a state.Source that reads another store from afar to the reading half.
//
// [Seeded], [Commit], [Block] and [Document] build what tests need. [Flaky] is a real store that fails on demand:
// cut, silent, deaf, with lost answers, or exchanged for another one.
package statetest
