package memstore

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// DefaultKeep is how many frames stay in memory unless Options say otherwise.
const DefaultKeep = 100_000

// idempotent is for how long the id of a change is remembered.
const idempotent = 24 * time.Hour

// Options of a store.
type Options struct {
	// Keep is how many frames of the log stay in memory; DefaultKeep when zero.
	Keep int
	// Journal makes the store durable; nil keeps everything in memory only.
	Journal Journal
	// Kept is what the journal held when it was opened; the zero value is an empty store.
	Kept Kept
	// OnDesk is told which desk was written to, after the write can be read; it must not block.
	OnDesk func(name string)
}

// Store is a state.Backend in memory. It is safe for concurrent use.
type Store struct {
	journal Journal
	keep    int
	gen     uint64
	// writer has room for the one that changes the store; it is held while the journal writes.
	writer chan struct{}

	mu      sync.RWMutex
	meta    state.Meta
	beat    time.Time
	fields  state.Patch
	private map[string][]byte
	// tail are the last frames; the last one of them is revision meta.Rev.
	tail []state.Frame
	// ids are the commits made under an idempotency id, and made their order, oldest first.
	ids  map[string]Committed
	made []string
	// changed is closed, and replaced, by whatever happens to meta.
	changed chan struct{}
	closed  bool

	fleet fleet
	desks desks
}

// New makes an empty store.
func New() *Store { return Open(Options{}) }

// Open makes a store that holds what opt says.
func Open(opt Options) *Store {
	s := &Store{
		journal: opt.Journal, keep: opt.Keep, gen: uint64(time.Now().UnixMilli()), writer: make(chan struct{}, 1),
		meta: opt.Kept.Meta, fields: maps.Clone(opt.Kept.Fields), private: maps.Clone(opt.Kept.Private), tail: opt.Kept.Tail,
		ids: map[string]Committed{}, changed: make(chan struct{}), fleet: fleet{last: map[string]state.Report{}}, desks: desks{all: map[string]*desk{}, wrote: opt.OnDesk},
	}
	if s.keep <= 0 {
		s.keep = DefaultKeep
	}
	if s.fields == nil {
		s.fields = state.Patch{}
	}
	for name, fields := range opt.Kept.Desks {
		s.desks.at(name).fields = maps.Clone(fields)
	}
	for _, c := range opt.Kept.Made {
		s.remember(c)
	}
	return s
}

// Gen is the generation under which a store that forgets everything with its process is created: its start time in
// milliseconds since 1970. It rises with every start.
func (s *Store) Gen() uint64 { return s.gen }

// Durability implements state.Store.
func (s *Store) Durability() state.Durability {
	if s.journal == nil {
		return state.DurableMemory
	}
	return s.journal.Durability()
}

// Close ends the store: watches end, and every call from now on is state.ErrUnavailable. A commit that is under way
// is waited for.
func (s *Store) Close() {
	s.writer <- struct{}{}
	defer func() { <-s.writer }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.broadcast()
}

// Kept is what the store holds now, without its log and what was made.
func (s *Store) Kept() Kept {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Kept{Meta: s.meta, Fields: maps.Clone(s.fields), Private: s.private}
}

// Pulse implements state.Source.
func (s *Store) Pulse(ctx context.Context) (state.Pulse, error) {
	if err := ctx.Err(); err != nil {
		return state.Pulse{}, fmt.Errorf("read where the store stands: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.readable(); err != nil {
		return state.Pulse{}, err
	}
	return state.Pulse{Meta: s.meta, Now: time.Now(), Beat: s.beat}, nil
}

// Load implements state.Source.
func (s *Store) Load(ctx context.Context) (*state.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load the document: %w", err)
	}
	meta, fields, err := s.copyFields()
	if err != nil {
		return nil, err
	}
	return state.NewDocument(meta).With(fields, meta)
}

func (s *Store) copyFields() (state.Meta, state.Patch, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.meta, maps.Clone(s.fields), s.readable()
}

// Private implements state.Store.
func (s *Store) Private(ctx context.Context) (map[string][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the private part: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.readable(); err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(s.private))
	for field, value := range s.private {
		out[field] = append([]byte(nil), value...)
	}
	return out, nil
}

// readable says why nothing can be read. The caller holds mu.
func (s *Store) readable() error {
	if s.closed {
		return fmt.Errorf("the store is closed: %w", state.ErrUnavailable)
	}
	if s.meta.Epoch == "" {
		return state.ErrEmpty
	}
	return nil
}

// broadcast wakes everybody who waits for a change. The caller holds mu.
func (s *Store) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}
