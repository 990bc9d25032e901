package authz

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Stale says what is answered once the snapshot is too old.
type Stale string

// What is answered once the snapshot is too old.
const (
	StaleKeep   Stale = "keep"   // what the snapshot says
	StaleOpen   Stale = "open"   // everything passes
	StaleClosed Stale = "closed" // everything is refused as STATE_UNKNOWN
)

// Options are what a [Server] is told.
type Options struct {
	// Cache holds what is true. While it is empty every check is refused as STATE_UNKNOWN.
	Cache *state.Cache
	// Clock tells the time that windows are measured by; nil is the machine's own.
	Clock *state.Clock
	// Service and Env are where requests belong that the gateway says nothing about; empty is unknown.
	Service, Env string
	// KeepPathHeaders are those of [PathHeaders] that are left alone, because a proxy in front sets them.
	KeepPathHeaders []string
	// OnStale says what is answered after [Server.SetStale]; empty is StaleKeep.
	OnStale Stale
	// RetryJitter is added to Retry-After at random, from nothing to all of it, in whole seconds; zero is none.
	RetryJitter time.Duration
	// Log gets what must not happen; nil is nobody.
	Log *zap.Logger
}

// Server answers checks. It is safe for concurrent use.
type Server struct {
	opt      Options
	defaults state.Request
	answers  *answers
	requests sync.Pool
	stale    atomic.Bool
	panicked atomic.Uint64
	misnamed sync.Once

	boot      string
	counts    counts
	seen      sightings
	durations durations
}

// NewServer makes a server.
func NewServer(opt Options) *Server {
	var boot [6]byte
	// Read never fails: it ends the program where there is no randomness.
	_, _ = rand.Read(boot[:])
	if opt.Log == nil {
		opt.Log = zap.NewNop()
	}
	if opt.Clock == nil {
		opt.Clock = state.NewClock(state.ClockOptions{})
	}
	s := &Server{opt: opt, boot: hex.EncodeToString(boot[:])}
	s.defaults = state.Request{Service: opt.Service, Env: opt.Env}
	s.answers = newAnswers(s.boot, opt.KeepPathHeaders, opt.RetryJitter)
	s.requests.New = func() any { return new(request) }
	return s
}

// Boot differs after each start; it is the first half of the ids of decisions.
func (s *Server) Boot() string { return s.boot }

// SetStale tells whether the snapshot is too old, as [Options].OnStale then says.
func (s *Server) SetStale(stale bool) { s.stale.Store(stale) }

// TakenAway reports whether checks are answered by something else than a snapshot.
func (s *Server) TakenAway() bool {
	return s.opt.Cache.Load() == nil || s.stale.Load() && s.opt.OnStale != StaleKeep && s.opt.OnStale != ""
}

// Now is the time that checks are decided by.
func (s *Server) Now() time.Time { return s.opt.Clock.Now() }

// Check answers the bytes of a CheckRequest with those of a CheckResponse, which are not to be changed. It is total:
// whatever the bytes, it returns a verdict, and it never panics.
func (s *Server) Check(message []byte, now time.Time) (response []byte) {
	r, ok := s.requests.Get().(*request)
	if !ok {
		r = new(request)
	}
	defer func() {
		if broken := recover(); broken != nil {
			// What broke is not put back.
			response = s.rescue(broken, now)
			return
		}
		r.reset()
		s.requests.Put(r)
	}()
	r.read(message, &s.defaults)
	if r.misnamed != "" {
		s.warn(r.misnamed)
	}
	d := s.decide(&r.Request, now)
	s.counts.add(&d)
	s.seen.add(&d, &r.Request)
	return s.answers.render(&d, r, now)
}

// warn tells once of what cannot be the name of a service.
func (s *Server) warn(misnamed string) {
	s.misnamed.Do(func() {
		s.opt.Log.Warn("a gateway names a service as none can be named: its requests are judged by the keys of every service",
			zap.String("field", extensionService), zap.String("name", strings.Clone(misnamed)))
	})
}

// decide gives the verdict, from the snapshot unless that is missing or too old.
func (s *Server) decide(r *state.Request, now time.Time) state.Decision {
	snapshot := s.opt.Cache.Load()
	if snapshot == nil {
		return state.Decision{Cause: state.CauseStale, Status: state.Active}
	}
	if s.stale.Load() {
		switch s.opt.OnStale {
		case StaleOpen:
			return state.Decision{Status: state.Active, Revision: snapshot.Document().Rev, Epoch: snapshot.Document().Epoch}
		case StaleClosed:
			return state.Decision{Cause: state.CauseStale, Status: state.Active, Revision: snapshot.Document().Rev, Epoch: snapshot.Document().Epoch}
		case StaleKeep:
		}
	}
	return snapshot.Decide(r, now)
}

// rescue is the verdict where reading, deciding or answering broke: that of a request that cannot be read, and if that
// breaks as well, a refusal. A request must not get past a gate by breaking it.
func (s *Server) rescue(broken any, now time.Time) (response []byte) {
	if s.panicked.Add(1) == 1 {
		s.opt.Log.Error("a check broke; further ones are only counted", zap.Any("panic", broken), zap.Stack("stack"))
	}
	defer func() {
		if recover() != nil {
			response = s.answers.refuse(&state.Decision{Cause: state.CauseStale, Status: state.Active}, new(request), now)
		}
	}()
	d := s.decide(&state.Request{Unreadable: true}, now)
	s.counts.add(&d)
	return s.answers.render(&d, new(request), now)
}
