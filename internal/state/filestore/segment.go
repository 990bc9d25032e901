package filestore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of a segment of the log.
const (
	// A segment that is this long is followed by another.
	segmentSize = 8 << 20
	// One line in so many is in the index.
	indexEvery = 64
	// A header is shorter than this.
	headerLength = 1024
)

// segmentHeader is the first line of a segment: where its lines go on.
type segmentHeader struct {
	Form string `json:"waygate"`
	state.Meta
}

const segmentForm = "log 1"

// segment is one file of the log. Its lines are the revisions after base, without a gap.
type segment struct {
	path string
	base state.Meta
	// last is where the log stands after the last line, and size the length of the file up to there.
	last state.Meta
	size int64
	// index holds, for one line in indexEvery, where it begins and what is before it.
	index []mark
}

// mark is a place in a segment: the line of the revision after head begins at offset.
type mark struct {
	rev    uint64
	head   state.Head
	offset int64
}

// segmentName sorts by generation, then by revision.
func segmentName(base state.Meta) string { return fmt.Sprintf("%020d-%020d.log", base.Gen, base.Rev) }

// createSegment makes an empty segment that goes on at base. Its header is whole or the file is not there.
func (p *paths) createSegment(base state.Meta) (*segment, error) {
	header, err := json.Marshal(segmentHeader{Form: segmentForm, Meta: base})
	if err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	s := &segment{path: filepath.Join(p.log, segmentName(base)), base: base, last: base}
	if err := p.replace(s.path, append(header, '\n'), 0o640); err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	s.size = int64(len(header)) + 1
	s.index = []mark{{rev: base.Rev, head: base.Head, offset: s.size}}
	return s, nil
}

// segmentsOf lists the segments of a generation, in order, unread.
func segmentsOf(dir string, gen uint64) ([]*segment, error) {
	paths, err := filepath.Glob(filepath.Join(globQuote(dir), fmt.Sprintf("%020d-*.log", gen)))
	if err != nil {
		return nil, fmt.Errorf("list the log: %w", err)
	}
	slices.Sort(paths)
	out := make([]*segment, len(paths))
	for i, path := range paths {
		out[i] = &segment{path: path}
	}
	return out, nil
}

// globQuote makes a path match itself alone.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// scan reads the whole segment, checks each line and gives it to each. The last segment of a log may end with a torn
// line: it is left out of size, and torn is its length.
func (s *segment) scan(last bool, each func(r *record, prev state.Head) error) (torn int64, err error) {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	rest, err := s.header(text)
	if err != nil {
		return 0, err
	}
	for len(rest) > 0 {
		line, more, whole := bytes.Cut(rest, []byte("\n"))
		r, err := s.next(line)
		if err != nil || !whole {
			if last && len(more) == 0 && isTorn(line, whole) {
				return int64(len(rest)), nil
			}
			return 0, s.damaged(err)
		}
		if err := each(&r, s.last.Head); err != nil {
			return 0, err
		}
		s.advance(&r, int64(len(line))+1)
		rest = more
	}
	return 0, nil
}

// isTorn reports whether a bad last line is what a crash leaves of an append: it has no end, or pages of it never
// reached the disk and read as zeros. Anything else was whole once.
func isTorn(line []byte, whole bool) bool { return !whole || bytes.IndexByte(line, 0) >= 0 }

func (s *segment) damaged(err error) error {
	if err == nil {
		err = fmt.Errorf("its last line has no end: %w", state.ErrDamaged)
	}
	return fmt.Errorf("%s, after revision %d: %w", s.path, s.last.Rev, err)
}

// readBase reads where the segment begins.
func (s *segment) readBase() (state.Meta, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return state.Meta{}, fmt.Errorf("read the log: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, headerLength))
	if err != nil {
		return state.Meta{}, fmt.Errorf("read the log: %w", err)
	}
	_, err = s.header(text)
	return s.base, err
}

// header reads the first line and gives the rest.
func (s *segment) header(text []byte) ([]byte, error) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	var h segmentHeader
	if err := json.Unmarshal(line, &h); err != nil || h.Form != segmentForm {
		return nil, fmt.Errorf("%s does not begin as a segment of the log does: %w", s.path, state.ErrDamaged)
	}
	if filepath.Base(s.path) != segmentName(h.Meta) {
		return nil, fmt.Errorf("%s is the segment %s by another name: %w", s.path, segmentName(h.Meta), state.ErrDamaged)
	}
	s.base, s.last, s.size = h.Meta, h.Meta, int64(len(line))+1
	s.index = []mark{{rev: h.Rev, head: h.Head, offset: s.size}}
	return rest, nil
}

// next checks the line that follows the last.
func (s *segment) next(line []byte) (record, error) {
	r, err := parseRecord(line)
	if err != nil {
		return record{}, err
	}
	if r.rev != s.last.Rev+1 || s.last.Head.Next(r.rev, r.entry) != r.head {
		return record{}, fmt.Errorf("revision %d does not follow: %w", r.rev, state.ErrDamaged)
	}
	return r, nil
}

// advance notes that a line of the record's length follows.
func (s *segment) advance(r *record, length int64) {
	s.last.Rev, s.last.Head = r.rev, r.head
	s.size += length
	if (r.rev-s.base.Rev)%indexEvery == 0 {
		s.index = append(s.index, mark{rev: r.rev, head: r.head, offset: s.size})
	}
}

// read appends the frames after a revision, at most limit in all. It reads no further than size.
func (s *segment) read(into []state.Frame, after uint64, limit int) ([]state.Frame, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	defer f.Close()
	first := sort.Search(len(s.index), func(i int) bool { return s.index[i].rev > after }) - 1
	for i := max(0, first); i < len(s.index) && len(into) < limit; i++ {
		end := s.size
		if i+1 < len(s.index) {
			end = s.index[i+1].offset
		}
		if into, err = s.readBlock(f, into, s.index[i], end, after, limit); err != nil {
			return nil, err
		}
	}
	return into, nil
}

// readBlock appends the frames of the lines between a mark and an offset.
func (s *segment) readBlock(f *os.File, into []state.Frame, from mark, end int64, after uint64, limit int) ([]state.Frame, error) {
	text := make([]byte, end-from.offset)
	if _, err := f.ReadAt(text, from.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	prev := from.head
	for line := range bytes.Lines(text) {
		r, err := parseRecord(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
		if r.rev > after && len(into) < limit {
			into = append(into, r.frame(s.base.Epoch, prev))
		}
		prev = r.head
	}
	return into, nil
}
