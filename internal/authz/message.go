package authz

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a message in wire format as it is written.
type message []byte

// text writes a field that is a string; an empty one is not written, as ever in proto3.
func (m *message) text(number protowire.Number, s string) {
	if s != "" {
		*m = protowire.AppendTag(*m, number, protowire.BytesType)
		*m = protowire.AppendString(*m, s)
	}
}

// number writes a field that is a number.
func (m *message) number(number protowire.Number, n uint64) {
	*m = protowire.AppendTag(*m, number, protowire.VarintType)
	*m = protowire.AppendVarint(*m, n)
}

// double writes a field that is a floating-point number.
func (m *message) double(number protowire.Number, x float64) {
	*m = protowire.AppendTag(*m, number, protowire.Fixed64Type)
	*m = protowire.AppendFixed64(*m, math.Float64bits(x))
}

// inside writes a field that is a message, whose fields write writes.
func (m *message) inside(number protowire.Number, write func()) {
	*m = protowire.AppendTag(*m, number, protowire.BytesType)
	start := len(*m)
	write()
	// The length stands in front and is known now: make room for it.
	size := len(*m) - start
	width := protowire.SizeVarint(uint64(size))
	*m = append(*m, make([]byte, width)...)
	copy((*m)[start+width:], (*m)[start:])
	protowire.AppendVarint((*m)[:start], uint64(size))
}
