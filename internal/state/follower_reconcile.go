package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// holdKind is why the source is not followed at the moment.
type holdKind int

const (
	holdNothing holdKind = iota
	holdEmpty
	holdForeign
	holdBehind
	holdForked
	holdUnreadable
)

// hold is a state of the source that is not adopted.
type hold struct {
	kind holdKind
	// since is when the source was first seen so, and tried when it was last attempted to read it nonetheless.
	since, tried time.Time
	// at is where the source stands, and why is the error that made it unreadable.
	at  Meta
	why error
}

// alarm says what is wrong, in a sentence that tells what to do. Ours is where we stand.
func (h *hold) alarm(ours Meta) string {
	switch h.kind {
	case holdEmpty:
		return "the store is empty: an admin that has a snapshot seeds it, else run waygate-admin init"
	case holdForeign:
		return fmt.Sprintf("the store holds another history (generation %d, ours is %d): "+
			"point to the right store, or decide with waygate-admin init", h.at.Gen, ours.Gen)
	case holdBehind:
		return fmt.Sprintf("the store went back from revision %d to %d: an admin that is alive repairs it", ours.Rev, h.at.Rev)
	case holdForked:
		return fmt.Sprintf("the store's history is not the one that led to our revision %d: "+
			"an admin that is alive repairs it", ours.Rev)
	case holdUnreadable:
		return fmt.Sprintf("revision %d of the store cannot be read, is it of a newer release? %v", h.at.Rev, h.why)
	default:
		return ""
	}
}

// lost reports whether the source lost or forked our history.
func (h *hold) lost() bool { return h.kind == holdBehind || h.kind == holdForked }

// holdOff keeps what we have. The same hold goes on; another one begins anew.
func (r *following) holdOff(h hold) {
	h.since, h.tried = time.Now(), time.Now()
	if h.kind == r.hold.kind || h.lost() && r.hold.lost() {
		h.since = r.hold.since
	}
	r.hold = h
}

// meta is where we stand.
func (r *following) meta() Meta {
	if cur := r.cache.Load(); cur != nil {
		return cur.doc.Meta
	}
	return Meta{}
}

// reconcile compares where the source stands with where we stand, and acts. Base is where we stood when the pulse was
// asked for: if we moved since, it may be older than what we have, and only the next one can tell what is amiss.
func (r *following) reconcile(p Pulse, base Meta) {
	ours := r.meta()
	if ours.Epoch == "" {
		r.refetch(p.Meta)
		return
	}
	moved := ours != base
	switch is := lineageOf(ours, p.Meta); {
	case is == inStep:
		r.hold = hold{}
		r.inStep()
	case is == ahead && r.hold.kind == holdForked:
		r.giveIn(p)
		r.refetch(p.Meta)
	case is == ahead || is == succeeded:
		r.refetch(p.Meta)
	case moved:
	case is == behind:
		r.holdOff(hold{kind: holdBehind, at: p.Meta})
		r.giveIn(p)
	case is == forked:
		r.holdOff(hold{kind: holdForked, at: p.Meta})
		r.giveIn(p)
	default:
		r.holdOff(hold{kind: holdForeign, at: p.Meta})
	}
}

// giveIn adopts the document of a source that lost or forked our history, once it stood so for adoptAfter and there is
// no admin alive who could repair it.
func (r *following) giveIn(p Pulse) {
	if time.Since(r.hold.since) >= adoptAfter && !p.AdminAlive() {
		r.fetchDocument(true)
	}
}

// refetch reads what leads to a place that may be adopted: the log where it is of our epoch, else the document. What
// could not be read the last time is left alone for a while.
func (r *following) refetch(to Meta) {
	if r.hold.kind == holdUnreadable && r.hold.at == to && time.Since(r.hold.tried) < retryUnreadable {
		return
	}
	cur := r.cache.Load()
	if cur == nil || cur.doc.Epoch != to.Epoch {
		r.fetchDocument(false)
		return
	}
	r.fetchFrames(cur.doc.Meta)
}

// fetchEvent is what came of reading the log or the document.
type fetchEvent struct {
	frames   []Frame
	snapshot *Snapshot
	whole    bool // the document was asked for
	give     bool // it is adopted even if it takes us back
	err      error
}

func (r *following) fetchFrames(after Meta) {
	r.fetch(framesDeadline, func(ctx context.Context) (e fetchEvent) {
		e.frames, e.err = r.source.Frames(ctx, after.Epoch, after.Rev, catchUpBatch)
		return e
	})
}

// fetchDocument reads and compiles the whole document. Give says that it is adopted even if it takes us back.
func (r *following) fetchDocument(give bool) {
	r.fetch(loadDeadline, func(ctx context.Context) fetchEvent {
		e := fetchEvent{whole: true, give: give}
		doc, err := r.source.Load(ctx)
		switch {
		case err != nil:
		case r.cache.Load() == nil:
			e.snapshot, err = Compile(doc) // nobody is answered before
		default:
			e.snapshot, err = CompileBeside(doc)
		}
		e.err = err
		return e
	})
}

func (r *following) fetch(deadline time.Duration, read func(context.Context) fetchEvent) {
	if r.fetching {
		r.missed = true
		return
	}
	r.fetching = true
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, deadline)
		defer cancel()
		send(r.ctx, r.fetched, read(ctx))
	})
}

// onFetched uses what was read. Whatever was missed meanwhile is looked for afterwards.
func (r *following) onFetched(e fetchEvent) {
	r.fetching = false
	switch {
	case !e.whole && (errors.Is(e.err, ErrGap) || isUnreadable(e.err)):
		r.fetchDocument(false)
	case errors.Is(e.err, ErrEmpty):
		r.holdOff(hold{kind: holdEmpty})
	case isUnreadable(e.err):
		r.holdOff(hold{kind: holdUnreadable, at: r.seen, why: e.err})
	case e.err != nil:
		r.trouble(e.err)
	case e.whole:
		r.onDocument(e)
	default:
		r.onLog(e.frames)
	}
	if r.missed && !r.fetching {
		r.missed = false
		r.kick()
	}
}

// isUnreadable reports whether an error is about what was read and not about reading it.
func isUnreadable(err error) bool {
	var invalid *InvalidError
	return errors.Is(err, ErrDamaged) || errors.As(err, &invalid)
}

// onDocument adopts a document that was read as a whole, if it may be.
func (r *following) onDocument(e fetchEvent) {
	cur := r.cache.Load()
	if cur == nil {
		r.adopt(e.snapshot, nil)
		return
	}
	switch lineageOf(cur.doc.Meta, e.snapshot.doc.Meta) {
	case ahead, succeeded:
		r.adopt(e.snapshot, nil)
	case behind, forked:
		if e.give {
			r.adopt(e.snapshot, nil)
		}
	case foreign:
		r.holdOff(hold{kind: holdForeign, at: e.snapshot.doc.Meta})
	case inStep:
	}
}

// onLog applies frames that were read from the log. Some of them may have come by the subscription meanwhile.
func (r *following) onLog(frames []Frame) {
	cur := r.cache.Load()
	full := len(frames) == catchUpBatch
	for len(frames) > 0 && frames[0].Rev <= cur.doc.Rev {
		frames = frames[1:]
	}
	if len(frames) == 0 {
		return
	}
	if !extends(cur.doc.Meta, &frames[0]) {
		if frames[0].Epoch == cur.doc.Epoch && frames[0].Rev == cur.doc.Rev+1 {
			r.holdOff(hold{kind: holdForked, at: Meta{Epoch: frames[0].Epoch, Rev: frames[0].Rev}})
			return
		}
		r.fetchDocument(false)
		return
	}
	r.apply(cur, frames)
	if full {
		r.kick()
	}
}
