package state

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Link is the state of a follower's connection to its source.
type Link string

// The states of a link.
const (
	// LinkConnected means that the subscription is confirmed and the source shows signs of life.
	LinkConnected Link = "connected"
	// LinkReconnecting means that the source cannot be reached, or not yet.
	LinkReconnecting Link = "reconnecting"
	// LinkHolding means that the source is there and does not hold what can be adopted: see the alarm.
	LinkHolding Link = "holding"
)

// FollowStatus is where a follower stands.
type FollowStatus struct {
	// Meta is that of the current snapshot; the zero Meta before the first.
	Meta
	Link Link
	// Alarm says what is wrong with the source while the link is holding.
	Alarm string
	// LastContact is when the source last gave a sign of life, and LastInStep when it last confirmed, or extended, the
	// snapshot that is current: the age of what is enforced. Both are zero before the first time.
	LastContact, LastInStep time.Time
	// Trouble is the last thing that went wrong with the link; empty once it is connected again.
	Trouble string
	// Clock is how the local clock compares with the source's.
	Clock ClockStatus
	// Horizon is up to when the occurrences of all windows that recur are known, and HorizonAlarm says that this is too
	// near; zero and empty where none recurs.
	Horizon      time.Time
	HorizonAlarm string
}

// Alarms are the alarms about the source, the clock and the horizon, as one text; empty when there is none.
func (s *FollowStatus) Alarms() string {
	all := slices.DeleteFunc([]string{s.Alarm, s.Clock.Alarm, s.HorizonAlarm}, func(text string) bool { return text == "" })
	return strings.Join(all, "; ")
}

// Status tells where the follower stands.
func (f *Follower) Status() FollowStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.status
	now.Clock = f.opt.Clock.Status()
	if snap := f.cache.Load(); snap != nil {
		if f.horizon.of != snap {
			f.horizon.of, f.horizon.at = snap, snap.doc.Horizon()
		}
		now.Horizon, now.HorizonAlarm = f.horizon.at, horizonAlarm(f.horizon.at, f.opt.Clock.Now())
	}
	return now
}

// Ready is closed with the first snapshot.
func (f *Follower) Ready() <-chan struct{} { return f.ready }

// Wait returns nil once revision rev of epoch, or a later one of it, is applied. ErrGap says that the follower went on
// to another epoch and never will; the error of ctx says that it did not happen in time.
func (f *Follower) Wait(ctx context.Context, epoch string, rev uint64) error {
	met := false
	for {
		f.mu.Lock()
		at, applied := f.status.Meta, f.applied
		f.mu.Unlock()
		switch {
		case at.Epoch == epoch && at.Rev >= rev:
			return nil
		case at.Epoch == epoch:
			met = true
		case met:
			return fmt.Errorf("wait for revision %d: the store has a new epoch: %w", rev, ErrGap)
		}
		select {
		case <-applied:
		case <-ctx.Done():
			return fmt.Errorf("wait for revision %d, at %d: %w", rev, at.Rev, ctx.Err())
		}
	}
}

// swap makes a snapshot current and wakes those who wait for it.
func (f *Follower) swap(s *Snapshot) {
	f.cache.Store(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Meta = s.doc.Meta
	close(f.applied)
	f.applied = make(chan struct{})
	select {
	case <-f.ready:
	default:
		close(f.ready)
	}
}

// contact notes a sign of life of the source.
func (r *following) contact() {
	r.silence.Reset(silenceAfter)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.LastContact = time.Now()
}

// inStep notes that the source stands where we stand.
func (r *following) inStep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.LastInStep = time.Now()
}

// trouble notes what went wrong.
func (r *following) trouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Trouble = err.Error()
}

// publish brings the status up to date and tells of a change of link or alarm.
func (r *following) publish() {
	r.mu.Lock()
	before := r.status
	switch {
	case r.hold.kind != holdNothing:
		r.status.Link = LinkHolding
	case r.link.up && r.status.Epoch != "":
		r.status.Link, r.status.Trouble = LinkConnected, ""
	default:
		r.status.Link = LinkReconnecting
	}
	r.status.Alarm = r.hold.alarm(r.status.Meta)
	now := r.status
	r.mu.Unlock()
	now.Clock = r.opt.Clock.Status()
	if r.opt.OnState != nil && (now.Link != before.Link || now.Alarm != before.Alarm) {
		r.opt.OnState(now)
	}
}
