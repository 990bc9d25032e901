package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// office is several admins on one Redis, which are killed and started again, and an instance that follows it.
type office struct {
	t        *testing.T
	redis    *parts.RedisServer
	admins   []*parts.Waygate
	authz    *parts.Waygate
	check    envoy_service_auth_v3.AuthorizationClient
	store    *redisstore.Store
	bookings []*booking
	since    map[string]time.Time // when each was asked for
	kills    int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, redis: parts.Redis(t), admins: make([]*parts.Waygate, 3), since: map[string]time.Time{}}
	for i := range o.admins {
		o.start(i)
	}
	socket := "unix://" + filepath.Join(t.TempDir(), "authz.sock")
	o.authz = parts.StartWaygate(t, parts.AuthzProgram, nil, "--listen", socket, "--ops-listen", "127.0.0.1:0", "--source", o.redis.URL())
	conn, err := grpc.NewClient(socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	o.check = envoy_service_auth_v3.NewAuthorizationClient(conn)
	o.store, err = redisstore.Open(t.Context(), o.redis.URL(), "default", redisstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.store.Close()) })
	return o
}

func (o *office) start(i int) {
	o.t.Helper()
	o.admins[i] = parts.StartWaygate(o.t, parts.AdminProgram, []string{
		"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + o.redis.URL(), "WAYGATE_UPCOMING_LEAD=2s",
	}, "--listen", "127.0.0.1:0")
}

func (o *office) post(path string, body any) {
	o.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(o.t, err)
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.admins[0].URL()+path, bytes.NewReader(text))
	require.NoError(o.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(o.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(o.t, err)
	require.Equal(o.t, http.StatusOK, resp.StatusCode, "%s: %s", text, answer)
}

// book asks an admin for all windows of a calendar of n, a fifth of them over edges of time zones.
func (o *office) book(c *calendar, n int, within time.Duration) {
	o.t.Helper()
	for i := range n / 5 {
		b := c.overAnEdge()
		if i%5 == 0 {
			b = c.daily(36)
		}
		b.body["path"] = b.path
		asked := time.Now()
		if b.recurs { // from the next time on
			b.spans = slices.DeleteFunc(b.spans, func(s spanOf) bool { return s.start.Before(asked) })
		}
		o.since[b.path] = asked
		o.post("/api/windows", b.body)
		o.bookings = append(o.bookings, b)
	}
	const batch = 200
	after := time.Now().Add(3*time.Second + time.Duration(n)*4*time.Millisecond)
	for left := n - n/5; left > 0; left -= batch {
		var changes []map[string]string
		for range min(batch, left) {
			b := c.soon(after, within)
			changes = append(changes, map[string]string{
				"action": "schedule", "path": b.path, "reason": "soon",
				"start": b.spans[0].start.Format(time.RFC3339Nano), "end": b.spans[0].end.Format(time.RFC3339Nano),
			})
			o.since[b.path] = time.Now()
			o.bookings = append(o.bookings, b)
		}
		o.post("/api/changes", map[string]any{"changes": changes})
	}
	require.True(o.t, time.Now().Before(after.Add(-2*time.Second)), "the calendar took too long to write: %s late", time.Since(after))
}

// kill kills admins at random and starts them again, until an instant.
func (o *office) kill(until time.Time) {
	o.t.Helper()
	for time.Now().Before(until) {
		pause(o.t, time.Duration(rand.IntN(1500))*time.Millisecond)
		i := rand.IntN(len(o.admins))
		o.admins[i].Kill()
		o.kills++
		o.start(i)
	}
}

// sample compares the instance's verdicts with the calendar until ctx ends, and gives how many there were and what was
// wrong. It asks most of all for windows with an edge near.
func (o *office) sample(ctx context.Context) (asked int, wrong []string) {
	for ctx.Err() == nil {
		b := o.bookings[rand.IntN(len(o.bookings))]
		before := time.Now()
		r, err := o.check.Check(ctx, checkOf(b.path))
		after := time.Now()
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		asked++
		from, to := before.Add(-edgeWithin), after.Add(edgeWithin)
		if want := b.at(from); want == b.at(to) && want == b.at(before) && want != (r.GetDeniedResponse() != nil) {
			wrong = append(wrong, fmt.Sprintf("%s at %s: refused is not %v (%v)", b.path, before.Format(time.RFC3339Nano), want, b.spans))
		}
	}
	return asked, wrong
}

func checkOf(path string) *envoy_service_auth_v3.CheckRequest {
	return &envoy_service_auth_v3.CheckRequest{Attributes: &envoy_service_auth_v3.AttributeContext{
		Request: &envoy_service_auth_v3.AttributeContext_Request{
			Http: &envoy_service_auth_v3.AttributeContext_HttpRequest{Method: "GET", Path: path},
		},
	}}
}

// decideAt compares Decide with the calendar at so many instants: near edges, and anywhere.
func (o *office) decideAt(samples int) {
	o.t.Helper()
	doc, err := o.store.Load(o.t.Context())
	require.NoError(o.t, err)
	snap, err := state.Compile(doc)
	require.NoError(o.t, err)
	inside := 0
	for range samples {
		b := o.bookings[rand.IntN(len(o.bookings))]
		s := b.spans[rand.IntN(len(b.spans))]
		at := s.start
		if rand.IntN(2) == 0 {
			at = s.end
		}
		switch rand.IntN(3) {
		case 0:
			at = at.Add(time.Duration(rand.IntN(3)-1) * time.Nanosecond)
		case 1:
			at = at.Add(time.Duration(rand.Int64N(int64(4*time.Hour))) - 2*time.Hour)
		}
		// What was over when it was asked for is not kept.
		if b.recurs && (at.Before(o.since[b.path]) || at.After(b.spans[len(b.spans)-2].start)) {
			continue
		}
		d := snap.Decide(&state.Request{Method: "GET", Target: b.path}, at)
		if want := b.at(at); d.Refused() != want {
			require.Equal(o.t, want, d.Refused(), "%s at %s: %v\n%v", b.path, at, b.body, b.spans)
		}
		if d.Refused() {
			inside++
		}
	}
	o.t.Logf("%d samples, %d of them inside a window", samples, inside)
	require.Greater(o.t, inside, samples/10)
}

// announced checks that each thing that windows did until an instant is in the log once, and gives how many were late.
func (o *office) announced(until time.Time) (late int) {
	o.t.Helper()
	want := map[string]time.Time{}
	expect := func(what string, b *booking, due time.Time) {
		if due.After(o.since[b.path].Add(edgeWithin)) && due.Before(until) {
			want[what+" "+b.path+" "+due.UTC().Format(time.RFC3339Nano)] = due
		}
	}
	for _, b := range o.bookings {
		for _, s := range b.spans {
			if !s.end.After(o.since[b.path]) {
				continue
			}
			expect("window_upcoming", b, s.start.Add(-2*time.Second))
			expect("maintenance_on", b, s.start)
			if due := s.end.Add(-10 * time.Minute); due.After(s.start) {
				expect("window_ending", b, due)
			}
			expect("maintenance_off", b, s.end)
		}
	}
	total := len(want)
	p, err := o.store.Pulse(o.t.Context())
	require.NoError(o.t, err)
	for after := uint64(0); after < p.Rev; {
		frames, err := o.store.Frames(o.t.Context(), p.Epoch, after, 500)
		require.NoError(o.t, err)
		for i := range frames {
			after = frames[i].Rev
			e, err := frames[i].Entry()
			require.NoError(o.t, err)
			if e.Kind != state.KindAnnounce {
				continue
			}
			for _, r := range e.Records {
				if !r.Due.Before(until) {
					continue
				}
				key := string(r.Action) + " " + r.Path + " " + r.Due.UTC().Format(time.RFC3339Nano)
				due, ok := want[key]
				require.True(o.t, ok, "%s is announced twice, or should not be", key)
				require.False(o.t, e.At.Before(due), key)
				if e.At.Sub(due) > 5*time.Second {
					late++
				}
				delete(want, key)
			}
		}
	}
	require.Empty(o.t, want, "never announced")
	o.t.Logf("%d announcements, each once; %d of them late", total, late)
	return late
}

// testCalendar lets n windows open and close within a span while admins are killed; in its last third all are dead.
func testCalendar(t *testing.T, n, samples int, within time.Duration) {
	t.Helper()
	o := newOffice(t)
	o.book(newCalendar(t, 1), n, within)
	o.decideAt(samples)
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	var asked int
	var wrong []string
	asking.Go(func() { asked, wrong = o.sample(ctx) })
	last := time.Now()
	for _, b := range o.bookings {
		if s := b.spans[0]; b.body == nil && s.end.After(last) {
			last = s.end
		}
	}
	o.kill(last.Add(-within / 2))
	for _, a := range o.admins {
		a.Kill()
	}
	pause(t, max(time.Until(last.Add(3*time.Second)), 0)) // late is what is told more than 5 s after it was due
	cancel()
	asking.Wait()
	require.Empty(t, wrong)
	t.Logf("%d admins killed; %d checks all along, each as the calendar says", o.kills, asked)
	require.Greater(t, asked, 1000)

	o.start(0)
	until := time.Now()
	require.Eventually(t, func() bool {
		doc, err := o.store.Load(t.Context())
		return err == nil && doc.NextMoment(state.Leads{Upcoming: 2 * time.Second, Ending: 10 * time.Minute}).After(until)
	}, waitLong, waitTick)
	require.Positive(t, o.announced(until), "what happened while no admin was there")
}

func TestACalendarIsKeptAndAnnouncedWhileAdminsDie(t *testing.T) {
	testCalendar(t, 300, 20_000, 6*time.Second)
}
