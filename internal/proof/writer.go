package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Writer adds frames to an archive, and checks that each follows from the one before. What it wrote counts from the
// next Save on; a writer that ends without one leaves the archive as it was saved last.
type Writer struct {
	dir      string
	manifest Manifest
	chain    Chain
	// text is the last segment as it will be written, changed since it was saved.
	text    []byte
	changed bool
	added   uint64
}

// OpenWriter opens the archive in a directory, or begins one. It reads what is there to its end, and refuses what does
// not verify: adding to it would hide what happened.
func OpenWriter(dir, namespace string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	w := &Writer{dir: dir, manifest: Manifest{Form: manifestForm, Namespace: namespace, Segments: []Segment{}}}
	m, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return w, w.dropUnnamed()
	}
	if err != nil {
		return nil, err
	}
	if m.Namespace != namespace {
		return nil, fmt.Errorf("the archive in %s is of the namespace %q, not %q", dir, m.Namespace, namespace)
	}
	w.manifest = m
	if last := m.Last(); last != nil {
		// A crash may have left a longer file than the manifest says: the manifest counts.
		if err := w.reread(last); err != nil {
			return nil, err
		}
	}
	if err := w.dropUnnamed(); err != nil {
		return nil, err
	}
	if _, err := Replay(dir, &w.chain); err != nil {
		return nil, err
	}
	return w, nil
}

// dropUnnamed sets aside a segment after the last one: a crash left it before the manifest named it.
func (w *Writer) dropUnnamed() error {
	after := SegmentName(0)
	if last := w.manifest.Last(); last != nil {
		after = last.File
	}
	files, err := filepath.Glob(filepath.Join(w.dir, segmentPattern))
	if err != nil {
		return fmt.Errorf("list the archive: %w", err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) <= after })
	switch len(files) {
	case 0:
		return nil
	case 1:
	default:
		return fmt.Errorf("%s and others are not in the manifest, and a crash leaves one: %w", files[0], state.ErrDamaged)
	}
	if err := os.Rename(files[0], files[0]+unnamedEnd); err != nil {
		return fmt.Errorf("set aside what a crash left: %w", err)
	}
	return nil
}

// reread takes the last segment in, as far as it counts.
func (w *Writer) reread(last *Segment) error {
	stop := errors.New("enough")
	err := last.each(w.dir, func(line []byte) error {
		f, err := ParseFrame(line)
		if err != nil {
			return err
		}
		if f.Rev > last.Last {
			return stop
		}
		w.text = append(append(w.text, line...), '\n')
		return nil
	})
	if errors.Is(err, stop) {
		return w.put(last.File, w.text)
	}
	return err
}

// Place is what follows the last frame: an epoch and a revision, empty and zero in an empty archive.
func (w *Writer) Place() (epoch string, after uint64) {
	if last := w.manifest.Last(); last != nil {
		return last.Epoch, last.Last
	}
	return "", 0
}

// Added is how many frames were added.
func (w *Writer) Added() uint64 { return w.added }

// Manifest is what the archive holds once it is saved.
func (w *Writer) Manifest() Manifest { return w.manifest }

// Runs are the epochs that the archive holds.
func (w *Writer) Runs() []Run { return w.chain.Runs() }

// Add adds the frame that follows. The error is a *BrokenError where it does not.
func (w *Writer) Add(f *state.Frame) error {
	if err := w.chain.Add(f); err != nil {
		return err
	}
	last := w.manifest.Last()
	if last == nil || last.Epoch != f.Epoch || last.Last-last.First+1 >= segmentLines {
		if err := w.Save(); err != nil {
			return err
		}
		w.text = w.text[:0]
		w.manifest.Segments = append(w.manifest.Segments, Segment{
			File: SegmentName(f.Rev), Epoch: f.Epoch, First: f.Rev, Last: f.Rev - 1, Prev: f.Prev, Head: f.Prev,
		})
		last = w.manifest.Last()
	}
	w.text = append(f.AppendJSON(w.text), '\n')
	last.Last, last.Head = f.Rev, f.Head
	w.changed = true
	w.added++
	return nil
}

// Save makes what was added count: the segment first, then the manifest that names it.
func (w *Writer) Save() error {
	if w.changed {
		if err := w.put(w.manifest.Last().File, w.text); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	w.changed = false
	return w.put(manifestName, append(text, '\n'))
}

// put replaces a file in one step that survives a crash.
func (w *Writer) put(name string, text []byte) error {
	f, err := os.CreateTemp(w.dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(w.dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the archive: %w", err), os.Remove(f.Name()))
	}
	d, err := os.Open(w.dir)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
