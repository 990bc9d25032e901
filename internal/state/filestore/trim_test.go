package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// The log of a store with several segments is trimmed, with a crash before each step: the next start finds the same
// document, a log without a gap, and nothing that was asked to stay is gone.
func TestTrimSurvivesACrashAtEachStep(t *testing.T) {
	const before = 7
	for crash := range 7 {
		t.Run(fmt.Sprint(crash), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			steps, armed := 0, false
			s, err := open(path, Options{}, func(string) error {
				if steps++; armed && steps == crash {
					return errors.New("crashed")
				}
				return nil
			})
			require.NoError(t, err)
			s.journal.full = 8 << 10
			base := statetest.Seeded(t, s)
			for i := range 9 { // a reason stands in an entry twice
				statetest.Commit(t, s, statetest.Block(t, fmt.Sprintf("GET:/%d", i), strings.Repeat("x", 3<<10)))
			}
			want, err := s.Load(t.Context())
			require.NoError(t, err)
			require.Greater(t, len(s.journal.segments), 3)
			steps, armed = 0, true
			err = s.Trim(t.Context(), base.Epoch, before)
			require.Equal(t, crash >= 1 && crash <= steps, err != nil, "%v", err)
			armed = false
			require.NoError(t, s.Close())
			if crash%2 == 1 { // what was in the document can be told without it
				require.NoError(t, os.Remove(path))
			}

			s, err = Open(path, Options{})
			require.NoError(t, err)
			defer s.Close()
			got, err := s.Load(t.Context())
			require.NoError(t, err)
			statetest.Same(t, want, got)
			start, err := state.LogStart(t.Context(), s.Store, got.Meta)
			require.NoError(t, err)
			require.LessOrEqual(t, start, uint64(before-1))
			frames, err := s.Frames(t.Context(), base.Epoch, start, 100)
			require.NoError(t, err)
			require.Len(t, frames, 9-int(start))
			if crash == 0 {
				require.Positive(t, start)
				require.NoError(t, s.Trim(t.Context(), base.Epoch, 1000))
				require.Len(t, s.journal.segments, 1)
			}
		})
	}
}
