package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// fleetQuery asks how far the fleet is.
type fleetQuery struct {
	Revision uint64 `query:"revision" doc:"Tell whether each enforces this revision; default: the current one"`
	Epoch    string `query:"epoch" doc:"The epoch of that revision; default: the current one"`
}

// InstanceID is the input of a call on one instance.
type InstanceID struct {
	ID string `path:"id" doc:"The instance's id" example:"gw-1:9001"`
}

type reportInput struct {
	InstanceID
	Body wire.Report
}

// fleet registers the calls about the instances of waygate-authz.
func (s *server) fleet(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/instances", "list-instances", "fleet", "The instances that answer Envoy, and what each enforces"),
		people.ScopeRead, s.listInstances)
	handle(s, d, operation(http.MethodPut, "/instances/{id}", "report", "fleet", "Report as an instance"),
		people.ScopeReport, s.report)
	handle(s, d, operation(http.MethodDelete, "/instances/{id}", "forget-instance", "fleet", "Forget an instance: nobody waits for it any more"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *InstanceID) (wire.Done, error) {
			return wire.Done{OK: true}, s.cfg.Service.Forget(ctx, who, in.ID)
		})
}

func (s *server) listInstances(ctx context.Context, _ people.Principal, in *fleetQuery) ([]wire.Instance, error) {
	reports, err := s.cfg.Service.Instances(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	// After the reports: what instances had applied by then, we usually have by now.
	view, err := s.cfg.Service.View()
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	asked := view.Place()
	if in.Revision > 0 {
		asked.Rev = in.Revision
	}
	if in.Epoch != "" {
		asked.Epoch = in.Epoch
	}
	enforces := s.cfg.Service.Enforcing(ctx, view, asked)
	out := make([]wire.Instance, len(reports))
	for i := range reports {
		out[i] = instance(&reports[i], view.Place())
		out[i].Enforces = enforces(&reports[i])
	}
	return out, nil
}

// instance renders one report, as seen from where we stand.
func instance(r *state.Report, ours state.Meta) wire.Instance {
	out := wire.Instance{
		ID: r.ID, Boot: r.Boot, Version: r.Version, Service: r.Service, Environment: r.Env, Presence: string(r.Presence()),
		Applied: wire.Place{Revision: r.Rev, Epoch: r.Epoch}, Link: r.Link, Alarm: r.Alarm, SkewMS: r.SkewMS,
		LastSeen: wire.Stamp(r.Seen), SilentMS: r.Age.Milliseconds(),
		Checks: r.Checks, Refused: r.Refused, Unreadable: r.Unreadable, Hits: r.Hits, Unseen: r.Unseen,
	}
	out.Lag = ours.Rev
	if r.Epoch == ours.Epoch {
		out.Lag = ours.Rev - min(ours.Rev, r.Rev)
	}
	return out
}

func (s *server) report(ctx context.Context, who people.Principal, in *reportInput) (wire.Done, error) {
	b := in.Body
	return wire.Done{OK: true}, s.cfg.Service.Report(ctx, who, state.Report{
		ID: in.ID, Boot: b.Boot, Version: b.Version, Service: b.Service, Env: b.Env, Epoch: b.Epoch, Gen: b.Gen, Rev: b.Rev, Head: b.Head,
		Link: b.Link, Alarm: b.Alarm, SkewMS: b.SkewMS, Bye: b.Bye, Checks: b.Checks, Refused: b.Refused, Unreadable: b.Unreadable,
		Hits: b.Hits, Unseen: b.Unseen,
	})
}
