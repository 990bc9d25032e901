package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// Keyed is the input of a call on one route.
type Keyed struct {
	Key string `path:"key" doc:"The route key, base64url without padding or percent-encoded" example:"R0VUOi9wYXltZW50cw"`
}

// Retried is the part of every change's input that makes a retry safe.
type Retried struct {
	Retry string `header:"Idempotency-Key" doc:"Makes a retry safe for 24 h"`
}

// bodied is the input of a change of one route with a body.
type bodied[B any] struct {
	Keyed
	Retried
	Body B
}

// bare is the input of a change of one route without a body.
type bare struct {
	Keyed
	Retried
}

type listRoutes struct {
	Service string `query:"service" doc:"Only the keys of this service"`
}

// routes registers the calls on route keys.
func (s *server) routes(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/routes", "list-routes", "routes", "The states of all known keys"),
		people.ScopeRead, s.listRoutes)
	handle(s, d, operation(http.MethodGet, "/routes/{key}", "get-route", "routes", "The state of one key; of one that nobody knows a synthetic active one"),
		people.ScopeRead, s.getRoute)

	onRoute(s, d, "enable", "End what blocks the key, and open it inside wider blocks", func(b wire.ReasonBody) wire.Command {
		return wire.Command{Action: wire.ActionEnable, Reason: b.Reason}
	})
	onRoute(s, d, "disable", "Block the key as disabled", func(b wire.DisableBody) wire.Command {
		return wire.Command{Action: wire.ActionDisable, Reason: b.Reason, Until: b.Until}
	})
	onRoute(s, d, "maintenance", "Block the key as in maintenance, now or from a start", func(b wire.MaintenanceBody) wire.Command {
		return wire.Command{Action: wire.ActionMaintenance, Reason: b.Reason, Start: b.Start, End: b.End, Until: b.Until}
	})
	onRoute(s, d, "schedule", "Add a window of maintenance", func(b wire.ScheduleBody) wire.Command {
		return wire.Command{Action: wire.ActionSchedule, Reason: b.Reason, Start: b.Start, End: b.End}
	})
	onRoute(s, d, "env", "Admit requests of some environments only", func(b wire.EnvBody) wire.Command {
		return wire.Command{Action: wire.ActionEnv, Reason: b.Reason, Envs: b.Envs}
	})
	onRoute(s, d, "deprecate", "Tell callers that the route will end", func(b wire.DeprecateBody) wire.Command {
		return wire.Command{Action: wire.ActionDeprecate, Reason: b.Reason, Sunset: b.Sunset, Successor: b.Successor}
	})
	onRoute(s, d, "protect", "Refuse all commands that would block the key", func(b wire.ReasonBody) wire.Command {
		return wire.Command{Action: wire.ActionProtect, Reason: b.Reason}
	})
	onRoute(s, d, "unprotect", "Allow commands on the key again", func(b wire.ReasonBody) wire.Command {
		return wire.Command{Action: wire.ActionUnprotect, Reason: b.Reason}
	})

	handle(s, d, operation(http.MethodDelete, "/routes/{key}/schedule", "cancel-schedule", "routes", "End the key's windows, pending and running; never an until"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *bare) (wire.ChangedRoute, error) {
			return s.changeRoute(ctx, who, in.Key, in.Retry, wire.Command{Action: wire.ActionCancel})
		})
	handle(s, d, operation(http.MethodDelete, "/routes/{key}", "forget-route", "routes", "Forget a key that nothing holds; its log stays"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *bare) (wire.ChangedRoute, error) {
			return s.changeRoute(ctx, who, in.Key, in.Retry, wire.Command{Action: wire.ActionForget})
		})
}

// onRoute registers POST /api/routes/{key}/action.
func onRoute[B any](s *server, d huma.API, action, summary string, ask func(B) wire.Command) {
	handle(s, d, operation(http.MethodPost, "/routes/{key}/"+action, action+"-route", "routes", summary),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *bodied[B]) (wire.ChangedRoute, error) {
			return s.changeRoute(ctx, who, in.Key, in.Retry, ask(in.Body))
		})
}

func (s *server) listRoutes(_ context.Context, _ people.Principal, in *listRoutes) ([]wire.Route, error) {
	view, states, err := s.cfg.Service.Routes(in.Service)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := make([]wire.Route, len(states))
	for i := range states {
		out[i] = route(&states[i], view.Place())
	}
	return out, nil
}

func (s *server) getRoute(ctx context.Context, _ people.Principal, in *Keyed) (wire.Route, error) {
	spelled, err := spelling(in.Key)
	if err != nil {
		return wire.Route{}, err
	}
	view, st, err := s.cfg.Service.Route(ctx, spelled)
	if err != nil {
		return wire.Route{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return route(&st, view.Place()), nil
}

func (s *server) changeRoute(ctx context.Context, who people.Principal, segment, retry string, c wire.Command) (wire.ChangedRoute, error) {
	spelled, err := spelling(segment)
	if err != nil {
		return wire.ChangedRoute{}, err
	}
	c.Path = segment
	asked, err := commandOn(state.Target{Key: spelled.Key}, spelled, c, s.cfg.Service.Now())
	if err != nil {
		return wire.ChangedRoute{}, err
	}
	r, err := s.cfg.Service.Do(ctx, who, admin.Retry{Key: retry, Asked: c}, asked)
	if err != nil {
		return wire.ChangedRoute{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return changedRoute(&r, &r.Outcomes[0]), nil
}
