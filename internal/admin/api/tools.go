package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// importPath is where a copy is taken in, which may be large and take long.
const importPath = "/api/import"

type importInput struct {
	Retried
	Replace bool   `query:"replace" doc:"Make everything equal to the copy, instead of only adding"`
	DryRun  bool   `query:"dry_run" doc:"Change nothing and tell what would change"`
	Reason  string `query:"reason" maxLength:"1000"`
	Body    wire.Copy
}

// tools registers the calls of people who look after a Waygate.
func (s *server) tools(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/explain", "explain", "tools", "What would happen to a request, and why"),
		people.ScopeRead, func(_ context.Context, _ people.Principal, in *wire.ExplainBody) (wire.Explanation, error) {
			return s.explain(in)
		})
	handle(s, d, operation(http.MethodPost, "/explain", "explain-body", "tools", "What would happen to a request, and why"),
		people.ScopeRead, func(_ context.Context, _ people.Principal, in *struct{ Body wire.ExplainBody }) (wire.Explanation, error) {
			return s.explain(&in.Body)
		})
	handle(s, d, operation(http.MethodGet, "/export", "export", "tools", "All that people said, as a copy that can be taken in elsewhere"),
		people.ScopeRead, s.export)
	op := operation(http.MethodPost, "/import", "import", "tools", "Take a copy in: adds keys and blocks and lifts none, unless it replaces")
	handle(s, d, op, people.ScopeChange, s.takeIn)
	handle(s, d, operation(http.MethodGet, "/doctor", "doctor", "tools", "What the admin finds when it looks at itself, its store and the fleet"),
		people.ScopeRead, s.doctor)
}

func (s *server) explain(in *wire.ExplainBody) (wire.Explanation, error) {
	if in.Target == "" {
		return wire.Explanation{}, state.Invalid("target", "a target is needed: the path with its query, as a client sends it")
	}
	view, d, err := s.cfg.Service.Decide(&state.Request{
		Method: cmp.Or(in.Method, http.MethodGet), Target: in.Target, Service: in.Service, Env: in.Env,
		Overrides: in.Overrides, Preflight: in.Preflight,
	})
	if err != nil {
		return wire.Explanation{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	name, status := causeOf(d.Cause)
	if d.Effect == state.EffectGone {
		status = http.StatusGone
	}
	out := wire.Explanation{
		Refused: d.Refused(), Cause: name, Status: string(d.Status), HTTPStatus: status, Path: d.Path, Reason: d.Reason,
		RetryAt: wire.StampOrNil(d.RetryAt), Envs: d.Envs, Place: place(view.Place()),
	}
	if d.Deprecation != nil {
		out.Sunset, out.Successor = wire.StampOrNil(d.Deprecation.Sunset), d.Deprecation.Successor
	}
	return out, nil
}

// causeOf names a cause, with the status that a client gets for it; 0 where the request passes.
func causeOf(c state.Cause) (name string, status int) {
	switch c {
	case state.CauseDeprecated:
		return "deprecated", 0
	case state.CauseEnvGated:
		return "env_gated", http.StatusForbidden
	case state.CauseMaintenance:
		return "maintenance", http.StatusServiceUnavailable
	case state.CauseDisabled:
		return "disabled", http.StatusServiceUnavailable
	case state.CauseUnreadable:
		return "unreadable", http.StatusBadRequest
	case state.CauseStale:
		return "stale", http.StatusServiceUnavailable
	default:
		return "none", 0
	}
}

func (s *server) export(_ context.Context, _ people.Principal, _ *nothing) (wire.Copy, error) {
	view, c, err := s.cfg.Service.Export()
	if err != nil {
		return wire.Copy{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	at := wire.Stamp(view.Now)
	out := wire.Copy{
		Format: wire.CopyFormat, ExportedAt: &at, Revision: view.Place().Rev, Epoch: view.Place().Epoch,
		Routes: make([]wire.CopiedRoute, 0, len(c.Routes)),
	}
	if g := copiedSwitch(&c.Global); g != nil {
		out.Global = g
	}
	for name, own := range c.Services {
		if w := copiedSwitch(&own); w != nil {
			if out.Services == nil {
				out.Services = map[string]wire.CopiedSwitch{}
			}
			out.Services[name] = *w
		}
	}
	for i := range c.Routes {
		out.Routes = append(out.Routes, copiedRoute(&c.Routes[i]))
	}
	return out, nil
}

func (s *server) takeIn(ctx context.Context, who people.Principal, in *importInput) (wire.Imported, error) {
	c, err := readCopy(&in.Body)
	if err != nil {
		return wire.Imported{}, err
	}
	asked := struct {
		Replace bool
		Copy    wire.Copy
	}{in.Replace, in.Body}
	mode := admin.ImportMode{Replace: in.Replace, DryRun: in.DryRun, Reason: in.Reason}
	r, diff, err := s.cfg.Service.Import(ctx, who, admin.Retry{Key: in.Retry, Asked: asked}, mode, c)
	if err != nil {
		return wire.Imported{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := wire.Imported{
		Place: place(r.At), Changed: r.Changed, DryRun: in.DryRun, Duplicate: r.Duplicate, Diff: make([]wire.Difference, len(diff)),
	}
	for i, d := range diff {
		out.Diff[i] = wire.Difference{Path: d.Path, How: d.How, Before: statusOrNil(d.Before), After: statusOrNil(d.After), Note: d.Note}
	}
	return out, nil
}

func (s *server) doctor(ctx context.Context, _ people.Principal, _ *nothing) (wire.Doctor, error) {
	c := s.cfg.Service.Checkup(ctx)
	out := wire.Doctor{
		Version: s.cfg.Version, Durability: string(c.Durability), Reachable: c.Reachable, RoundTrip: milliseconds(c.RoundTrip),
		ClockAhead: milliseconds(c.Ahead), Now: wire.Stamp(s.cfg.Service.Now()), Link: string(c.Link.Link), Alarm: c.Link.Alarm,
		Open: s.cfg.People.Open(), Strict: s.cfg.Service.Strict(), Behind: append([]string{}, c.Behind...), Place: place(c.Link.Meta),
	}
	for i := range c.Fleet {
		r := &c.Fleet[i]
		out.Checks += r.Checks
		switch r.Presence() {
		case state.Live:
			out.Live++
		case state.Lost:
			out.Lost++
		default:
			out.Gone++
		}
	}
	for _, f := range append(c.Findings, s.cfg.Endpoints.Findings(ctx)...) {
		out.Findings = append(out.Findings, wire.Finding{Level: string(f.Level), Subject: f.Subject, Message: f.Sentence, Advice: f.Advice})
	}
	return out, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
