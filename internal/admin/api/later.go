package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
)

// Addresses that clients in the field ask and that need a word of their own.
const (
	streamPath = "/api/stream"
	eventsPath = "/api/sdk/events"
	importPath = "/api/import"
	trimPath   = "/api/audit/trim"
	feedPath   = "/api/calendar.ics"
)

// later registers the addresses of what older servers offer and this one does not: rate limits and feature flags, in
// the form in which the clients take a no. The list of rate limits is empty rather than refused, because the SDK reads
// it when it starts.
func (s *server) later(described huma.API) {
	refuse := func(what string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := principal(r.Context()).May(people.ScopeRead); err != nil {
				write(w, problemOf(err))
				return
			}
			write(w, newProblem(http.StatusNotImplemented, wire.ProblemBlank, what+" are not served by this server"))
		}
	}
	s.mux.HandleFunc("GET /api/rate-limits", func(w http.ResponseWriter, r *http.Request) {
		if err := principal(r.Context()).May(people.ScopeRead); err != nil {
			write(w, problemOf(err))
			return
		}
		writeJSON(w, http.StatusOK, []struct{}{})
	})
	for _, pattern := range []string{
		"/api/rate-limits", "/api/rate-limits/{rest...}", "/api/global-rate-limit", "/api/global-rate-limit/{rest...}",
		"/api/services/{service}/rate-limit", "/api/services/{service}/rate-limit/{rest...}",
	} {
		s.mux.HandleFunc(pattern, refuse("rate limits"))
	}
	for _, pattern := range []string{"/api/flags", "/api/flags/{rest...}", "/api/segments", "/api/segments/{rest...}"} {
		s.mux.HandleFunc(pattern, refuse("feature flags"))
	}
	s.mux.HandleFunc(eventsPath, func(w http.ResponseWriter, r *http.Request) {
		linger(r.Context())
		unknown(w, r)
	})
	if s.cfg.Stream == nil {
		return
	}
	for _, pattern := range []string{"GET " + streamPath, "GET " + streamPath + "/{question}"} {
		s.mux.HandleFunc(pattern, s.stream)
	}
	described.OpenAPI().AddOperation(streamOperation())
}

// stream hands over to the log's stream. It has no end to wait for, so the connection's deadlines are lifted; whoever
// serves it sees to a client that does not read.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	if err := principal(r.Context()).May(people.ScopeStream); err != nil {
		write(w, problemOf(err))
		return
	}
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		s.cfg.Log.Debug("the deadlines of a stream cannot be lifted", zap.Error(err))
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go s.whileAdmitted(r.WithContext(ctx), cancel)
	s.cfg.Stream.ServeHTTP(w, r.WithContext(ctx))
}

// admitEvery is how often the token of a stream is looked at again.
const admitEvery = time.Second

// whileAdmitted ends a call once its token counts no longer: a stream would outlive it otherwise.
func (s *server) whileAdmitted(r *http.Request, end context.CancelFunc) {
	tick := time.NewTicker(admitEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := s.admit(r); errors.Is(err, people.ErrToken) {
				end()
			}
		case <-r.Context().Done():
			return
		}
	}
}

// streams reports whether a call is the stream or one of the questions beside it, which have bounds of their own.
func (s *server) streams(method, below string) bool {
	own := below == streamPath || strings.HasPrefix(below, streamPath+"/")
	return own && method == http.MethodGet && s.cfg.Stream != nil
}

// streamOperation describes the stream, which is not huma's.
func streamOperation() *huma.Operation {
	op := operation(http.MethodGet, "/stream", "stream", "fleet",
		"Server-sent events: a snapshot, then each frame of the log; resumes after Last-Event-ID")
	op.Responses = map[string]*huma.Response{
		"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {}}},
	}
	return &op
}
