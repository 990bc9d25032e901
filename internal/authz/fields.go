package authz

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields walks over the fields of a message in wire format that carry bytes: strings, messages and entries of maps.
// Fields of other types are passed over. It stops at what is no field; broken then tells so.
type fields struct {
	rest   []byte
	broken bool
}

// next gives the number and content of the next such field, and false after the last.
func (f *fields) next() (number protowire.Number, content []byte, ok bool) {
	for len(f.rest) > 0 {
		// Nearly all have a number below 16 and fewer than 128 bytes.
		if b := f.rest; len(b) >= 2 && b[0]&0x87 == byte(protowire.BytesType) && b[0] >= 1<<3 && b[1] < 0x80 && int(b[1]) <= len(b)-2 {
			end := 2 + int(b[1])
			f.rest = b[end:]
			return protowire.Number(b[0] >> 3), b[2:end:end], true
		}
		number, kind, n := protowire.ConsumeTag(f.rest)
		if n < 0 {
			f.broken = true
			return 0, nil, false
		}
		f.rest = f.rest[n:]
		if kind == protowire.BytesType {
			content, n = protowire.ConsumeBytes(f.rest)
		} else {
			n = protowire.ConsumeFieldValue(number, kind, f.rest)
		}
		if n < 0 {
			f.broken = true
			return 0, nil, false
		}
		f.rest = f.rest[n:]
		if kind == protowire.BytesType {
			return number, content, true
		}
	}
	return 0, nil, false
}

// pair reads an entry of a map, or a header: the last field 1, and the last field 2. Raw is the last field 3, which
// only headers have.
func pair(entry []byte) (key, value, raw string, broken bool) {
	f := fields{rest: entry}
	for number, content, ok := f.next(); ok; number, content, ok = f.next() {
		switch number {
		case 1:
			key = text(content)
		case 2:
			value = text(content)
		case 3:
			raw = text(content)
		}
	}
	return key, value, raw, f.broken
}

// text is content as a string that shares its memory: it is good for as long as the message is.
func text(content []byte) string { return unsafe.String(unsafe.SliceData(content), len(content)) }
