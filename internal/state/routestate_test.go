package state_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestRouteStateOfAnUnknownKey(t *testing.T) {
	d := newDesk(t)
	text, err := json.Marshal(d.state("orders:GET:/a"))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"path": "orders:GET:/a", "service": "orders", "status": "active", "reason": "", "allowed_envs": [], "allowed_roles": [],
		"allowed_ips": [], "window": null, "sunset_date": null, "successor_path": null, "rollout_percentage": 100,
		"force_active": false, "base_status": "active", "windows": [], "until": null, "known": false, "set": false,
		"updated_by": null, "updated_at": null
	}`, string(text))
}

func TestRouteState(t *testing.T) {
	d := newDesk(t)
	d.run(`
		register GET:/v1/users/{uid}
		deprecate /v1/** successor=/v2 sunset=+48h reason=old
		env /v1/users/** envs=dev,staging
		@bob env GET:/v1/users/{id} envs=staging,prod
		disable GET:/v1/users/{id} end=+1h reason=bug
		schedule /v1/** start=+2h end=+3h reason=later
	`)
	st := d.state("GET:/v1/users/{whatever}")
	require.Equal(t, "GET:/v1/users/{uid}", st.Path)
	require.Nil(t, st.Service)
	require.Equal(t, state.Disabled, st.Status)
	require.Equal(t, state.EffectDisabled, st.Effect)
	require.Equal(t, state.EnvGated, st.BaseStatus)
	require.Equal(t, "bug", st.Reason)
	require.Equal(t, "GET:/v1/users/{uid}", st.Because)
	require.Equal(t, []string{"staging"}, st.AllowedEnvs, "several gates must all admit")
	require.Equal(t, &state.Span{Start: d.now, End: d.now.Add(time.Hour), Reason: "bug"}, st.Window)
	require.Equal(t, d.now.Add(time.Hour), *st.Until)
	require.Equal(t, "/v2", *st.SuccessorPath)
	require.Equal(t, d.now.Add(48*time.Hour), *st.SunsetDate)
	require.Len(t, st.Windows, 1)
	require.Equal(t, state.PhaseActive, st.Windows[0].Phase)
	require.Equal(t, "alice", *st.UpdatedBy)
	require.True(t, st.Known)

	d.now = d.now.Add(time.Hour)
	st = d.state("GET:/v1/users/{uid}")
	require.Equal(t, state.EnvGated, st.Status)
	require.Nil(t, st.Until)
	require.Equal(t, "later", st.Window.Reason, "the next pending one, of a key that contains it")
	require.Empty(t, st.Windows)

	d.now = d.now.Add(time.Hour)
	require.Equal(t, state.Maintenance, d.state("GET:/v1/a").Status)
	require.Equal(t, "/v1/**", d.state("GET:/v1/a").Because)
	d.run("enable GET:/v1/a")
	require.Equal(t, state.Deprecated, d.state("GET:/v1/a").Status)
	require.Nil(t, d.state("GET:/v1/a").Window)
}

func TestRouteStateLeavesSwitchesOut(t *testing.T) {
	d := newDesk(t)
	d.run("enable @@global\nstate GET:/a is active")
}

func TestRouteStateOfAProtectedKey(t *testing.T) {
	d := newDesk(t)
	d.run("protect GET:/v1/health\nmaintenance /v1/**\nstate GET:/v1/health is active")
	st := d.state("GET:/v1/health")
	require.True(t, st.ForceActive)
	require.Empty(t, st.Because)
	d.run("protect /safe/**")
	require.True(t, d.state("GET:/safe/a").ForceActive)
}

func TestWindowWithoutAnEndIsNotShown(t *testing.T) {
	d := newDesk(t)
	d.run("maintenance GET:/a start=-1m")
	require.Nil(t, d.state("GET:/a").Window)
	require.Nil(t, d.state("GET:/a").Windows[0].End)
	require.Nil(t, d.state("GET:/a").Until)
}

func TestASetIsKnownWhenSomethingInsideIs(t *testing.T) {
	d := newDesk(t)
	d.run("register GET:/v1/a")
	require.True(t, d.state("/v1/**").Known)
	require.True(t, d.state("/v1/a").Known)
	require.False(t, d.state("/v2/**").Known)
}

func TestARegistrationIsNoUpdateOfANamedKey(t *testing.T) {
	d := newDesk(t)
	d.run("@bob maintenance GET:/a\nregister GET:/a")
	require.Equal(t, "bob", *d.state("GET:/a").UpdatedBy)
}

func TestStates(t *testing.T) {
	d := newDesk(t)
	d.run("register orders:GET:/b\nregister GET:/a\nmaintenance ANY:/**")
	var paths []string
	for _, st := range d.snapshot().Document().States(d.now, nil) {
		require.Equal(t, state.Maintenance, st.Status)
		paths = append(paths, st.Path)
	}
	require.Equal(t, []string{"/**", "GET:/a", "orders:GET:/b"}, paths)
	kept := d.snapshot().Document().States(d.now, func(k state.Key) bool { return k.Service == "orders" })
	require.Len(t, kept, 1)
}

// BenchmarkList lists routes of which a hundredth has something in force: what one of them costs must not depend on how
// many there are.
func BenchmarkList(b *testing.B) {
	for _, routes := range []int{1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(routes), func(b *testing.B) {
			snap := listed(b, routes)
			for b.Loop() {
				require.Len(b, snap.Document().States(epoch0, nil), routes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*routes), "ns/route")
		})
	}
}

func listed(b *testing.B, routes int) *state.Snapshot {
	b.Helper()
	p := state.Patch{}
	for i := range routes {
		k, shown, err := state.ParseKey(fmt.Sprintf("svc%d:GET:/api/v%d/things/{id}/part%d", i%50, i%7, i))
		require.NoError(b, err)
		r := state.Route{Key: k, Shown: shown, Origin: state.OriginRegister}
		if i%100 == 0 {
			r.Standing = &state.Block{Effect: state.EffectMaintenance}
		}
		require.NoError(b, p.SetRoute(r))
	}
	doc, err := state.NewDocument(state.Meta{}).With(p, state.Meta{})
	require.NoError(b, err)
	snap, err := state.Compile(doc)
	require.NoError(b, err)
	return snap
}
