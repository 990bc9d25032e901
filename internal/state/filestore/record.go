package filestore

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// record is one line of the log:
//
//	{"rev":7,"at":1764000000000,"private":3,"id":"…","head":"…","entry":{…},"sum":"1a2b3c4d"}
//
// Its members stand in this order and without spaces, so that a start reads a million of them without decoding JSON.
// The head proves the entry and its place; the sum (CRC-32C of all before it) proves the rest.
type record struct {
	rev uint64
	// at is the instant of the commit in milliseconds.
	at int64
	// private is the revision that last changed the private part.
	private uint64
	// id is the idempotency id as a JSON string.
	id    []byte
	head  state.Head
	entry []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumLength is the length of `,"sum":"1a2b3c4d"}`.
const sumLength = 18

// line is the record as it is written, with its newline.
func (r *record) line() []byte {
	b := make([]byte, 0, len(r.entry)+len(r.id)+200)
	b = append(b, `{"rev":`...)
	b = strconv.AppendUint(b, r.rev, 10)
	b = append(b, `,"at":`...)
	b = strconv.AppendInt(b, r.at, 10)
	b = append(b, `,"private":`...)
	b = strconv.AppendUint(b, r.private, 10)
	b = append(b, `,"id":`...)
	b = append(b, r.id...)
	b = append(b, `,"head":"`...)
	b = hex.AppendEncode(b, r.head[:])
	b = append(b, `","entry":`...)
	b = append(b, r.entry...)
	sum := crc32.Checksum(b, castagnoli)
	return fmt.Appendf(b, ",\"sum\":\"%08x\"}\n", sum)
}

// newRecord is the record of a commit; private is the revision that last changed the private part.
func newRecord(f *state.Frame, at time.Time, id string, private uint64) (record, error) {
	text, err := json.Marshal(id)
	if err != nil {
		return record{}, fmt.Errorf("encode the id: %w", err)
	}
	if bytes.IndexByte(f.Payload, '\n') >= 0 {
		return record{}, fmt.Errorf("the entry has more than one line: %w", state.ErrDamaged)
	}
	return record{rev: f.Rev, at: at.UnixMilli(), private: private, id: text, head: f.Head, entry: f.Payload}, nil
}

// parseRecord reads a line without its newline. The record shares the line's bytes. What it refuses is ErrDamaged.
func parseRecord(line []byte) (record, error) {
	if len(line) < sumLength {
		return record{}, fmt.Errorf("a line of %d bytes: %w", len(line), state.ErrDamaged)
	}
	body, tail := line[:len(line)-sumLength], line[len(line)-sumLength:]
	want := fmt.Appendf(make([]byte, 0, sumLength), ",\"sum\":\"%08x\"}", crc32.Checksum(body, castagnoli))
	if !bytes.Equal(tail, want) {
		return record{}, fmt.Errorf("the checksum of a line does not fit: %w", state.ErrDamaged)
	}
	p := lineParser{rest: body}
	var r record
	r.rev = p.number(`{"rev":`)
	r.at = int64(p.number(`,"at":`))
	r.private = p.number(`,"private":`)
	r.id = p.text(`,"id":`)
	head := p.text(`,"head":`)
	r.entry = p.all(`,"entry":`)
	if !p.bad && len(head) == 2+hex.EncodedLen(len(r.head)) {
		_, err := hex.Decode(r.head[:], head[1:len(head)-1])
		p.bad = err != nil
	} else {
		p.bad = true
	}
	if p.bad {
		return record{}, fmt.Errorf("a line has another form: %w", state.ErrDamaged)
	}
	return r, nil
}

// lineParser takes a line apart from its beginning.
type lineParser struct {
	rest []byte
	bad  bool
}

func (p *lineParser) all(name string) []byte {
	rest, ok := bytes.CutPrefix(p.rest, []byte(name))
	p.bad = p.bad || !ok
	p.rest = nil
	return rest
}

func (p *lineParser) after(name string) {
	rest, ok := bytes.CutPrefix(p.rest, []byte(name))
	p.bad = p.bad || !ok
	p.rest = rest
}

func (p *lineParser) number(name string) uint64 {
	p.after(name)
	n, i := uint64(0), 0
	for i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' {
		n = n*10 + uint64(p.rest[i]-'0')
		i++
	}
	p.bad = p.bad || i == 0
	p.rest = p.rest[i:]
	return n
}

// text takes a JSON string, quotes included.
func (p *lineParser) text(name string) []byte {
	p.after(name)
	if len(p.rest) == 0 || p.rest[0] != '"' {
		p.bad = true
		return nil
	}
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '"':
			text := p.rest[:i+1]
			p.rest = p.rest[i+1:]
			return text
		}
	}
	p.bad = true
	return nil
}

// frame is the record as the rest of the world knows it. It owns its payload.
func (r *record) frame(epoch string, prev state.Head) state.Frame {
	return state.Frame{Epoch: epoch, Rev: r.rev, Prev: prev, Head: r.head, Payload: bytes.Clone(r.entry)}
}

// name is the idempotency id.
func (r *record) name() (string, error) {
	if string(r.id) == `""` {
		return "", nil
	}
	var id string
	if err := json.Unmarshal(r.id, &id); err != nil {
		return "", fmt.Errorf("revision %d: id: %w: %w", r.rev, state.ErrDamaged, err)
	}
	return id, nil
}
