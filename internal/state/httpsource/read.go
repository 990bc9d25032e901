package httpsource

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// How long an answer is waited for where the caller has no earlier deadline.
const (
	quickTimeout  = 5 * time.Second
	framesTimeout = 30 * time.Second
	loadTimeout   = 90 * time.Second
)

// get reads the JSON of an answer that names our namespace.
func get[T any](ctx context.Context, s *Source, within time.Duration, path string, query url.Values) (answer T, err error) {
	ctx, cancel := s.bounded(ctx, within)
	defer cancel()
	resp, err := s.ask(ctx, path, query)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	if resp.Header.Get(namespaceHeader) == "" {
		return answer, notAdmin(resp)
	}
	text, err := read(resp)
	if err != nil {
		return answer, err
	}
	if json.Unmarshal(text, &answer) != nil {
		return answer, notAdmin(resp)
	}
	return answer, nil
}

// pulse is where the admin's store stands.
type pulse struct {
	Namespace string `json:"namespace"`
	state.Meta
	Now  time.Time `json:"now"`
	Beat time.Time `json:"beat"`
}

// Pulse implements state.Source. The clock is that of the admin's store.
func (s *Source) Pulse(ctx context.Context) (state.Pulse, error) {
	p, err := get[pulse](ctx, s, quickTimeout, "/stream/pulse", url.Values{})
	if err == nil && p.Epoch == "" {
		err = errors.New("it does not say where its store stands")
	}
	if err != nil {
		return state.Pulse{}, s.failed(ctx, "read where the store stands", err)
	}
	return state.Pulse{Meta: p.Meta, Now: p.Now, Beat: p.Beat}, nil
}

// document is a whole document.
type document struct {
	Meta   state.Meta  `json:"meta"`
	Fields state.Patch `json:"fields"`
}

// Load implements state.Source.
func (s *Source) Load(ctx context.Context) (*state.Document, error) {
	const doing = "load the document"
	d, err := get[document](ctx, s, loadTimeout, "/stream/document", url.Values{})
	if err == nil && d.Meta.Epoch == "" {
		err = errors.New("it does not say where its document stands")
	}
	if err != nil {
		return nil, s.failed(ctx, doing, err)
	}
	return state.NewDocument(d.Meta).With(d.Fields, d.Meta)
}

// frames is a piece of the log.
type frames struct {
	Frames []json.RawMessage `json:"frames"`
	More   bool              `json:"more"`
}

// Frames implements state.Source. The admin may give less at a time than it is asked for: then it is asked again. Fewer
// than limit are given where they are too large to be held at once.
func (s *Source) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	const doing = "read the log"
	var all []state.Frame
	size := 0
	for more := true; more && len(all) < limit && size < maxAnswer; {
		some, err := get[frames](ctx, s, framesTimeout, "/stream/frames", url.Values{
			"epoch": {epoch}, "after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(limit - len(all))},
		})
		if errors.Is(err, state.ErrGap) && len(all) > 0 {
			break // a new history began meanwhile
		}
		if err != nil {
			return nil, s.failed(ctx, doing, err)
		}
		for _, text := range some.Frames {
			f, err := state.ParseFrame(text)
			if err == nil && f.Rev != after+1 {
				err = state.ErrGap
			}
			if err != nil {
				return nil, s.failed(ctx, doing, err)
			}
			all, after, size = append(all, f), f.Rev, size+len(text)
		}
		more = some.More && len(some.Frames) > 0
	}
	return all, nil
}

// Report tells the admin what an instance says of itself; its store's clock stamps it. Where the admin's namespace is
// not known to be ours yet, it is asked for first: an instance must not show in the fleet of another one.
func (s *Source) Report(ctx context.Context, r state.Report) error {
	const doing = "report"
	if r.ID == "" {
		return state.Invalid("id", "a report names its instance")
	}
	if !s.known.Load() {
		if _, err := s.Pulse(ctx); !s.known.Load() {
			return s.failed(ctx, doing, err)
		}
	}
	text, err := encodeReport(r)
	if err != nil {
		return err
	}
	bound, cancel := s.bounded(ctx, quickTimeout)
	defer cancel()
	resp, err := s.send(bound, http.MethodPut, "/instances/"+url.PathEscape(r.ID), text)
	if err != nil {
		return s.failed(ctx, doing, err)
	}
	defer resp.Body.Close()
	if _, err := read(resp); err != nil {
		return s.failed(ctx, doing, err)
	}
	return nil
}
