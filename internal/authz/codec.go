package authz

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// verdict is what passes between grpc-go and the codec for one check: the answer.
type verdict struct {
	server   *Server
	response []byte
}

// surplus takes what must not come: a second message.
type surplus struct{}

// codec answers checks where grpc-go would decode and encode them: the message is decided on in the very buffer it
// arrived in. Everything else, such as health, goes the ordinary way.
type codec struct {
	rest encoding.CodecV2
}

func newCodec() codec { return codec{rest: encoding.GetCodecV2(proto.Name)} }

// Name is that of the ordinary codec: on the wire there is no difference.
func (c codec) Name() string { return c.rest.Name() }

// Unmarshal gives the verdict on a check. There is no message that it refuses.
func (c codec) Unmarshal(data mem.BufferSlice, into any) error {
	v, ok := into.(*verdict)
	if !ok {
		if _, ok := into.(surplus); ok {
			return nil
		}
		return c.rest.Unmarshal(data, into) //nolint:wrapcheck // grpc-go adds its own words
	}
	var message []byte
	if len(data) == 1 {
		message = data[0].ReadOnlyData()
	} else {
		message = data.Materialize()
	}
	start := v.server.durations.begin()
	v.response = v.server.Check(message, v.server.Now())
	v.server.durations.end(start)
	return nil
}

// Marshal gives the answer's bytes as they are.
func (c codec) Marshal(from any) (mem.BufferSlice, error) {
	v, ok := from.(*verdict)
	if !ok {
		out, err := c.rest.Marshal(from)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		return out, nil
	}
	return mem.BufferSlice{mem.SliceBuffer(v.response)}, nil
}
