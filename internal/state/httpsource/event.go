package httpsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// event is one server-sent event. Its data is valid until the next one is read.
type event struct {
	name string // "message" where the stream gives none
	data []byte
}

// events reads server-sent events as the HTML standard has them (section 9.2.6), but for lines that end with a lone
// carriage return: no admin writes such. Ids are not read, because whoever follows knows its place better.
type events struct {
	r     *bufio.Reader
	limit int // of an event's data, and of a line, in bytes
	line  []byte
	data  []byte
	begun bool
}

// keptBuffer is how large a buffer may be to be used again.
const keptBuffer = 64 << 10

func newEvents(r io.Reader, limit int) *events {
	return &events{r: bufio.NewReaderSize(r, 16<<10), limit: limit}
}

// next reads the next event that has data. A stream that ends, even in the middle of an event, is io.EOF.
func (e *events) next() (event, error) {
	if cap(e.data) > keptBuffer {
		e.data = nil
	}
	e.data = e.data[:0]
	is, has := event{name: "message"}, false
	for {
		line, err := e.readLine()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if has {
				is.data = e.data[:len(e.data)-1] // without the last line's end
				return is, nil
			}
			is.name = "message"
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			is.name = string(value)
			if is.name == "" {
				is.name = "message"
			}
		case "data":
			has = true
			if e.data = append(append(e.data, value...), '\n'); len(e.data) > e.limit {
				return event{}, fmt.Errorf("an event: %w", errTooLong)
			}
		}
	}
}

// readLine reads a line without its end, which is valid until the next one is read.
func (e *events) readLine() ([]byte, error) {
	if cap(e.line) > keptBuffer {
		e.line = nil
	}
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		if e.line = append(e.line, part...); len(e.line) > e.limit {
			return nil, fmt.Errorf("a line: %w", errTooLong)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // io.EOF, or what the connection says
		}
		break
	}
	line := bytes.TrimSuffix(bytes.TrimSuffix(e.line, []byte("\n")), []byte("\r"))
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line, nil
}
