package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/crash"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// The pace at which the document file follows the commits: between two writes lies this at least, and this many times
// what the last one took.
const (
	checkpointEvery = time.Second
	checkpointShare = 20
)

// Options of a file store.
type Options struct {
	// OnError is told when the document file could not be written behind the commits; they are safe in the log, and it
	// is tried again with the next one. It must not block.
	OnError func(error)
}

// Opened tells what a start found.
type Opened struct {
	// Torn is the length of the torn last line that was cut off the log, zero for none.
	Torn int64
	// Imported are the fields of a document edited by hand that were committed, by number.
	Imported int
	// Rebuilt says that the document file was gone and is written anew from the log.
	Rebuilt bool
}

// Store is a state.Backend in files. It is safe for concurrent use in one process, and only one can have it open.
type Store struct {
	*memstore.Store
	journal *journal
	lock    *os.File
	desks   *desks
	opened  Opened
	onError func(error)

	// behind is told when the document file is behind the commits.
	behind  chan struct{}
	stop    chan struct{}
	writing sync.WaitGroup
	once    sync.Once
	closed  error
}

var _ state.Backend = (*Store)(nil)

// Open opens the store whose document is at path, empty where there is none. It fails with state.ErrUnavailable where
// another process has it open, and with state.ErrDamaged, and a message that says what to do, where the files are not
// what a stopped or crashed store can have left.
func Open(path string, opt Options) (*Store, error) {
	return open(path, opt, func(step string) error { crash.Point("file " + step); return nil })
}

func open(path string, opt Options, step func(string) error) (_ *Store, err error) {
	p := pathsOf(path)
	if err := os.MkdirAll(p.log, 0o750); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	lock, err := acquire(p.lock)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock, desks: newDesks(p), onError: opt.OnError, behind: make(chan struct{}, 1), stop: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	if s.onError == nil {
		s.onError = func(error) {}
	}
	l := loader{paths: p}
	if err := l.load(); err != nil {
		return nil, err
	}
	s.journal = l.journal(step)
	if err := s.journal.openTail(); err != nil {
		return nil, err
	}
	if l.kept.Desks, err = p.readDesks(); err != nil {
		return nil, errors.Join(err, s.journal.close())
	}
	s.Store = memstore.Open(memstore.Options{Journal: s.journal, Kept: l.kept, Keep: keepFrames, OnDesk: s.desks.wrote})
	s.opened = Opened{Torn: l.torn, Imported: len(l.edit), Rebuilt: l.rebuilt}
	if err := s.begin(l.edit); err != nil {
		return nil, errors.Join(err, s.journal.close())
	}
	s.writing.Go(s.follow)
	s.writing.Go(func() { s.desks.follow(s.stop, s.Desk, s.onError) })
	return s, nil
}

// Opened tells what the start found.
func (s *Store) Opened() Opened { return s.opened }

// Commit implements state.Store. The document file is asked for after the commit can be read: one that is written
// earlier would lack it until the next.
func (s *Store) Commit(ctx context.Context, base state.Meta, c state.Change) (state.Receipt, error) {
	r, err := s.Store.Commit(ctx, base, c)
	if err == nil && !r.Duplicate {
		s.fallBehind()
	}
	return r, err
}

func (s *Store) fallBehind() {
	select {
	case s.behind <- struct{}{}:
	default:
	}
}

// Close writes the document file, if it is behind, and gives the store up. Calls under way are waited for; later ones
// are state.ErrUnavailable.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.Store.Close()
		close(s.stop)
		s.writing.Wait()
		s.closed = errors.Join(s.save(), s.desks.save(s.Desk), s.journal.close(), s.lock.Close())
	})
	return s.closed
}

// save brings the document file up to date.
func (s *Store) save() error {
	kept := s.Kept()
	if kept.Meta.Epoch == "" {
		return nil
	}
	return s.journal.save(kept)
}

// follow keeps the document file close behind the commits until the store is closed.
func (s *Store) follow() {
	for {
		select {
		case <-s.behind:
		case <-s.stop:
			return
		}
		start := time.Now()
		if err := s.save(); err != nil {
			s.onError(err)
			s.fallBehind()
		}
		select {
		case <-time.After(max(checkpointEvery, checkpointShare*time.Since(start))):
		case <-s.stop:
			return
		}
	}
}
