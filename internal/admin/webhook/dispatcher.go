package webhook

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Log is what the dispatcher reads: the log of the store, which is the outbox.
type Log interface {
	Pulse(ctx context.Context) (state.Pulse, error)
	Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error)
}

// Config is what a dispatcher needs.
type Config struct {
	Log       Log
	Desk      state.Desk
	Endpoints Endpoints
	// State gives the JSON of an event's route or switch as the API answers it, not older than the event. It may wait for
	// that, until ctx ends. Nil leaves the state out.
	State func(ctx context.Context, ev *Event) (json.RawMessage, error)
	// Owner names this admin among all that share the store; no two processes share a name.
	Owner string
	// Pace divides the schedule of retries, 1 when zero. A pace of 1,000 makes hours of seconds, for tests.
	Pace int
	// Timeout bounds one attempt, from the look-up of the name to the end of the answer; 10 s when zero.
	Timeout time.Duration
	// LeaseFor is how long after the end of an admin another one takes over; 3 s when zero.
	LeaseFor time.Duration
	// Resolver looks up names; the system's when nil.
	Resolver *net.Resolver
	Logger   *zap.Logger
}

// Defaults and bounds.
const (
	defaultTimeout  = 10 * time.Second
	defaultLeaseFor = 3 * time.Second
	lookEvery       = time.Second
)

// Dispatcher delivers events to endpoints. It is safe for concurrent use.
type Dispatcher struct {
	cfg     Config
	log     *zap.Logger
	counts  counts
	changed chan struct{}
	client  func(e *Endpoint) (*http.Client, error)

	mu      sync.Mutex
	workers map[string]*worker
	said    map[string]string // what is wrong with an endpoint, by its id
}

// New makes a dispatcher; Run sets it going.
func New(cfg Config) *Dispatcher {
	if cfg.Pace < 1 {
		cfg.Pace = 1
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.LeaseFor <= 0 {
		cfg.LeaseFor = defaultLeaseFor
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	d := &Dispatcher{cfg: cfg, log: cfg.Logger, changed: make(chan struct{}, 1), workers: map[string]*worker{}, said: map[string]string{}}
	d.client = func(e *Endpoint) (*http.Client, error) { return newClient(e, cfg.Timeout, cfg.Resolver) }
	return d
}

// worker is the part of a dispatcher that is for one endpoint, as it was when it was last looked at.
type worker struct {
	endpoint Endpoint
	moved    chan struct{}
	cancel   context.CancelFunc
	done     chan struct{}

	// met says that another admin held the lease, last what was to be delivered when it was lost, at lostAt; they are
	// the worker's own.
	met    bool
	last   *run
	lostAt time.Time
}

// Changed tells that the endpoints may be others now; it never blocks.
func (d *Dispatcher) Changed() { nudge(d.changed) }

// Moved tells that the log may have grown; it never blocks.
func (d *Dispatcher) Moved() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		nudge(w.moved)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends, and returns once what was in flight has ended too.
func (d *Dispatcher) Run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	said := ""
	for {
		all, err := d.cfg.Endpoints.Endpoints(ctx)
		switch {
		case err == nil:
			said = ""
			d.settle(ctx, all)
		case said != err.Error() && ctx.Err() == nil:
			said = err.Error()
			d.log.Warn("the endpoints cannot be read", zap.Error(err))
		}
		select {
		case <-look.C:
		case <-d.changed:
		case <-ctx.Done():
			d.settle(ctx, nil)
			return
		}
	}
}

// settle makes the workers those of the endpoints there are. With none it waits for the end of all.
func (d *Dispatcher) settle(ctx context.Context, all []Endpoint) {
	d.mu.Lock()
	there := map[string]bool{}
	for _, e := range all {
		w := d.workers[e.ID]
		if w != nil && reflect.DeepEqual(w.endpoint, e) {
			there[e.ID] = true
			continue
		}
		if err := e.Validate(); err != nil {
			if d.said[e.ID] != err.Error() {
				d.said[e.ID] = err.Error()
				d.log.Error("an endpoint is left out", zap.String("endpoint", e.ID), zap.Error(err))
			}
			continue
		}
		delete(d.said, e.ID)
		there[e.ID] = true
		d.workers[e.ID] = d.start(ctx, e, w)
	}
	var ending []*worker
	for id, w := range d.workers {
		if !there[id] {
			w.cancel()
			ending = append(ending, w)
			delete(d.workers, id)
		}
	}
	d.mu.Unlock()
	if len(all) == 0 {
		for _, w := range ending {
			<-w.done
		}
	}
}

// start makes a worker in the place of another one, which ends first.
func (d *Dispatcher) start(ctx context.Context, e Endpoint, before *worker) *worker {
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{endpoint: e, moved: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	if before != nil {
		before.cancel()
	}
	go func() {
		defer close(w.done)
		if before != nil {
			<-before.done
		}
		d.serve(ctx, w)
	}()
	return w
}
