package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// load asks one server for verdicts, as Envoy would, over one HTTP/2 connection. It is a client of its own because a
// finished gRPC client costs several times what a server does, and on a small machine would be what is measured.
// It belongs to one goroutine.
type load struct {
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer // what encoder writes into
	decoder *hpack.Decoder
	bodies  [][]byte // messages with their five-byte gRPC prefix

	stream   uint32 // the next one to open
	window   int64  // what the server lets us send on the connection
	received uint32 // what we let the server send and have not given back
	sent     map[uint32]time.Time
	status   string // grpc-status of the header block that was read last

	verdicts int
	answers  []answer
}

// answer is when a check was sent and how long its answer took.
type answer struct {
	sent time.Time
	took time.Duration
}

// headers are those that Envoy sends with a Check.
func headers() []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/envoy.service.auth.v3.Authorization/Check"},
		{Name: ":authority", Value: "waygate"},
		{Name: "te", Value: "trailers"},
		{Name: "grpc-timeout", Value: "5S"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "x-envoy-internal", Value: "true"},
		{Name: "x-forwarded-for", Value: "192.0.2.2"},
		{Name: "x-envoy-expected-rq-timeout-ms", Value: "250"},
	}
}

// connect opens the connection and says what HTTP/2 wants said first.
func connect(ctx context.Context, socket string, messages [][]byte) (*load, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	l := &load{
		conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriterSize(conn, 64<<10),
		stream: 1, window: 65535, sent: map[uint32]time.Time{},
	}
	l.framer = http2.NewFramer(l.out, l.in)
	l.framer.SetReuseFrames()
	l.encoder = hpack.NewEncoder(&l.block)
	l.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if f.Name == "grpc-status" {
			l.status = f.Value
		}
	})
	for _, m := range messages {
		framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m)))
		l.bodies = append(l.bodies, append(framed, m...))
	}
	_, err = io.WriteString(l.out, http2.ClientPreface)
	err = errors.Join(err,
		l.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 28}),
		l.framer.WriteWindowUpdate(0, 1<<30), l.out.Flush())
	if err != nil {
		return nil, fmt.Errorf("greet the server: %w", err)
	}
	return l, nil
}

// saturate keeps a number of checks under way for a time.
func (l *load) saturate(streams int, d time.Duration) error {
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		for len(l.sent) < streams && l.window > 1<<14 {
			if err := l.ask(); err != nil {
				return err
			}
		}
		if err := l.turn(); err != nil {
			return err
		}
	}
	return l.drain()
}

// pace sends checks at random instants, rate of them in a second, for a time.
func (l *load) pace(rate float64, d time.Duration) error {
	now := time.Now()
	end, next := now.Add(d), now
	for next.Before(end) {
		if err := l.conn.SetReadDeadline(next); err != nil {
			return err //nolint:wrapcheck // cannot happen to an open connection
		}
		_, err := l.in.Peek(1)
		switch {
		case err == nil:
			err = l.turn()
		case errors.Is(err, os.ErrDeadlineExceeded):
			next = next.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
			if err = l.ask(); err == nil {
				err = l.out.Flush()
			}
		}
		if err != nil {
			return err
		}
	}
	return l.drain()
}

// drain reads until every check is answered.
func (l *load) drain() error {
	if err := l.conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err //nolint:wrapcheck // cannot happen to an open connection
	}
	for len(l.sent) > 0 {
		if err := l.turn(); err != nil {
			return err
		}
	}
	return l.conn.SetReadDeadline(time.Time{}) //nolint:wrapcheck // cannot happen to an open connection
}

// turn sends what is waiting and takes everything that has arrived, at least one frame.
func (l *load) turn() error {
	if err := l.out.Flush(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	for {
		// Frames the server did not finish yet are waited for: it writes them in one go.
		if err := l.conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err //nolint:wrapcheck // cannot happen to an open connection
		}
		frame, err := l.framer.ReadFrame()
		if err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		if err := l.take(frame); err != nil {
			return err
		}
		if l.in.Buffered() == 0 {
			return nil
		}
	}
}

// ask opens one stream with the next message.
func (l *load) ask() error {
	l.block.Reset()
	for _, f := range headers() {
		if err := l.encoder.WriteField(f); err != nil {
			return err //nolint:wrapcheck // cannot happen: it writes to memory
		}
	}
	id, body := l.stream, l.bodies[int(l.stream/2)%len(l.bodies)]
	l.stream += 2
	l.window -= int64(len(body))
	l.sent[id] = time.Now()
	return errors.Join(
		l.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: l.block.Bytes(), EndHeaders: true}),
		l.framer.WriteData(id, true, body))
}

// take handles one frame.
func (l *load) take(frame http2.Frame) error {
	switch f := frame.(type) {
	case *http2.HeadersFrame:
		l.status = ""
		if _, err := l.decoder.Write(f.HeaderBlockFragment()); err != nil {
			return fmt.Errorf("read a header block: %w", err)
		}
		if f.StreamEnded() {
			return l.answered(f.StreamID)
		}
	case *http2.DataFrame:
		if l.received += f.Length; l.received > 1<<20 {
			back := l.received
			l.received = 0
			return l.framer.WriteWindowUpdate(0, back) //nolint:wrapcheck // the connection's own error
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			l.window += int64(f.Increment)
		}
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return l.framer.WriteSettingsAck() //nolint:wrapcheck // the connection's own error
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return l.framer.WritePing(true, f.Data) //nolint:wrapcheck // the connection's own error
		}
	case *http2.RSTStreamFrame:
		return fmt.Errorf("the server reset a stream: %v", f.ErrCode)
	case *http2.GoAwayFrame:
		return fmt.Errorf("the server goes away: %v", f.ErrCode)
	}
	return nil
}

// answered notes the end of a check.
func (l *load) answered(id uint32) error {
	if l.status != "0" {
		return fmt.Errorf("the server answered grpc-status %q", l.status)
	}
	l.answers = append(l.answers, answer{sent: l.sent[id], took: time.Since(l.sent[id])})
	delete(l.sent, id)
	l.verdicts++
	return nil
}
