package state

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What ParseFrame takes is whole: its hash fits, and it says the same after it was sent on.
func FuzzFrame(f *testing.F) {
	change := Change{Entry: Entry{
		Kind: KindChange, At: time.Unix(1, 0).UTC(), Actor: "é<>&\u2028", Platform: PlatformCLI, ID: "i",
		Records: []Record{{Action: ActionDisable, Path: "GET:/a", Before: Active, After: Disabled}},
		Patch:   Patch{"g": json.RawMessage(`{}`), "w:1": json.RawMessage("null")},
	}}
	frame, err := change.Frame(Meta{Epoch: "E", Gen: 1, Rev: 41, Head: Head{7}})
	require.NoError(f, err)
	good, err := json.Marshal(frame)
	require.NoError(f, err)
	f.Add(good, []byte(`{"kind":"change"}`))
	f.Add(good[:len(good)-2], []byte(`{"kind": "change"}`))
	f.Add([]byte(`{"epoch":"E","rev":1,"entry":null}`), []byte(`null`))
	f.Add([]byte(`null`), []byte(` 1`))
	f.Add([]byte(`{"prev":"00"}`), []byte(`{"patch":{"r:":[]}}`))
	f.Fuzz(func(t *testing.T, text, payload []byte) {
		parsed, err := ParseFrame(text)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
		} else {
			require.NoError(t, parsed.Verify())
			_, _ = parsed.Entry()
		}

		// Any payload that is JSON can be sealed; the JSON of the frame comes back as the same frame, or is refused.
		if !json.Valid(payload) {
			return
		}
		sealed := Frame{Epoch: "E", Rev: 1, Head: Head{}.Next(1, payload), Payload: payload}
		require.NoError(t, sealed.Verify())
		sent, err := json.Marshal(sealed)
		require.NoError(t, err)
		back, err := ParseFrame(sent)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		require.Equal(t, sealed.Head, back.Head)
		require.Equal(t, string(payload), string(back.Payload))
		next, err := Compile(NewDocument(Meta{Epoch: "E"}))
		require.NoError(t, err)
		if next, err = next.Apply(back); err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		require.Equal(t, sealed.Head, next.Document().Head)
	})
}
