package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// changes registers the call that makes several changes as one commit.
func (s *server) changes(d huma.API) {
	handle(s, d, operation(http.MethodPost, "/changes", "make-changes", "changes", "Several changes as one commit: all or nothing"),
		people.ScopeChange, s.makeChanges)
}

func (s *server) makeChanges(ctx context.Context, who people.Principal, in *global[wire.Changes]) (wire.ChangesAnswer, error) {
	now := s.cfg.Service.Now()
	asked := make([]state.Command, len(in.Body.Changes))
	for i, c := range in.Body.Changes {
		var err error
		if asked[i], err = command(c, now); err != nil {
			return wire.ChangesAnswer{}, fmt.Errorf("change %d of %d: %w", i+1, len(asked), err)
		}
	}
	r, err := s.cfg.Service.Do(ctx, who, admin.Retry{Key: in.Retry, Asked: in.Body}, asked...)
	if err != nil {
		return wire.ChangesAnswer{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := wire.ChangesAnswer{Place: place(r.At), Changed: r.Changed, Duplicate: r.Duplicate}
	for i := range r.Outcomes {
		out.Results = append(out.Results, s.changeResult(ctx, &r, &r.Outcomes[i]))
	}
	return out, nil
}

// changeResult renders the route or the switch that a command was about.
func (s *server) changeResult(ctx context.Context, r *admin.Result, o *state.Outcome) wire.ChangeResult {
	if o.Target.Key.Path != "" {
		changed := changedRoute(r, o)
		return wire.ChangeResult{Route: &changed}
	}
	changed := s.changedSwitch(ctx, r, o)
	return wire.ChangeResult{Switch: &changed}
}
