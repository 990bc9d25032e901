package admin

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Config is what a Service works with and the policy it holds to.
type Config struct {
	Store state.Store
	Fleet state.Fleet
	// Trimmer shortens the log when somebody asks for it; nil refuses.
	Trimmer state.Trimmer
	// Cache is this admin's own view of the store, and Follower keeps it.
	Cache    *state.Cache
	Follower *state.Follower
	// Alarm says what is wrong with the store's history, empty when nothing is; nil is nothing.
	Alarm func() string
	// Strict refuses commands on routes that nobody declared or saw.
	Strict bool
	// RequireReason refuses to block, schedule, restore or enable a route without a reason.
	RequireReason bool
	// UpcomingLead is how long before its start a window is announced; zero announces none ahead.
	UpcomingLead time.Duration
	// Overrides bounds blocks that nobody scheduled.
	Overrides Overrides
	Log       *zap.Logger
}

// Service is every use case. It is safe for concurrent use.
type Service struct {
	cfg    Config
	clock  *state.Clock // the follower's, which every command feeds as well
	fleet  fleetView
	begun  begun
	recent recent
	// moved holds the news that the document did, for those who tend windows.
	moved         chan struct{}
	outlook       atomic.Pointer[outlook]
	complained    string // what was last logged of windows that cannot be extended
	announcements Announcements
	// unread refuses to remove what somebody has yet to read of the log before a revision; nil is nobody.
	unread func(ctx context.Context, epoch string, before uint64) error
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, clock: cfg.Follower.Clock(), moved: make(chan struct{}, 1)}
}

// View is the document as this admin sees it, and the instant (by the store's clock) at which it was looked at.
type View struct {
	*state.Snapshot
	Now time.Time
}

// View gives the present view; state.ErrUnavailable before the first document arrived.
func (s *Service) View() (View, error) {
	snap := s.cfg.Cache.Load()
	if snap == nil {
		return View{}, fmt.Errorf("nothing is known of the store yet: %w", state.ErrUnavailable)
	}
	return s.viewOf(snap), nil
}

// viewOf looks at a snapshot now: not earlier than the last announcement in it, by however little the clocks of admins
// differ. What comes after it would else be dated before it.
func (s *Service) viewOf(snap *state.Snapshot) View {
	now := s.Now()
	if told := snap.Document().Announced(); told.After(now) && told.Sub(now) < time.Second {
		now = told
	}
	return View{Snapshot: snap, Now: now}
}

// Now is the time by the store's clock, as far as it is known and may be followed: see [state.Clock].
func (s *Service) Now() time.Time { return s.clock.Now() }

// Strict reports whether routes that nobody declared or saw are refused.
func (s *Service) Strict() bool { return s.cfg.Strict }

// Durability says what an acknowledged change survives.
func (s *Service) Durability() state.Durability { return s.cfg.Store.Durability() }

// pulse asks the store where it stands, and tells our clock what its clock says.
func (s *Service) pulse(ctx context.Context) (state.Pulse, error) {
	sent := s.clock.Local()
	p, err := s.cfg.Store.Pulse(ctx)
	if err != nil {
		return state.Pulse{}, err //nolint:wrapcheck // the store says what was being done
	}
	s.clock.Observe(sent, s.clock.Local(), p.Now)
	return p, nil
}

// Place is where a view stands.
func (v View) Place() state.Meta { return v.Document().Meta }
