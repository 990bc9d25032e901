package stream_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

type piece struct {
	Namespace string
	Frames    []state.Frame
	More      bool
}

type refusal struct {
	Error, Type, Title, Detail string
	Status                     int
}

func TestSingleQuestions(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		var committed []state.Frame
		for i := range 5 {
			committed = append(committed, s.block(fmt.Sprintf("GET:/%d", i)))
		}
		is, err := s.store.Pulse(t.Context())
		require.NoError(t, err)
		p := decode[pulse](t, body(t, s.ask("/api/stream/pulse?namespace=tests")))
		require.Equal(t, namespace, p.Namespace)
		require.Equal(t, is.Meta, p.Meta)

		whole := decode[document](t, body(t, s.ask("/api/stream/document")))
		require.Equal(t, namespace, whole.Namespace)
		require.Equal(t, is.Meta, whole.Meta)
		require.Len(t, whole.Fields, 6)

		ask := "/api/stream/frames?epoch=" + s.base.Epoch
		require.Equal(t, piece{Namespace: namespace, Frames: committed}, decode[piece](t, body(t, s.ask(ask+"&after=0"))))
		require.Equal(t, piece{Namespace: namespace, Frames: committed[2:4]}, decode[piece](t, body(t, s.ask(ask+"&after=2&limit=2"))))
		require.Contains(t, body(t, s.ask(ask+"&after=5")), `"frames":[]`)
	})
}

func TestThePieceOfTheLogIsBounded(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		for i := range 5 {
			statetest.Commit(t, s.store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), strings.Repeat("x", 1<<20)))
		}
		ask := "/api/stream/frames?epoch=" + s.base.Epoch
		p := decode[piece](t, body(t, s.ask(ask+"&after=0")))
		require.True(t, p.More)
		require.Len(t, p.Frames, 3, "a reason stands in a frame twice")
		p = decode[piece](t, body(t, s.ask(ask+"&after=3")))
		require.False(t, p.More)
		require.Len(t, p.Frames, 2)
		statetest.Commit(t, s.store, statetest.Block(t, "GET:/huge", strings.Repeat("x", 9<<20)))
		p = decode[piece](t, body(t, s.ask(ask+"&after=5")))
		require.False(t, p.More)
		require.Len(t, p.Frames, 1)
	})
	play(t, func(t *testing.T, s *scene) {
		for i := range 1001 {
			statetest.Commit(t, s.store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		}
		p := decode[piece](t, body(t, s.ask("/api/stream/frames?limit=2000&after=0&epoch="+s.base.Epoch)))
		require.Len(t, p.Frames, 1000)
		require.True(t, p.More)
	})
}

func TestRefusals(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		for _, c := range []struct {
			name, target string
			status       int
			kind         string
		}{
			{"stream of another namespace", "/api/stream?namespace=other", 409, "urn:waygate:namespace"},
			{"stream of an empty namespace", "/api/stream?namespace=", 409, "urn:waygate:namespace"},
			{"document of another namespace", "/api/stream/document?namespace=other", 409, "urn:waygate:namespace"},
			{"log of another epoch", "/api/stream/frames?epoch=x&after=0", 410, "urn:waygate:gap"},
			{"no revision", "/api/stream/frames?epoch=x", 400, "about:blank"},
			{"no number", "/api/stream/frames?epoch=x&after=-1", 400, "about:blank"},
			{"limit of nothing", "/api/stream/frames?epoch=x&after=1&limit=0", 400, "about:blank"},
			{"limit that is none", "/api/stream/frames?epoch=x&after=1&limit=many", 400, "about:blank"},
			{"another address", "/api/stream/else", 404, "about:blank"},
		} {
			t.Log(c.name)
			resp := s.ask(c.target)
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			require.Equal(t, namespace, resp.Header.Get("X-Waygate-Namespace"))
			is := decode[refusal](t, body(t, resp))
			require.Equal(t, c.kind, is.Type)
			require.Equal(t, c.status, is.Status)
			require.Equal(t, http.StatusText(c.status), is.Title)
			require.NotEmpty(t, is.Error)
			require.Equal(t, is.Error, is.Detail)
		}
	})
}

func TestWhenTheStoreIsAway(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.flaky.Cut()
		for _, target := range []string{"pulse", "document", "frames?after=0&epoch=" + s.base.Epoch} {
			resp := s.ask("/api/stream/" + target)
			require.Equal(t, 503, resp.StatusCode)
			require.Equal(t, "1", resp.Header.Get("Retry-After"))
			require.Contains(t, decode[refusal](t, body(t, resp)).Error, state.ErrUnavailable.Error())
		}
	})
}

func TestTheDocumentDoesNotWaitForAViewThatStandsStill(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		// A history that is not newer is held off by this admin's follower. It is the client's to decide.
		was, err := s.store.Pulse(t.Context())
		require.NoError(t, err)
		other := state.Meta{Epoch: state.NewEpoch(), Gen: was.Gen, Rev: 7}
		require.NoError(t, s.store.Seed(t.Context(), was.Meta, statetest.Document(t, other, "GET:/other"), nil))
		asked := time.Now()
		require.Equal(t, other, decode[document](t, body(t, s.ask("/api/stream/document"))).Meta)
		require.LessOrEqual(t, time.Since(asked), 1100*time.Millisecond)
	})
}

func TestOnlyGet(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		conn := s.pipes.dial()
		defer conn.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://admin/api/stream", nil)
		require.NoError(t, err)
		require.NoError(t, req.Write(conn))
		resp, err := http.ReadResponse(bufio.NewReader(conn), req)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, 405, resp.StatusCode)
		require.Equal(t, "GET", resp.Header.Get("Allow"))
		require.NotEmpty(t, decode[refusal](t, body(t, reply{resp})).Error)
	})
}
