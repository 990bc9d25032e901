package api_test

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// reports has an instance report a place.
func (a *adminServer) reports(id string, at state.Meta) {
	a.t.Helper()
	a.call(http.MethodPut, "/api/instances/"+id, fmt.Sprintf(
		`{"boot":"b","epoch":%q,"gen":%d,"rev":%d,"head":%q,"link":"connected"}`, at.Epoch, at.Gen, at.Rev, at.Head)).is(200)
}

// enforced asks which instances enforce a place.
func (a *adminServer) enforced(epoch string, rev uint64) map[string]bool {
	a.t.Helper()
	var fleet []wire.Instance
	a.get(fmt.Sprintf("/api/instances?revision=%d&epoch=%s", rev, epoch)).into(&fleet)
	out := map[string]bool{}
	for _, i := range fleet {
		out[i.ID] = i.Enforces
	}
	return out
}

func (a *adminServer) stands() state.Meta {
	a.t.Helper()
	p, err := a.store.Pulse(a.t.Context())
	require.NoError(a.t, err)
	return p.Meta
}

// A store that lost its last changes comes to the same revisions again by others: whoever kept the lost ones lacks those.
func TestAnInstanceOfAnotherHistoryEnforcesNothing(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", "")
	a.do("GET:/b", "disable", "")
	second := a.stands()
	lost := second
	lost.Head = state.Head{1}
	a.reports("same", second)
	a.reports("other", lost)
	ahead := lost
	ahead.Rev += 10
	a.reports("ahead", ahead)
	require.Equal(t, map[string]bool{"same": true, "other": false, "ahead": false}, a.enforced(second.Epoch, second.Rev))

	a.do("GET:/c", "disable", "")
	require.Equal(t, map[string]bool{"same": true, "other": false, "ahead": false}, a.enforced(second.Epoch, second.Rev))
	require.Equal(t, map[string]bool{"same": false, "other": false, "ahead": false}, a.enforced(second.Epoch, second.Rev+1))
}

// What an epoch began with is in it. What was lost before it began is not, and what comes from a later epoch is not
// either, which another admin may know first.
func TestWhatIsEnforcedOverANewEpoch(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", "")
	before := a.stands()
	doc, err := a.store.Load(t.Context())
	require.NoError(t, err)
	next := state.Meta{Epoch: state.NewEpoch(), Gen: before.Gen + 1, Rev: before.Rev + state.EpochStep, Head: before.Head}
	doc, err = doc.With(nil, next)
	require.NoError(t, err)
	require.NoError(t, a.store.Seed(t.Context(), before, doc, nil))
	a.reports("gw", next)
	a.reports("late", before)
	require.Eventually(t, func() bool { return a.enforced(next.Epoch, next.Rev)["gw"] }, 10*time.Second, time.Millisecond)
	a.do("GET:/b", "disable", "")
	require.Eventually(t, func() bool { return a.enforced(before.Epoch, before.Rev)["gw"] }, 10*time.Second, time.Millisecond)
	require.Equal(t, map[string]bool{"gw": true, "late": true}, a.enforced(before.Epoch, before.Rev))
	require.Equal(t, map[string]bool{"gw": false, "late": false}, a.enforced(before.Epoch, before.Rev+1), "it was lost")
	require.Equal(t, map[string]bool{"gw": false, "late": false}, a.enforced("later", next.Rev+state.EpochStep))
	require.Equal(t, map[string]bool{"gw": false, "late": false}, a.enforced("later", math.MaxUint64))
}
