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
)

// The addresses at which the log is followed.
const (
	streamPath = "/api/stream"
	eventsPath = "/api/events"
)

// following registers them. They are not huma's: their answers do not end.
func (s *server) following(described huma.API) {
	if s.cfg.Stream == nil {
		return
	}
	for _, pattern := range []string{"GET " + streamPath, "GET " + streamPath + "/{question}"} {
		s.mux.HandleFunc(pattern, s.stream)
	}
	s.mux.HandleFunc("GET "+eventsPath, s.events)
	described.OpenAPI().AddOperation(streamOperation())
	described.OpenAPI().AddOperation(eventsOperation())
}

// streams reports whether a call follows the log or asks one of the questions beside the stream, which have bounds of
// their own.
func (s *server) streams(method, below string) bool {
	own := below == streamPath || strings.HasPrefix(below, streamPath+"/") || below == eventsPath
	return own && method == http.MethodGet && s.cfg.Stream != nil
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	s.follow(w, r, people.ScopeStream, s.cfg.Stream.ServeHTTP)
}

// events tells of what is in the audit as it gets there, and of nothing else that the log holds.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	in := filterIn(r.URL.Query())
	filter, err := in.filter(s.cfg.Service.Now())
	if err != nil {
		write(w, problemOf(err))
		return
	}
	lines, err := filter.Reader()
	if err != nil {
		write(w, problemOf(err))
		return
	}
	t := newTeller(s.cfg.Service, lines, in.wantsChanges())
	s.follow(w, r, people.ScopeRead, func(w http.ResponseWriter, r *http.Request) { s.cfg.Stream.Events(w, r, t.tell) })
}

// follow hands over to what follows the log, for as long as the caller may. It has no end to wait for, so the
// connection's deadlines are lifted; whoever serves it sees to a client that does not read.
func (s *server) follow(w http.ResponseWriter, r *http.Request, needs people.Scope, next http.HandlerFunc) {
	if err := principal(r.Context()).May(needs); err != nil {
		write(w, problemOf(err))
		return
	}
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		s.cfg.Log.Debug("the deadlines of a stream cannot be lifted", zap.Error(err))
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go s.whileAdmitted(r.WithContext(ctx), needs, cancel)
	next(w, r.WithContext(ctx))
}

// admitEvery is how often the token of a stream is looked at again.
const admitEvery = time.Second

// whileAdmitted ends a call once its token counts no longer, or for less: a stream would outlive it otherwise.
func (s *server) whileAdmitted(r *http.Request, needs people.Scope, end context.CancelFunc) {
	tick := time.NewTicker(admitEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			who, err := s.admit(r)
			if errors.Is(err, people.ErrToken) || err == nil && who.May(needs) != nil {
				end()
			}
		case <-r.Context().Done():
			return
		}
	}
}

func streamOperation() *huma.Operation {
	op := operation(http.MethodGet, "/stream", "stream", "fleet",
		"Server-sent events: a snapshot, then each frame of the log; resumes after Last-Event-ID")
	op.Responses = map[string]*huma.Response{
		"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {}}},
	}
	return &op
}

func eventsOperation() *huma.Operation {
	op := operation(http.MethodGet, "/events", "events", "audit",
		"Server-sent events for an EventSource: each entry of the audit as it is made, by the name of its action; resumes after Last-Event-ID")
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = append(filterParams(),
		&huma.Param{Name: "after", In: "query", Description: "Begin after this place, EPOCH.REVISION, instead of now; Last-Event-ID goes before", Schema: text})
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Events. The data of each is an entry of the audit with the member state: the route or the switch after it",
		Content:     map[string]*huma.MediaType{"text/event-stream": {}},
	}}
	return &op
}
