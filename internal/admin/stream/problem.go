package stream

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/waygate/waygate/internal/state"
)

// problem is the body of an error, in the form all errors of the API have: a sentence, and the members of RFC 9457.
type problem struct {
	Message string `json:"error"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
}

// Kinds of problems that clients tell apart; all others are about:blank.
const (
	kindBlank     = "about:blank"
	kindNamespace = "urn:waygate:namespace"
	kindEmpty     = "urn:waygate:empty"
	kindGap       = "urn:waygate:gap"
	kindDamaged   = "urn:waygate:damaged"
)

// problemOf turns an error of the store into what clients see of it.
func problemOf(err error) problem {
	if invalid, ok := errors.AsType[*state.InvalidError](err); ok {
		return problem{Status: http.StatusBadRequest, Message: invalid.Problem}
	}
	switch {
	case errors.Is(err, state.ErrEmpty):
		return problem{Status: http.StatusServiceUnavailable, Type: kindEmpty, Message: err.Error()}
	case errors.Is(err, state.ErrGap):
		return problem{Status: http.StatusGone, Type: kindGap, Message: err.Error()}
	case errors.Is(err, state.ErrDamaged):
		return problem{Status: http.StatusInternalServerError, Type: kindDamaged, Message: err.Error()}
	default:
		return problem{Status: http.StatusServiceUnavailable, Message: err.Error()}
	}
}

func busy(sentence string) problem {
	return problem{Status: http.StatusServiceUnavailable, Message: sentence}
}

func refuseMethod(w http.ResponseWriter) {
	w.Header().Set("Allow", http.MethodGet)
	refuse(w, problem{Status: http.StatusMethodNotAllowed, Message: "only GET is possible here"})
}

// retryAfter is when to ask again where the store was not available, in seconds.
const retryAfter = 1

// refuse answers with a problem.
func refuse(w http.ResponseWriter, p problem) {
	if p.Type == "" {
		p.Type = kindBlank
	}
	p.Title, p.Detail = http.StatusText(p.Status), p.Message
	line, err := json.Marshal(p)
	if err != nil {
		line = []byte(`{"error":"the answer cannot be encoded"}`)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(line)+1))
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(line, '\n')) // the client may be gone; there is nobody to tell
}
