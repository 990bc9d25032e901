package proof

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waygate/waygate/internal/state"
)

// Names and bounds of an archive.
const (
	manifestName = "manifest.json"
	manifestForm = "waygate archive 1"
	segmentLines = 10_000
	// A segment that the manifest does not name, from a crash, is kept under its name with this end.
	segmentPattern = "*.ndjson"
	unnamedEnd     = ".unnamed"
	maxLine        = 256 << 20
)

// Manifest tells what an archive holds.
type Manifest struct {
	Form      string    `json:"waygate"`
	Namespace string    `json:"namespace"`
	Segments  []Segment `json:"segments"`
}

// Segment is one file of an archive: frames of one epoch, a line each, without a gap.
type Segment struct {
	File  string `json:"file"`
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Prev is the head before First, and Head that of Last.
	Prev state.Head `json:"prev"`
	Head state.Head `json:"head"`
}

// SegmentName sorts by revision.
func SegmentName(first uint64) string { return fmt.Sprintf("%020d.ndjson", first) }

// ReadManifest reads what an archive says that it holds; fs.ErrNotExist where there is none.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, fmt.Errorf("read the archive: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Form != manifestForm {
		return m, fmt.Errorf("%s is no manifest of an archive: %w", filepath.Join(dir, manifestName), state.ErrDamaged)
	}
	return m, nil
}

// Last is the last segment, nil for none.
func (m *Manifest) Last() *Segment {
	if len(m.Segments) == 0 {
		return nil
	}
	return &m.Segments[len(m.Segments)-1]
}

// Replay gives all frames of an archive to a chain, and checks that each file holds what the manifest says. The error
// is a *BrokenError where the archive is not what it was.
func Replay(dir string, c *Chain) (Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return m, err
	}
	names := map[string]bool{}
	for i := range m.Segments {
		s := &m.Segments[i]
		names[s.File] = true
		if s.File != SegmentName(s.First) {
			return m, &BrokenError{Epoch: s.Epoch, Rev: s.First, What: fmt.Sprintf("the manifest names its segment %q", s.File)}
		}
		if err := s.replay(dir, c); err != nil {
			return m, err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, segmentPattern))
	if err != nil {
		return m, fmt.Errorf("list the archive: %w", err)
	}
	for _, file := range files {
		if !names[filepath.Base(file)] {
			return m, fmt.Errorf("%s is not in the manifest: the next export sets it aside if a crash left it: %w", file, state.ErrDamaged)
		}
	}
	return m, nil
}

// replay gives the frames of one segment to a chain.
func (s *Segment) replay(dir string, c *Chain) error {
	next := s.First
	err := s.each(dir, func(line []byte) error {
		f, err := ParseFrame(line)
		if err != nil {
			return &BrokenError{Epoch: s.Epoch, Rev: next, What: fmt.Sprintf("its line in %s cannot be read", s.File)}
		}
		if next == s.First && f.Prev != s.Prev {
			return &BrokenError{Epoch: s.Epoch, Rev: next, What: fmt.Sprintf("%s does not begin with the head that the manifest says", s.File)}
		}
		if f.Epoch != s.Epoch || f.Rev > s.Last {
			return &BrokenError{Epoch: f.Epoch, Rev: f.Rev, What: fmt.Sprintf("by the manifest it does not belong into %s", s.File)}
		}
		next = f.Rev + 1
		return c.Add(&f)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &BrokenError{Epoch: s.Epoch, Rev: s.First, What: s.File + " is missing"}
	}
	if err != nil {
		return err
	}
	if runs := c.Runs(); next != s.Last+1 || len(runs) == 0 || runs[len(runs)-1].Head != s.Head {
		return &BrokenError{Epoch: s.Epoch, Rev: next, What: fmt.Sprintf("%s does not end as the manifest says, with revision %d", s.File, s.Last)}
	}
	return nil
}

// each gives the lines of a segment.
func (s *Segment) each(dir string, do func([]byte) error) error {
	f, err := os.Open(filepath.Join(dir, filepath.Base(s.File)))
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer f.Close()
	return EachLine(f, do)
}

// EachLine gives each line of a text, without its newline, to do. The line is valid until do returns. A last line
// without an end is state.ErrDamaged.
func EachLine(text io.Reader, do func([]byte) error) error {
	r := bufio.NewReaderSize(text, 256<<10)
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		line := part
		if len(long) > 0 || errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			line = long
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine:
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("the last line has no end: %w", state.ErrDamaged)
		case err != nil:
			return fmt.Errorf("read the log: %w", err)
		}
		if err := do(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
		long = long[:0]
	}
}

// Holds gives the head of an archive at the revision last of an epoch, after all of it was verified. It is found only
// where everything from the revision first on is there as well.
func Holds(dir, epoch string, first, last uint64) (head state.Head, found bool, err error) {
	begun := false
	c := Chain{Known: func(f *state.Frame) error {
		if f.Epoch != epoch {
			return nil
		}
		begun = begun || f.Rev == first
		if begun && f.Rev == last {
			head, found = f.Head, true
		}
		return nil
	}}
	_, err = Replay(dir, &c)
	return head, found, err
}
