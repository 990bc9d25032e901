package state

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Damaged bytes are ErrDamaged: never a panic, never a wrong document.
func FuzzDiskSnapshot(f *testing.F) {
	meta := Meta{Epoch: "E", Gen: 2, Rev: 7, Head: Head{1}}
	p := Patch{}
	key, shown, err := ParseKey("orders:GET:/users/{id}")
	require.NoError(f, err)
	require.NoError(f, p.SetRoute(Route{Key: key, Shown: shown, Standing: &Block{Effect: EffectDisabled, Reason: "é\n"}}))
	require.NoError(f, p.SetWindow(Window{ID: "w", Target: Target{Global: true}, End: time.Unix(9, 0)}))
	doc, err := NewDocument(meta).With(p, meta)
	require.NoError(f, err)
	good, err := (&Saved{Document: doc, Private: map[string][]byte{"a": {1}}, At: time.Unix(5, 0)}).encode()
	require.NoError(f, err)
	want, err := parseSaved(good)
	require.NoError(f, err)
	require.Equal(f, meta, want.Document.Meta)

	f.Add(good, uint(0), byte(0))
	f.Add(good, uint(3), byte(1))
	f.Add(good, uint(90), byte(0x20))
	f.Add(good[:len(good)-1], uint(0), byte(0))
	f.Add(good[:100], uint(0), byte(0))
	f.Add([]byte(savedForm), uint(0), byte(0))
	f.Add([]byte{}, uint(0), byte(0))
	f.Fuzz(func(t *testing.T, text []byte, pos uint, flip byte) {
		s, err := parseSaved(text)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			require.Nil(t, s.Document)
		} else {
			again, err := s.encode()
			require.NoError(t, err)
			back, err := parseSaved(again)
			require.NoError(t, err)
			require.Equal(t, s.Document.Meta, back.Document.Meta)
			require.Equal(t, s.Private, back.Private)
		}

		// Any byte of a good file that is changed, and any end that is cut off, shows.
		bad := append([]byte(nil), good...)
		i := int(pos % uint(len(bad)))
		bad[i] ^= flip
		_, err = parseSaved(bad)
		if flip == 0 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrDamaged)
		}
		_, err = parseSaved(good[:i])
		require.ErrorIs(t, err, ErrDamaged)
	})
}
