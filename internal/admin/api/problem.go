package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// problem is an error on its way to a client.
type problem struct {
	wire.Problem
	retryAfter int // seconds; zero is none
}

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="waygate"`)
	}
	return h
}

// MarshalJSON is that of the wire form.
func (p *problem) MarshalJSON() ([]byte, error) { return json.Marshal(p.Problem) }

func newProblem(status int, kind, sentence string) *problem {
	return &problem{Problem: wire.Problem{
		Message: sentence, Type: kind, Title: http.StatusText(status), Status: status, Detail: sentence,
	}}
}

// kinds is the one table from errors to statuses. The first that matches counts.
func kinds() []struct {
	target     error
	status     int
	kind       string
	retryAfter int
} {
	return []struct {
		target     error
		status     int
		kind       string
		retryAfter int
	}{
		{people.ErrToken, http.StatusUnauthorized, wire.ProblemBlank, 0},
		{people.ErrCredentials, http.StatusUnauthorized, wire.ProblemBlank, 0},
		{people.ErrForbidden, http.StatusForbidden, wire.ProblemBlank, 0},
		{people.ErrNoUsers, http.StatusNotImplemented, wire.ProblemBlank, 0},
		{people.ErrKeyReused, http.StatusUnprocessableEntity, wire.ProblemBlank, 0},
		{admin.ErrKeyReused, http.StatusUnprocessableEntity, wire.ProblemBlank, 0},
		{state.ErrProtected, http.StatusConflict, wire.ProblemProtected, 0},
		{state.ErrInForce, http.StatusConflict, wire.ProblemInForce, 0},
		{admin.ErrBusy, http.StatusServiceUnavailable, wire.ProblemBlank, 5},
		{admin.ErrFixed, http.StatusConflict, wire.ProblemFixed, 0},
		{state.ErrUnknownKey, http.StatusNotFound, wire.ProblemUnknown, 0},
		{state.ErrNotFound, http.StatusNotFound, wire.ProblemBlank, 0},
		{state.ErrUnknownOutcome, http.StatusGatewayTimeout, wire.ProblemOutcome, 1},
		{state.ErrConflict, http.StatusServiceUnavailable, wire.ProblemBlank, 1},
		{state.ErrUnavailable, http.StatusServiceUnavailable, wire.ProblemBlank, 2},
		{state.ErrEmpty, http.StatusServiceUnavailable, wire.ProblemBlank, 2},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, wire.ProblemBlank, 2},
		{context.Canceled, http.StatusServiceUnavailable, wire.ProblemBlank, 2},
	}
}

// problemOf turns any error into what clients see of it.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if invalid, ok := errors.AsType[*state.InvalidError](err); ok {
		p := newProblem(http.StatusBadRequest, wire.ProblemBlank, invalid.Problem)
		p.Field = invalid.Field
		return p
	}
	if ambiguous, ok := errors.AsType[*state.AmbiguousError](err); ok {
		p := newProblem(http.StatusConflict, wire.ProblemAmbiguous, ambiguous.Error())
		p.AmbiguousMatches = ambiguous.Matches
		return p
	}
	if many, ok := errors.AsType[*people.TooManyError](err); ok {
		p := newProblem(http.StatusTooManyRequests, wire.ProblemBlank, many.Error())
		p.retryAfter = many.Seconds()
		return p
	}
	for _, k := range kinds() {
		if errors.Is(err, k.target) {
			p := newProblem(k.status, k.kind, err.Error())
			p.retryAfter = k.retryAfter
			return p
		}
	}
	return newProblem(http.StatusInternalServerError, wire.ProblemBlank, "something went wrong inside the server")
}

// isEmpty is what is said of a member that cannot be empty. A time that is empty is not one that is absent: what was meant
// to end would have no end.
const isEmpty = "it is empty: leave it out, or give it a value"

// validation turns what huma says of a request into a sentence. All of it is 400.
func validation(e *huma.ErrorModel) *problem {
	status := e.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	p := newProblem(status, wire.ProblemBlank, e.Detail)
	var all []string
	for _, d := range e.Errors {
		if d == nil {
			continue
		}
		said := strings.Replace(d.Message, "unexpected property", "there is no such member here", 1)
		said = strings.Replace(said, "expected length >= 1", isEmpty, 1)
		where := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body."), "query.")
		if p.Field == "" {
			p.Field = where
		}
		if where == "" || where == "body" {
			all = append(all, "the body: "+said)
		} else {
			all = append(all, where+": "+said)
		}
	}
	if len(all) > 0 {
		p.Message = strings.Join(all[:min(len(all), 3)], "; ")
		p.Detail = p.Message
	}
	return p
}

// write sends a problem outside of huma.
func write(w http.ResponseWriter, p *problem) {
	maps.Copy(w.Header(), p.GetHeaders())
	writeJSON(w, p.Status, p)
}

// writeJSON sends an answer outside of huma.
func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone; there is nobody to tell
}
