package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/waygate/waygate/internal/admin/client"
)

const (
	// A window that is longer than longWindow is warned of so long before its end.
	longWindow = 5 * time.Minute
	warnBefore = time.Minute
	askFor     = 2 * time.Second // how long to ask for the end; then what was known counts
)

// alarm warns while the command runs: some time before the window ends, and when it has ended. Anybody may have moved the
// end, so that it asks before it speaks.
type alarm struct {
	*time.Timer
	d       *down
	end     time.Time
	long    bool // it lasts long, or did before somebody moved its end
	warned  bool
	answers chan time.Time // when the window ends
}

func (d *down) newAlarm() *alarm {
	a := &alarm{d: d, answers: make(chan time.Time, 1)}
	a.set(*d.window.End)
	a.Timer = time.NewTimer(a.ahead())
	return a
}

func (a *alarm) set(end time.Time) {
	a.end, a.warned = end, false
	a.long = a.long || end.Sub(a.d.window.Start) > longWindow
}

// ahead is how long there is nothing to say.
func (a *alarm) ahead() time.Duration {
	left := time.Until(a.end)
	if !a.warned && a.long {
		return left - warnBefore
	}
	return left
}

// ask asks when the window ends. A window that is not known any more has ended.
func (a *alarm) ask(ctx context.Context) {
	known := a.end
	go func() {
		limit, cancel := context.WithTimeout(ctx, askFor)
		defer cancel()
		w, err := a.d.api.Window(limit, a.d.window.ID)
		switch refusal, refused := errors.AsType[*client.Refusal](err); {
		case refused && refusal.Status == http.StatusNotFound:
			known = time.Time{}
		case err == nil && w.End != nil:
			known = *w.End
		}
		a.answers <- known
	}()
}

// heard says what there is to say of an end, and sets the time for the next.
func (a *alarm) heard(end time.Time) {
	d := a.d
	if !end.Equal(a.end) {
		a.set(end)
	}
	left := time.Until(end)
	if left <= 0 {
		fmt.Fprintf(d.err, "waygate: the window has ended and shuts %s no more, while %s still runs; to shut it again: waygate window add %[1]s --for %[3]s "+
			"(while a window runs, its end is moved by: waygate window extend %[4]s --by %[3]s)\n", d.target, oneLine(d.command[0]), extendBy, d.window.ID)
		return
	}
	if a.ahead() <= 0 {
		a.warned = true
		fmt.Fprintf(d.err, "waygate: the window ends in %s, at %s, and %s still runs; to move its end: waygate window extend %s --by %s\n",
			roughly(left), d.clock(end), oneLine(d.command[0]), d.window.ID, extendBy)
	}
	a.Reset(a.ahead())
}
