package httpsource

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// told is an event that outlives the next one.
type told struct{ name, data string }

func readEvents(r io.Reader, limit int) (all []told, err error) {
	from := newEvents(r, limit)
	for {
		e, err := from.next()
		if err != nil {
			return all, err
		}
		all = append(all, told{e.name, string(e.data)})
	}
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []told
	}{
		{"nothing", "", nil},
		{"a message", "data: x\n\n", []told{{"message", "x"}}},
		{"a name and an id", "event: pulse\nid: e.1\ndata: {}\n\n", []told{{"pulse", "{}"}}},
		{"no space after the colon", "event:pulse\ndata:x\n\n", []told{{"pulse", "x"}}},
		{"one space only", "data:  x\n\n", []told{{"message", " x"}}},
		{"several lines of data", "data: a\ndata\ndata: b\n\n", []told{{"message", "a\n\nb"}}},
		{"carriage returns", "event: a\r\ndata: x\r\n\r\n", []told{{"a", "x"}}},
		{"comments and unknown fields", ": hello\nretry: 1\nwhatever\ndata: x\n\n", []told{{"message", "x"}}},
		{"a name without data is dropped", "event: a\n\ndata: x\n\n", []told{{"message", "x"}}},
		{"an empty name", "event: a\nevent:\ndata: x\n\n", []told{{"message", "x"}}},
		{"the middle of an event", "data: x\n\ndata: y\n", []told{{"message", "x"}}},
		{"the middle of a line", "data: x\n\ndata: y", []told{{"message", "x"}}},
		{"a byte order mark", "\xef\xbb\xbfdata: x\n\n", []told{{"message", "x"}}},
		{"empty lines", "\n\n\ndata: x\n\n\n\ndata: y\n\n", []told{{"message", "x"}, {"message", "y"}}},
		{
			"a long event, then a short one", "data: " + strings.Repeat("x", 100_000) + "\n\ndata: y\n\n",
			[]told{{"message", strings.Repeat("x", 100_000)}, {"message", "y"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				got, err := readEvents(r, 1<<20)
				require.ErrorIs(t, err, io.EOF)
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestEventsAreBounded(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"one long line", "data: " + strings.Repeat("x", 2000) + "\n\n"},
		{"a line that never ends", strings.Repeat("x", 200_000)},
		{"many lines", strings.Repeat("data: xxxxxxxxxx\n", 200) + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readEvents(strings.NewReader(c.text), 1000)
			require.ErrorIs(t, err, errTooLong)
		})
	}
	long := "data: " + strings.Repeat("x", 900) + "\n\n"
	got, err := readEvents(strings.NewReader(strings.Repeat(long, 10)), 1000)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, got, 10)
}

// naive reads events as the standard words it, from a text that is there as a whole.
func naive(text string) (all []told) {
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	name, data, has := "", "", false
	lines := strings.Split(text, "\n")
	for _, line := range lines[:len(lines)-1] {
		line = strings.TrimSuffix(line, "\r")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if has {
				if name == "" {
					name = "message"
				}
				all = append(all, told{name, strings.TrimSuffix(data, "\n")})
			}
			name, data, has = "", "", false
		case field == "event":
			name = value
		case field == "data":
			data, has = data+value+"\n", true
		}
	}
	return all
}

func FuzzEvent(f *testing.F) {
	for _, text := range []string{
		"", "data: x\n\n", "event: pulse\nid: e.1\ndata: {}\n\ndata: {\"epoch\":\"e\"}\n\n", "data\ndata:\n\n", ":\n\r\n\n",
		"\xef\xbb\xbfdata: x\n\n", "\xef\xbb\xbf\ndata: x\r\n\r\n", "event: a\n\ndata:x\n\n", "data: x", "da\rta: x\n\n",
	} {
		f.Add([]byte(text), uint8(100))
	}
	f.Fuzz(func(t *testing.T, text []byte, bound uint8) {
		got, err := readEvents(bytes.NewReader(text), 1<<20)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, naive(string(text)), got)

		limit := 1 + int(bound)
		some, err := readEvents(iotest.HalfReader(bytes.NewReader(text)), limit)
		require.True(t, errors.Is(err, io.EOF) || errors.Is(err, errTooLong), "%v", err)
		require.LessOrEqual(t, len(some), len(got))
		for i, e := range some {
			require.Equal(t, got[i], e)
			require.LessOrEqual(t, len(e.data), limit)
		}
	})
}
