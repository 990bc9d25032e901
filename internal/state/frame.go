package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Head is the hash of a log up to and with one entry: SHA-256 over the head before, the revision (8 bytes, big
// endian) and the payload. The zero Head stands before the first entry.
type Head [sha256.Size]byte

// Next is the head after an entry.
func (h Head) Next(rev uint64, payload []byte) Head {
	var before [len(h) + 8]byte
	copy(before[:], h[:])
	binary.BigEndian.PutUint64(before[len(h):], rev)
	sum := sha256.New()
	sum.Write(before[:])
	sum.Write(payload)
	return Head(sum.Sum(before[:0]))
}

// String is the head in hex.
func (h Head) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Head) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("head %.70q: %w", text, ErrDamaged)
	}
	*h = Head(raw)
	return nil
}

// Frame is one log entry as it is stored, published and streamed: its place in the chain and its payload, which is
// the JSON of an Entry and the bytes that are hashed.
type Frame struct {
	Epoch   string          `json:"epoch"`
	Rev     uint64          `json:"rev"`
	Prev    Head            `json:"prev"`
	Head    Head            `json:"head"`
	Payload json.RawMessage `json:"entry"`
}

// AppendJSON appends the frame as encoding/json writes it, with the payload's bytes as they are.
func (f *Frame) AppendJSON(b []byte) []byte {
	b = append(b, `{"epoch":`...)
	b = strconv.AppendQuote(b, f.Epoch) // an epoch is letters and digits
	b = append(b, `,"rev":`...)
	b = strconv.AppendUint(b, f.Rev, 10)
	b = append(b, `,"prev":"`...)
	b = hex.AppendEncode(b, f.Prev[:])
	b = append(b, `","head":"`...)
	b = hex.AppendEncode(b, f.Head[:])
	b = append(b, `","entry":`...)
	b = append(b, f.Payload...)
	return append(b, '}')
}

// Verify checks that the frame's head follows from its other members; otherwise ErrDamaged.
func (f *Frame) Verify() error {
	if f.Prev.Next(f.Rev, f.Payload) != f.Head {
		return fmt.Errorf("frame %d: its hash does not fit: %w", f.Rev, ErrDamaged)
	}
	return nil
}

// Entry decodes the payload.
func (f *Frame) Entry() (Entry, error) {
	var e Entry
	if err := json.Unmarshal(f.Payload, &e); err != nil {
		return Entry{}, fmt.Errorf("frame %d: %w: %w", f.Rev, ErrDamaged, err)
	}
	return e, nil
}

// patch decodes what the payload sets, and no more: that is all a document needs of it.
func (f *Frame) patch() (Patch, error) {
	var e struct {
		Patch Patch `json:"patch"`
	}
	if err := json.Unmarshal(f.Payload, &e); err != nil {
		return nil, fmt.Errorf("frame %d: %w: %w", f.Rev, ErrDamaged, err)
	}
	return e.Patch, nil
}

// ParseFrame reads the JSON of a frame and verifies its hash. What it refuses is ErrDamaged.
func ParseFrame(text []byte) (Frame, error) {
	var f Frame
	if err := json.Unmarshal(text, &f); err != nil {
		return Frame{}, fmt.Errorf("frame: %w: %w", ErrDamaged, err)
	}
	return f, f.Verify()
}

// Entry is what one commit did: the audit records and the patch of the document, in one. Nothing secret is in it.
type Entry struct {
	Kind     Kind      `json:"kind"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Platform Platform  `json:"platform"`
	// ID is the idempotency id under which the commit was made, if any.
	ID      string   `json:"id,omitempty"`
	Records []Record `json:"records,omitempty"`
	Patch   Patch    `json:"patch,omitempty"`
	// Was holds what Patch replaced, field by field, null where there was nothing: of changes and registrations only.
	// Nothing is computed from it; it is for people who read the audit, and for bringing a route back.
	Was Patch `json:"was,omitempty"`
}

// Record is one line of the audit: what was done to one target, with the effective status before and after.
type Record struct {
	Action  Action `json:"action"`
	Path    string `json:"path"` // the key as shown, or a sentinel path
	Service string `json:"service,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Before  Status `json:"before,omitempty"`
	After   Status `json:"after,omitempty"`
	// Until is the end that a timed command carried.
	Until time.Time `json:"until,omitzero"`
	// Window is the id of the window that was made, changed or ended, or that did something by itself.
	Window string `json:"window,omitempty"`
	// Start is when the occurrence that is announced began, or will; Until is its end.
	Start time.Time `json:"start,omitzero"`
	// Due is when the announcement was due: the entry tells when it was made.
	Due time.Time `json:"due,omitzero"`
	// Note says where something was not stored as it was declared, and why.
	Note string `json:"note,omitempty"`
}

// Patch holds the fields of a document that a commit sets; null removes a field. Field names are "g", "s:<service>",
// "r:<key>", "w:<window id>" and "a", the instant up to which is announced what windows do.
type Patch map[string]json.RawMessage

// Change is what a commit asks for. The store adds place and hash.
type Change struct {
	Entry
	// Private are fields of the private part to set; an empty value removes. They never reach the log.
	Private map[string][]byte
}

// Frame seals the change as the entry that follows base.
func (c *Change) Frame(base Meta) (Frame, error) {
	payload, err := json.Marshal(c.Entry)
	if err != nil {
		return Frame{}, fmt.Errorf("encode entry: %w", err)
	}
	rev := base.Rev + 1
	return Frame{Epoch: base.Epoch, Rev: rev, Prev: base.Head, Head: base.Head.Next(rev, payload), Payload: payload}, nil
}
