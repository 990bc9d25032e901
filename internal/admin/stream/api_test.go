package stream_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/httpsource"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

const (
	patience = 20 * time.Second
	// The serverLimit is how long the server gives a call to be read and answered.
	serverLimit = 2 * time.Second
)

// whole is an admin with a user, and its API over TCP.
type whole struct {
	*httptest.Server
	store  *memstore.Store
	people *people.People
	alice  people.Principal
	token  string
}

func newWhole(t *testing.T, over func(*httptest.Server)) *whole {
	t.Helper()
	log := zaptest.NewLogger(t)
	w := &whole{store: memstore.New()}
	statetest.Seeded(t, w.store)
	roster, err := people.NewRoster("alice", "sesame", "", log)
	require.NoError(t, err)
	w.people = people.New(people.Config{Roster: roster, Store: w.store, Secret: "a secret of this test", SDKTerm: time.Hour, CLITerm: time.Hour, Log: log})
	require.NoError(t, w.people.Refresh(t.Context()))
	cache := new(state.Cache)
	var service *admin.Service
	follower := state.NewFollower(w.store, cache, state.FollowerOptions{OnApply: func(s *state.Snapshot, frames []state.Frame) {
		service.Applied(s, frames)
		w.people.Changed()
	}})
	service = admin.New(admin.Config{Store: w.store, Fleet: w.store, Cache: cache, Follower: follower, Log: log})
	follows := stream.New(stream.Config{Source: w.store, Cache: cache, Follower: follower, Namespace: namespace, Log: log})
	handler, err := api.New(api.Config{Service: service, People: w.people, Stream: follows, BasePath: "/waygate", Version: "test", Log: log})
	require.NoError(t, err)
	w.Server = httptest.NewUnstartedServer(handler)
	w.Config.WriteTimeout, w.Config.ReadTimeout = serverLimit, serverLimit
	over(w.Server)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { follower.Run(ctx) })
	running.Go(func() { w.people.Run(ctx) })
	t.Cleanup(func() {
		follows.Close()
		w.Close()
		cancel()
		running.Wait()
	})
	<-follower.Ready()
	session, err := w.people.Login(t.Context(), "alice", "sesame", state.PlatformCLI, "192.0.2.9:1")
	require.NoError(t, err)
	w.token = session.Token
	w.alice, err = w.people.Verify(w.token)
	require.NoError(t, err)
	return w
}

// instance makes a token for an instance, and a source with it.
func (w *whole) instance(t *testing.T) (source *httpsource.Source, id string) {
	t.Helper()
	made, err := w.people.CreateToken(t.Context(), w.alice, "", "gateway", people.Instance, time.Hour)
	require.NoError(t, err)
	return w.source(t, made.Text), made.ID
}

func (w *whole) source(t *testing.T, token string) *httpsource.Source {
	t.Helper()
	s, err := httpsource.New(httpsource.Config{
		Base: w.URL + "/waygate", Token: token, Namespace: namespace, TLS: w.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// watch follows a source until the test ends, and tells how that ended.
func watch(t *testing.T, s *httpsource.Source) (frames chan state.Frame, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	frames, ended = make(chan state.Frame, 16), make(chan error, 1)
	subscribed := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ended <- s.Watch(ctx, state.Watcher{Subscribed: func() { close(subscribed) }, Frame: func(f state.Frame) { frames <- f }})
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	select {
	case <-subscribed:
	case err := <-ended:
		require.NoError(t, err)
	}
	return frames, ended
}

func TestAnInstanceThroughTheAPI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		start func(*httptest.Server)
	}{
		{"plain", (*httptest.Server).Start},
		{"TLS", (*httptest.Server).StartTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWhole(t, c.start)
			source, _ := w.instance(t)
			frames, ended := watch(t, source)

			require.NoError(t, source.Report(t.Context(), state.Report{
				ID: "host/unix:///run/w.sock", Epoch: "e", Gen: 3, Rev: 4, Hits: map[string]uint64{"GET:/a": 1},
			}))
			reports, err := w.store.Reports(t.Context())
			require.NoError(t, err)
			require.Len(t, reports, 1)
			require.Equal(t, "host/unix:///run/w.sock", reports[0].ID)
			require.Equal(t, uint64(3), reports[0].Gen)
			require.Equal(t, uint64(4), reports[0].Rev)
			require.Equal(t, uint64(1), reports[0].Hits["GET:/a"])

			// The server's own limits end no stream.
			select {
			case err := <-ended:
				require.NoError(t, err)
			case <-time.After(2 * serverLimit):
			}
			want := statetest.Commit(t, w.store, statetest.Block(t, "GET:/a", "x")).Frame
			require.Equal(t, want, <-frames)
			got, err := source.Load(t.Context())
			require.NoError(t, err)
			same, err := w.store.Load(t.Context())
			require.NoError(t, err)
			statetest.Same(t, same, got)
		})
	}
}

func TestAStreamOverHTTP2(t *testing.T) {
	t.Parallel()
	w := newWhole(t, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.StartTLS()
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/waygate/api/stream", nil)
	require.NoError(t, err)
	req.Header.Set("X-Waygate-Token", w.token)
	resp, err := w.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 2, resp.ProtoMajor)
	began, lines := time.Now(), bufio.NewReader(resp.Body)
	for time.Since(began) < 2*serverLimit {
		_, err := lines.ReadString('\n')
		require.NoError(t, err)
	}
}

func TestARevokedTokenEndsItsStream(t *testing.T) {
	t.Parallel()
	w := newWhole(t, (*httptest.Server).Start)
	source, id := w.instance(t)
	other, _ := w.instance(t)
	_, ended := watch(t, source)
	frames, _ := watch(t, other)
	require.NoError(t, w.people.RevokeToken(t.Context(), w.alice, id))
	select {
	case err := <-ended:
		require.ErrorIs(t, err, state.ErrUnavailable)
	case <-time.After(patience):
		require.FailNow(t, "the stream outlived its token")
	}
	_, err := source.Pulse(t.Context())
	require.ErrorIs(t, err, httpsource.ErrRefused)
	want := statetest.Commit(t, w.store, statetest.Block(t, "GET:/a", "x")).Frame
	for f := range frames { // tokens are made and revoked by commits, too
		if f.Rev == want.Rev {
			return
		}
	}
}

func TestNobodyFollowsWithoutAToken(t *testing.T) {
	w := newWhole(t, (*httptest.Server).Start)
	for _, token := range []string{"", "forged"} {
		source := w.source(t, token)
		_, err := source.Pulse(t.Context())
		require.ErrorIs(t, err, httpsource.ErrRefused)
		_, err = source.Load(t.Context())
		require.ErrorIs(t, err, httpsource.ErrRefused)
		err = source.Watch(t.Context(), state.Watcher{})
		require.ErrorIs(t, err, httpsource.ErrRefused)
	}
}
