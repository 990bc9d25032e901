package filestore

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// A line of the log is read back as it was written, any byte of it that is changed shows, and what is no line is refused.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"rev":1}`), `{"kind":"change"}`, "an \"id\" \\ é\n", uint64(7), uint(3), byte(1))
	f.Add([]byte(`{"rev":1,"at":2,"private":0,"id":"","head":"","entry":null,"sum":"00000000"}`), `null`, "", uint64(0), uint(0), byte(0))
	f.Add([]byte{}, `{"a":"`+strings.Repeat("x", 100)+`"}`, "i", uint64(1<<63), uint(150), byte(0x80))
	f.Fuzz(func(t *testing.T, line []byte, entry, id string, rev uint64, pos uint, flip byte) {
		if r, err := parseRecord(line); err != nil {
			require.ErrorIs(t, err, state.ErrDamaged)
		} else {
			_, _ = r.name()
		}

		if !json.Valid([]byte(entry)) || strings.Contains(entry, "\n") {
			return
		}
		frame := state.Frame{Rev: rev, Head: state.Head{1, 2}, Payload: json.RawMessage(entry)}
		r, err := newRecord(&frame, time.UnixMilli(5), id, 3)
		require.NoError(t, err)
		text := r.line()
		require.Equal(t, 1, bytes.Count(text, []byte("\n")))
		require.True(t, json.Valid(text))
		text = bytes.TrimSuffix(text, []byte("\n"))
		back, err := parseRecord(text)
		require.NoError(t, err)
		require.Equal(t, r, back)
		name, err := back.name()
		require.NoError(t, err)
		if utf8.ValidString(id) {
			require.Equal(t, id, name)
		}
		if flip == 0 {
			return
		}
		text[pos%uint(len(text))] ^= flip
		_, err = parseRecord(text)
		require.ErrorIs(t, err, state.ErrDamaged)
	})
}
