package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The pace at which a disk writes.
const (
	// Between two writes lies this at least, unless Pace said otherwise, and this many times what the last one took: a
	// large document costs a bounded share of the machine however fast it changes.
	saveEvery = time.Second
	saveShare = 20
	// After a write that failed the next one is not tried sooner than this.
	saveRetry = time.Second
	// How much of a file is read to learn where its snapshot stands.
	headSize = 4096
)

// Saved is what a process knew when it last wrote it down.
type Saved struct {
	Document *Document
	// Private is the private part; an instance has none, and then it is nil.
	Private map[string][]byte
	// At is when it was written, by this machine's clock.
	At time.Time
	// Damage is set when the other generation was there and could not be read.
	Damage error
}

// Disk keeps the last snapshot of a process in a directory, so that the next start has an answer before its source
// has. There are two generations, each replaced as a whole, with a checksum: a crash at any point leaves a good one.
// An older snapshot, by generation and revision, never replaces a newer one, whichever process wrote it.
type Disk struct {
	dir, name string
	onSave    func(Meta, error)
	every     time.Duration

	mu      sync.Mutex
	waiting *Saved
	woken   chan struct{}
}

// OpenDisk uses a directory, which is created where it is missing. Name tells the snapshots of several processes in one
// directory apart: one for each role and namespace. OnSave, if not nil, is told of each write that Run does, but of the
// first only where several fail in a row; it must not block.
func OpenDisk(dir, name string, onSave func(Meta, error)) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory for snapshots: %w", err)
	}
	if onSave == nil {
		onSave = func(Meta, error) {}
	}
	return &Disk{dir: dir, name: name, onSave: onSave, every: saveEvery, woken: make(chan struct{}, 1)}, nil
}

// Pace sets how far apart two writes lie at least, a second otherwise. It is called before Run. An admin writes sooner
// than an instance: what it has on disk is what a store that lost everything is given back.
func (d *Disk) Pace(every time.Duration) { d.every = every }

// Keep hands a snapshot over to Run and returns at once. Only the last one handed over is written.
func (d *Disk) Keep(s Saved) {
	d.mu.Lock()
	d.waiting = &s
	d.mu.Unlock()
	d.wake()
}

// Run writes what Keep hands over, the first at once, until ctx ends; what is waiting then is written before it returns.
// What could not be written is tried again: nothing may change for days, and a start from what came before would take
// the last change back.
func (d *Disk) Run(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	failing := false
	for {
		select {
		case <-pause.C:
		case <-ctx.Done():
			d.saveWaiting(failing)
			return
		}
		select {
		case <-d.woken:
		case <-ctx.Done():
			d.saveWaiting(failing)
			return
		}
		start, every := time.Now(), d.every
		if failing = !d.saveWaiting(failing); failing {
			every = max(every, saveRetry)
		}
		pause.Reset(max(every, saveShare*time.Since(start)))
	}
}

// saveWaiting writes what is waiting and reports whether nothing waits for another try. Failing says that the try before
// failed.
func (d *Disk) saveWaiting(failing bool) (done bool) {
	d.mu.Lock()
	s := d.waiting
	d.waiting = nil
	d.mu.Unlock()
	if s == nil {
		return true
	}
	err := d.Save(*s)
	if err == nil || !failing {
		d.onSave(s.Document.Meta, err)
	}
	if err != nil {
		d.putBack(s)
	}
	return err == nil
}

// putBack has a snapshot written again, unless a later one waits already.
func (d *Disk) putBack(s *Saved) {
	d.mu.Lock()
	if d.waiting == nil {
		d.waiting = s
	}
	d.mu.Unlock()
	d.wake()
}

func (d *Disk) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// slots are the files of the two generations.
func (d *Disk) slots() [2]string {
	return [2]string{filepath.Join(d.dir, d.name+".a.snapshot"), filepath.Join(d.dir, d.name+".b.snapshot")}
}

// Load reads the newest good snapshot. A file that is damaged is put aside under another name. ErrEmpty says that there
// is none, ErrDamaged that there was one and none is good.
func (d *Disk) Load() (Saved, error) {
	unlock, err := d.lock()
	if err != nil {
		return Saved{}, err
	}
	defer unlock()
	var best Saved
	var damage error
	for _, path := range d.slots() {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Saved{}, fmt.Errorf("read a snapshot: %w", err)
		}
		s, err := parseSaved(text)
		if err != nil {
			damage = errors.Join(damage, fmt.Errorf("%s: %w", path, err), os.Rename(path, path+".damaged"))
			continue
		}
		if s.after(best) {
			best = s
		}
	}
	best.Damage = damage
	switch {
	case best.Document != nil:
		return best, nil
	case damage != nil:
		return Saved{}, damage
	default:
		return Saved{}, fmt.Errorf("snapshots in %s: %w", d.dir, ErrEmpty)
	}
}

// Save writes a snapshot now, in place of the older of the two generations. It does nothing where a newer one is there.
func (d *Disk) Save(s Saved) error {
	if s.At.IsZero() {
		s.At = time.Now()
	}
	text, err := s.encode()
	if err != nil {
		return fmt.Errorf("save a snapshot: %w", err)
	}
	unlock, err := d.lock()
	if err != nil {
		return err
	}
	defer unlock()
	slots := d.slots()
	older, newest := slots[0], headOf(slots[1])
	if head := headOf(slots[0]); newer(head, newest) {
		older, newest = slots[1], head
	}
	if newer(newest, s.Document.Meta) {
		return nil
	}
	if err := replaceFile(older, text); err != nil {
		return fmt.Errorf("save a snapshot: %w", err)
	}
	return nil
}
