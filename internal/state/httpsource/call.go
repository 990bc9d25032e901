package httpsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of what is read of an answer.
const (
	maxAnswer = 256 << 20
	maxError  = 64 << 10
)

// Names of headers.
const (
	tokenHeader     = "X-Waygate-Token" //nolint:gosec // the name of a header
	namespaceHeader = "X-Waygate-Namespace"
)

// ErrRefused is an admin that answers and will not have us: it serves another namespace, or the token does not do. The
// message holds what to change. It comes with state.ErrUnavailable.
var ErrRefused = errors.New("the admin refuses this instance")

// errTooLong is an answer, or an event, beyond its bound.
var errTooLong = errors.New("longer than it can be")

// ask opens an answer to a GET. An answer that is an error is one.
func (s *Source) ask(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	query.Set("namespace", s.namespace)
	return s.send(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
}

func (s *Source) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+"/api"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err //nolint:wrapcheck // failed says what was being done
	}
	req.Header.Set("User-Agent", "waygate-authz")
	if s.token != "" {
		req.Header.Set(tokenHeader, s.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err //nolint:wrapcheck // failed says what was being done
	}
	if err := s.check(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// check refuses what is an error, and what does not come from an admin of our namespace. Calls beside the stream do
// not name it.
func (s *Source) check(resp *http.Response) error {
	names, named := resp.Header[namespaceHeader]
	if named && (len(names) != 1 || names[0] != s.namespace) {
		s.known.Store(false)
		return fmt.Errorf("it serves the namespace %.64q, not %q: %w: %w", names[0], s.namespace, ErrRefused, state.ErrUnavailable)
	}
	if named {
		s.known.Store(true)
	}
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return s.refusal(resp)
}

// notAdmin is an answer that no admin gives.
func notAdmin(resp *http.Response) error {
	return fmt.Errorf("it answers %s, not as a Waygate admin does: is the base path right?: %w", resp.Status, state.ErrUnavailable)
}

// refusal reads an answer that is an error. It is the inverse of the table by which the admin answers.
func (s *Source) refusal(resp *http.Response) error {
	var p struct {
		Message string `json:"error"`
		Type    string `json:"type"`
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err != nil || json.Unmarshal(text, &p) != nil || p.Message == "" {
		return notAdmin(resp)
	}
	switch p.Type {
	case "urn:waygate:empty":
		return state.ErrEmpty
	case "urn:waygate:gap":
		return state.ErrGap
	case "urn:waygate:damaged":
		return fmt.Errorf("%.256s: %w", p.Message, state.ErrDamaged)
	case "urn:waygate:namespace":
		return fmt.Errorf("%.256s: %w: %w", p.Message, ErrRefused, state.ErrUnavailable)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%.256s (waygate token create --role instance makes a token for WAYGATE_TOKEN): %w: %w",
			p.Message, ErrRefused, state.ErrUnavailable)
	case http.StatusNotFound:
		return fmt.Errorf("%.256s: is the base path right?: %w", p.Message, state.ErrUnavailable)
	default:
		return fmt.Errorf("%.256s: %w", p.Message, state.ErrUnavailable)
	}
}

// read gives a whole body of at most maxAnswer bytes.
func read(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > maxAnswer {
		return nil, errTooLong
	}
	var buf bytes.Buffer
	if resp.ContentLength > 0 {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	if n > maxAnswer {
		return nil, errTooLong
	}
	return buf.Bytes(), err //nolint:wrapcheck // failed says what was being done
}
