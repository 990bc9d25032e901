package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
)

type historyQuery struct {
	Keyed
	Limit  string `query:"limit" doc:"How many changes at most; capped at 10000, default 50"`
	Cursor uint64 `query:"cursor" doc:"Where to go on: the value of X-Waygate-Next"`
}

type historyAnswer struct {
	Next string `header:"X-Waygate-Next" doc:"The value of cursor= that asks for what follows; absent at the end"`
	Body []wire.RouteChange
}

// history registers the calls on the past of a route.
func (s *server) history(d huma.API) {
	op := operation(http.MethodGet, "/routes/{key}/history", "route-history", "audit",
		"Every change of one key, its parts and its windows, newest first")
	huma.Register(d, op, func(ctx context.Context, in *historyQuery) (*historyAnswer, error) {
		if err := principal(ctx).May(people.ScopeRead); err != nil {
			return nil, problemOf(err)
		}
		out, err := s.routeHistory(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
	handle(s, d, operation(http.MethodPost, "/routes/{key}/restore", "restore-route", "routes",
		"Have the key, its parts and its windows, as it was at a revision: a new commit"), people.ScopeChange, s.restoreRoute)
}

func (s *server) routeHistory(ctx context.Context, in *historyQuery) (*historyAnswer, error) {
	spelled, err := spelling(in.Key)
	if err != nil {
		return nil, err
	}
	limit, err := auditLimit(in.Limit)
	if err != nil {
		return nil, err
	}
	all, next, err := s.cfg.Service.History(ctx, spelled, limit, in.Cursor)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := &historyAnswer{Next: cursorOf(next), Body: make([]wire.RouteChange, len(all))}
	for i, c := range all {
		e := wire.RouteChange{
			Timestamp: wire.Stamp(c.At), Actor: c.Actor, Platform: string(c.Platform), Changes: fieldChanges(c.Changes),
			Place: wire.Place{Revision: c.Rev, Epoch: c.Epoch},
		}
		if len(c.Records) > 0 {
			e.Action, e.Reason = string(c.Records[0].Action), c.Records[0].Reason
		}
		out.Body[i] = e
	}
	return out, nil
}

func (s *server) restoreRoute(ctx context.Context, who people.Principal, in *bodied[wire.RestoreBody]) (wire.Restored, error) {
	spelled, err := spelling(in.Key)
	if err != nil {
		return wire.Restored{}, err
	}
	r, told, err := s.cfg.Service.Restore(ctx, who, admin.Retry{Key: in.Retry, Asked: struct {
		Restore string
		wire.RestoreBody
	}{in.Key, in.Body}}, admin.RestoreOrder{Spelled: spelled, To: in.Body.Revision, Reason: in.Body.Reason, DryRun: in.Body.DryRun})
	if err != nil {
		return wire.Restored{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return wire.Restored{ChangedRoute: changedRoute(&r, &r.Outcomes[0]), Changes: fieldChanges(told), DryRun: in.Body.DryRun}, nil
}
