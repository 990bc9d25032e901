package state_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/readingtest"
)

func TestDecideTellsWho(t *testing.T) {
	maint, disabled := state.EffectMaintenance, state.EffectDisabled
	for _, tt := range []struct {
		name   string
		facts  func(*facts)
		ask    string
		path   string
		reason string
		effect state.Effect
		retry  time.Time
	}{
		{
			name:  "the stricter one, as its key is shown",
			facts: func(f *facts) { f.maintenance("/users/{id}").disabled("/users/{uid}/**") },
			ask:   "GET /users/7", path: "/users/{uid}/**", reason: "standing /users/{uid}/**", effect: disabled,
		},
		{
			name:  "of equals the one that ends last, and what ends tells when",
			facts: func(f *facts) { f.window("/a", maint, -1, 5).window("/a/**", maint, -1, 9).window("/a", maint, -1, 7) },
			ask:   "GET /a", path: "/a/**", reason: "window to 9", effect: maint, retry: minute(9),
		},
		{
			name:  "no end is last",
			facts: func(f *facts) { f.window("/a", maint, -1, 5).maintenance("/a/**") },
			ask:   "GET /a", path: "/a/**", reason: "standing /a/**", effect: maint,
		},
		{
			name:  "of those that end alike the lower key",
			facts: func(f *facts) { f.maintenance("/a/**").maintenance("GET:/a").maintenance("/a") },
			ask:   "GET /a", path: "/a", reason: "standing /a", effect: maint,
		},
		{
			name:  "the lower key, a switch among them",
			facts: func(f *facts) { f.global(on(f)).maintenance("pay:/a").maintenance("GET:/a") },
			ask:   "GET /a service=pay", path: "GET:/a", reason: "standing GET:/a", effect: maint,
		},
		{
			name:  "a switch by its sentinel",
			facts: func(f *facts) { f.service("pay", on(f)) },
			ask:   "GET /a service=pay", path: "__waygate:svc_global:pay__", reason: "all shut", effect: maint,
		},
		{
			name:  "the global switch",
			facts: func(f *facts) { f.global(on(f)).window("/a", maint, -1, 5) },
			ask:   "GET /a", path: "__global__", reason: "all shut", effect: maint,
		},
		{
			name:  "on one key the standing part before a window without an end",
			facts: func(f *facts) { f.maintenance("/a").window("/a", maint, -1, 0) },
			ask:   "GET /a", path: "/a", reason: "standing /a", effect: maint,
		},
		{
			name:  "retry after the latest end of all that refuse, not of what speaks",
			facts: func(f *facts) { f.window("/a", disabled, -1, 5).window("/**", maint, -1, 9) },
			ask:   "GET /a", path: "/a", reason: "window to 5", effect: disabled, retry: minute(9),
		},
		{
			name:  "no retry where one of them has no end",
			facts: func(f *facts) { f.window("/a", disabled, -1, 5).maintenance("/**") },
			ask:   "GET /a", path: "/a", reason: "window to 5", effect: disabled,
		},
		{
			name:  "no retry where a gate refuses",
			facts: func(f *facts) { f.window("/a", maint, -1, 5).gate("/a/**", "dev") },
			ask:   "GET /a env=prod", path: "/a", reason: "window to 5", effect: maint,
		},
		{
			name:  "retry where the gate admits",
			facts: func(f *facts) { f.window("/a", maint, -1, 5).gate("/a/**", "dev") },
			ask:   "GET /a env=dev", path: "/a", reason: "window to 5", effect: maint, retry: minute(5),
		},
		{
			name:  "what is excepted does not count for the retry",
			facts: func(f *facts) { f.window("/a", maint, -1, 5).disabled("/{x}", "/a") },
			ask:   "GET /a", path: "/a", reason: "window to 5", effect: maint, retry: minute(5),
		},
		{
			name: "an end too far for a count of nanoseconds",
			facts: func(f *facts) {
				f.patch["w:far"] = []byte(`{"target":"/a","start":"0001-01-01T00:00:00Z","end":"2999-01-01T00:00:00Z","effect":"maintenance","reason":"far","origin":"until"}`)
			},
			ask: "GET /a", path: "/a", reason: "far", effect: maint, retry: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		{
			name:  "a window on a key that nobody declared",
			facts: func(f *facts) { f.window("GET:/x/{id}", disabled, -1, 5) },
			ask:   "GET /x/1", path: "GET:/x/{}", reason: "window to 5", effect: disabled, retry: minute(5),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := factsOf(t)
			tt.facts(f)
			d := ask(f.compile(), tt.ask, epoch0)
			require.True(t, d.Refused())
			require.Equal(t, tt.path, d.Path)
			require.Equal(t, tt.reason, d.Reason)
			require.Equal(t, tt.effect, d.Effect)
			require.Equal(t, tt.effect.Status(), d.Status)
			require.True(t, tt.retry.Equal(d.RetryAt), d.RetryAt)
			require.Nil(t, d.Deprecation)
		})
	}
}

func TestDecideTellsTheGate(t *testing.T) {
	s := factsOf(t).gate("GET:/b", "qa", "dev").gate("/b", "prod").compile()
	d := ask(s, "GET /b env=qa", epoch0)
	require.Equal(t, state.CauseEnvGated, d.Cause)
	require.Equal(t, []string{"prod"}, d.Envs)
	require.Equal(t, "/b", d.Path)
	require.Equal(t, "gate /b", d.Reason)
	require.Equal(t, []string{"prod"}, ask(s, "GET /b", epoch0).Envs, "the lower key speaks of two")
	require.Equal(t, []string{"qa", "dev"}, ask(s, "GET /b env=prod", epoch0).Envs)
}

func TestAGateLeavesItsExceptionsAlone(t *testing.T) {
	s := factsOf(t).route("/users/{id}", func(r *state.Route) {
		r.Gate = &state.Gate{Envs: []string{"dev"}, Except: []state.Key{{Path: "/users/me"}}}
	}).compile()
	verdicts{"GET /users/7": "env_gated", "GET /users/me": "active", "GET /users/ME": "env_gated", "GET /users/7 env=dev": "active"}.check(t, s)
}

func TestDecideTellsTheDeprecation(t *testing.T) {
	s := factsOf(t).deprecated("/a/**").deprecated("/a/{x}").protected("/a/p").disabled("/a/p").compile()
	for _, path := range []string{"/a/b", "/a/p"} {
		d := ask(s, "GET "+path, epoch0)
		require.Equal(t, state.CauseDeprecated, d.Cause, path)
		require.Equal(t, "/a/**", d.Path, "the lower key speaks")
		require.Equal(t, "old /a/**", d.Reason)
		require.Equal(t, epoch0, d.Deprecation.Since)
	}
}

func TestUnreadableIsCountedAlsoWhereItPasses(t *testing.T) {
	idle, busy := factsOf(t).compile(), factsOf(t).disabled("/x").compile()
	for _, text := range []string{"GET /a%zz", "get /a", "GET /a unreadable"} {
		require.True(t, ask(idle, text, epoch0).Unreadable)
		require.Equal(t, state.CauseNone, ask(idle, text, epoch0).Cause)
		require.True(t, ask(busy, text, epoch0).Unreadable)
		require.Equal(t, state.CauseUnreadable, ask(busy, text, epoch0).Cause)
	}
	require.False(t, ask(busy, "GET /a", epoch0).Unreadable)
}

func TestRecurringWindowHoldsByOccurrence(t *testing.T) {
	f := factsOf(t)
	w := state.Window{
		ID: "w", Target: state.Target{Key: state.Key{Path: "/a/{}"}}, Start: minute(-100), End: minute(-99), Effect: state.EffectMaintenance, Recurs: &state.Recurrence{Rule: "RRULE:FREQ=HOURLY"}, Zone: "UTC",
		Except: []state.Key{{Path: "/a/always"}},
	}
	for i := range 48 {
		w.Occurrences = append(w.Occurrences, state.Occurrence{Start: minute(60 * i), End: minute(60*i + 30)})
	}
	w.Occurrences[3].Except = []state.Key{{Path: "/a/once"}}
	require.NoError(t, f.patch.SetWindow(w))
	s := f.compile()
	for i := range 48 {
		for _, m := range []int{60 * i, 60*i + 29} {
			require.Equal(t, minute(60*i+30), ask(s, "GET /a/b", minute(m)).RetryAt, m)
			require.False(t, shut(s, "GET /a/always", minute(m)), m)
			require.Equal(t, i != 3, shut(s, "GET /a/once", minute(m)), m)
			require.True(t, shut(s, "GET /%", minute(m)), m)
		}
		for _, m := range []int{60*i - 1, 60*i + 30} {
			require.False(t, shut(s, "GET /a/b", minute(m)), m)
			require.False(t, shut(s, "GET /%", minute(m)), m)
		}
	}
	require.False(t, shut(s, "GET /a/b", minute(-99)), "only occurrences are in force")
}

func TestManyExceptionsAreStillExceptions(t *testing.T) {
	var except []string
	for i := range 3000 {
		except = append(except, fmt.Sprintf("GET:/users/u%d", i), fmt.Sprintf("pay:/users/t%d/{x}", i))
	}
	s := factsOf(t).disabled("/users/**", except...).compile()
	verdicts{
		"GET /users/u7": "active", "POST /users/u7": "disabled", "GET /users/u3000": "disabled", "GET /users/t9/a service=pay": "active",
		"GET /users/t9/a": "disabled", "GET /users/t9 service=pay": "disabled", "GET /users/U7": "disabled", "HEAD /users/u2999": "active",
	}.check(t, s)
}

func TestManyServicesHaveTheSamePath(t *testing.T) {
	f := factsOf(t).gate("GET:/health", "dev").gate("POST:/health", "dev").deprecated("/health")
	for i := range 40 {
		f.disabled(fmt.Sprintf("s%02d:GET:/health", i)).maintenance(fmt.Sprintf("s%02d:PUT:/health", i))
	}
	s := f.compile()
	for i := range 40 {
		service := fmt.Sprintf(" service=s%02d", i)
		verdicts{
			"GET /health" + service: "disabled", "PUT /health" + service: "maintenance", "POST /health" + service: "env_gated", "DELETE /health" + service: "deprecated",
		}.check(t, s)
		require.Equal(t, fmt.Sprintf("s%02d:GET:/health", i), ask(s, "GET /health"+service, epoch0).Path)
	}
	verdicts{
		"GET /health service=a": "env_gated", "GET /health service=s40": "env_gated", "GET /health service=s1": "env_gated", "PUT /health service=zz": "deprecated",
		"GET /health": "disabled", "PUT /health": "maintenance",
	}.check(t, s)
}

func TestDecideDoesNotAllocate(t *testing.T) {
	f := factsOf(t).disabled("/users/{id}", "/users/me", "/users/x/{a}").maintenance("/many/**", manyKeys(20)...).gate("/g/{x}", "dev").
		deprecated("/old/**").protected("/health").window("/w", state.EffectMaintenance, -1, 5).window("/w", state.EffectMaintenance, -2, 6).
		global(state.Switch{}).service("pay", on(t, "/ok")).maintenance("/files/a-{x}.pdf").maintenance("GET:/tie").maintenance("/tie")
	s := f.compile()
	for _, text := range []string{
		"GET /nothing", "GET /users/7", "GET /Users/ME", "GET /users/me", "POST /many/a/b", "GET /many/k3", "GET /g/x env=prod", "GET /g/x env=dev", "GET /old/x",
		"GET /health", "GET /w", "GET /x service=pay", "GET /ok service=pay", "GET /files/a-1.pdf", "GET /users/7?q=1&b=2", "OPTIONS /users/7 preflight", "HEAD /tie",
	} {
		req := requestOf(text)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Decide(&req, epoch0) }), text)
	}
}

func manyKeys(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("/many/k%d", i))
	}
	return all
}

// TestOneRequestCannotCostMuch asks with more readings than an ordinary target has, against keys that match them all.
func TestOneRequestCannotCostMuch(t *testing.T) {
	f := factsOf(t).disabled("/**", manyKeys(50)...).protected("/a/b/**").maintenance("/{a}/**").global(on(t, manyKeys(50)...))
	s := f.compile()
	rng := rand.New(rand.NewPCG(4, 4))
	var worst string
	most := 0
	for range 5000 {
		target := readingtest.Mutate(rng, readingtest.Mutate(rng, "/a/b/c/d"))
		if readings, err := state.PathReadings(target); err == nil && len(readings) > most {
			worst, most = target, len(readings)
		}
	}
	require.Greater(t, most, 100)
	start := time.Now()
	const asked = 20
	for range asked {
		require.True(t, shut(s, "GET "+worst, epoch0))
	}
	require.Less(t, time.Since(start)/asked, 100*time.Millisecond, "%d readings of %q", most, worst)
}
