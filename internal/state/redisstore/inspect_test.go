package redisstore

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestOldAndForeignVersions(t *testing.T) {
	for _, test := range []struct {
		name, version string
		fit, waitAOF  bool
	}{
		{"the oldest", "7.0.0", true, false},
		{"Debian 12", "7.0.15", true, false},
		{"with WAITAOF", "7.2.0", true, true},
		{"newer", "8.4.1", true, true},
		{"two digits", "10.1", true, true},
		{"6", "6.2.14", false, false},
		{"5", "5.0.7", false, false},
		{"unreadable", "unstable", false, false},
		{"hidden", "", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := server{version: test.version, appendOnly: "yes", fsync: "everysec"}
			err := s.fit()
			if test.fit {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ErrRefused)
				require.ErrorContains(t, err, test.version)
			}
			require.Equal(t, test.waitAOF, s.keeping().wait)
		})
	}
}

func TestKeeping(t *testing.T) {
	for _, test := range []struct {
		name                       string
		version, appendOnly, fsync string
		want, fallback             state.Durability
		wait                       bool
	}{
		{"7.0 without a file", "7.0.15", "no", "everysec", state.DurableNone, state.DurableNone, false},
		{"7.2 without a file", "7.2.4", "no", "always", state.DurableNone, state.DurableNone, false},
		{"nothing known", "7.2.4", "", "", state.DurableNone, state.DurableNone, false},
		{"7.0 every second", "7.0.15", "yes", "everysec", state.DurableEverySec, state.DurableEverySec, false},
		{"7.0 always", "7.0.15", "yes", "always", state.DurableAlways, state.DurableAlways, false},
		{"7.0, policy hidden", "7.0.15", "yes", "", state.DurableEverySec, state.DurableEverySec, false},
		{"7.2 every second", "7.2.4", "yes", "everysec", state.DurableWaitAOF, state.DurableEverySec, true},
		{"7.2 always", "7.2.4", "yes", "always", state.DurableWaitAOF, state.DurableAlways, true},
		{"7.2, policy hidden", "7.2.4", "yes", "", state.DurableWaitAOF, state.DurableEverySec, true},
		{"7.2, whenever the system likes", "7.2.4", "yes", "no", state.DurableNone, state.DurableNone, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := server{version: test.version, appendOnly: test.appendOnly, fsync: test.fsync}
			require.Equal(t, keeping{durability: test.want, fallback: test.fallback, wait: test.wait}, s.keeping())
		})
	}
}

func TestKeepingWithoutWaitAOF(t *testing.T) {
	k := keeping{durability: state.DurableWaitAOF, fallback: state.DurableAlways, wait: true}
	off := errors.New("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled")
	require.Equal(t, state.DurableNone, k.without(off).durability)
	denied := errors.New("NOPERM User admin has no permissions to run the 'waitaof' command")
	require.Equal(t, keeping{durability: state.DurableAlways, fallback: state.DurableAlways}, k.without(denied))
}

func TestSynced(t *testing.T) {
	for _, test := range []struct {
		name  string
		reply any
		want  bool
	}{
		{"the local file and no replica", []any{int64(1), int64(0)}, true},
		{"a replica only", []any{int64(0), int64(1)}, false},
		{"the time was up", []any{int64(0), int64(0)}, false},
		{"no reply", nil, false},
		{"another reply", "OK", false},
	} {
		require.Equal(t, test.want, synced(test.reply), test.name)
	}
}

// A change that is in force but not known to be on disk is no success: the same id gets its receipt once it is.
func TestUnsyncedChangeIsUnknown(t *testing.T) {
	base, frame := state.Meta{Epoch: "e"}, state.Frame{Epoch: "e", Rev: 1}
	r, err := receipt(answer{said: saidOK, waited: true}, base, frame)
	require.ErrorIs(t, err, state.ErrUnknownOutcome)
	require.Equal(t, frame, r.Frame)
	_, err = receipt(answer{said: saidOK, waited: true, synced: true}, base, frame)
	require.NoError(t, err)
	_, err = receipt(answer{said: saidOK}, base, frame)
	require.NoError(t, err)
}

// After an answer was lost, a conflict tells what became of the change only within its own history.
func TestConflictAfterALostAnswer(t *testing.T) {
	base := state.Meta{Epoch: "e", Rev: 5}
	for _, test := range []struct {
		name string
		a    answer
		is   error
	}{
		{"somebody was faster", answer{said: saidConflict, more: []string{"e", "6"}}, state.ErrConflict},
		{"somebody was faster, the answer got lost", answer{said: saidConflict, more: []string{"e", "6"}, lost: true}, state.ErrConflict},
		{"seeded", answer{said: saidConflict, more: []string{"f", "6"}}, state.ErrConflict},
		{"seeded after the answer got lost", answer{said: saidConflict, more: []string{"f", "6"}, lost: true}, state.ErrUnknownOutcome},
		{"empty", answer{said: saidEmpty}, state.ErrEmpty},
		{"wiped after the answer got lost", answer{said: saidEmpty, lost: true}, state.ErrUnknownOutcome},
		{"denied", answer{said: saidDenied, more: []string{"XADD", "log"}}, state.ErrUnavailable},
	} {
		_, err := receipt(test.a, base, state.Frame{})
		require.ErrorIs(t, err, test.is, test.name)
	}
}

func TestOnceKnowsWhatWasSent(t *testing.T) {
	o := newOnce()
	require.False(t, o.giveUp(), "nothing was sent")
	_, err := o.MarshalBinary()
	require.ErrorIs(t, err, errNobodyWaits, "and nothing will be")

	o = newOnce()
	first, err := o.MarshalBinary()
	require.NoError(t, err)
	o.ended(true)
	require.False(t, o.wasLost())
	second, err := o.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.True(t, o.giveUp(), "an answer is under way")

	o = newOnce()
	_, err = o.MarshalBinary()
	require.NoError(t, err)
	o.ended(false)
	require.True(t, o.wasLost())
	o.ended(true)
	require.True(t, o.wasLost(), "a later answer does not tell what became of the first")
	other := newOnce()
	require.NotEqual(t, o.nonce, other.nonce)
}
