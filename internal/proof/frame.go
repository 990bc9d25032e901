package proof

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/waygate/waygate/internal/state"
)

// ParseFrame reads a line as state.Frame.AppendJSON writes it, without its newline. The payload shares the line's bytes.
// A million of them are read without decoding JSON: what has another form, even an equivalent one, is
// state.ErrDamaged. The hash is not looked at.
func ParseFrame(line []byte) (state.Frame, error) {
	p := lineParser{rest: line}
	var f state.Frame
	f.Epoch = string(p.until(`{"epoch":"`, '"'))
	f.Rev = p.number(`,"rev":`)
	p.head(`,"prev":"`, &f.Prev)
	p.head(`,"head":"`, &f.Head)
	p.after(`,"entry":`)
	payload, ok := bytes.CutSuffix(p.rest, []byte("}"))
	if p.bad || !ok || len(payload) < 2 || payload[0] != '{' || payload[len(payload)-1] != '}' {
		return state.Frame{}, fmt.Errorf("%.60q is no line of a log: %w", line, state.ErrDamaged)
	}
	f.Payload = payload
	return f, nil
}

// lineParser takes a line apart from its beginning.
type lineParser struct {
	rest []byte
	bad  bool
}

func (p *lineParser) after(name string) {
	rest, ok := bytes.CutPrefix(p.rest, []byte(name))
	p.bad = p.bad || !ok
	p.rest = rest
}

func (p *lineParser) until(name string, end byte) []byte {
	p.after(name)
	text, rest, ok := bytes.Cut(p.rest, []byte{end})
	p.bad = p.bad || !ok || bytes.IndexByte(text, '\\') >= 0
	p.rest = rest
	return text
}

func (p *lineParser) number(name string) uint64 {
	p.after(name)
	n, i := uint64(0), 0
	for i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' {
		n = n*10 + uint64(p.rest[i]-'0')
		i++
	}
	p.bad = p.bad || i == 0 || i > 19 || i > 1 && p.rest[0] == '0'
	p.rest = p.rest[i:]
	return n
}

func (p *lineParser) head(name string, h *state.Head) {
	text := p.until(name, '"')
	if p.bad || len(text) != hex.EncodedLen(len(h)) || bytes.ContainsAny(text, "ABCDEF") {
		p.bad = true
		return
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		p.bad = true
	}
}
