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

// Named is the input of a call on a service's switch.
type Named struct {
	Service string `path:"service" doc:"The service's name" example:"orders"`
}

// global is the input of a change of the global switch.
type global[B any] struct {
	Retried
	Body B
}

// ofService is the input of a change of a service's switch.
type ofService[B any] struct {
	Named
	Retried
	Body B
}

type nothing struct{}

// switches registers the calls on the global switch and those of services.
func (s *server) switches(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/global", "get-global", "switches", "The global switch"),
		people.ScopeRead, func(ctx context.Context, _ people.Principal, _ *nothing) (wire.Switch, error) {
			return s.getSwitch(ctx, state.Target{Global: true})
		})
	handle(s, d, operation(http.MethodGet, "/services", "list-services", "switches", "The services that a key, a switch or an instance names"),
		people.ScopeRead, func(ctx context.Context, _ people.Principal, _ *nothing) ([]string, error) {
			return s.cfg.Service.Services(ctx)
		})
	handle(s, d, operation(http.MethodGet, "/services/{service}/maintenance", "get-service", "switches", "The switch of a service"),
		people.ScopeRead, func(ctx context.Context, _ people.Principal, in *Named) (wire.Switch, error) {
			if err := state.CheckService(in.Service); err != nil {
				return wire.Switch{}, err //nolint:wrapcheck // it says what is wrong with the name
			}
			return s.getSwitch(ctx, state.Target{Service: in.Service})
		})
	onSwitch(s, d, "enable", "Shut; replaces reason, exemptions and flag", func(b wire.SwitchBody) wire.Command {
		return wire.Command{
			Action: wire.ActionEnable, Reason: b.Reason, ExemptPaths: b.ExemptPaths, IncludeForceActive: b.IncludeForceActive, Until: b.Until,
		}
	})
	onSwitch(s, d, "disable", "Open: every route is back to its own state", func(b wire.ReasonBody) wire.Command {
		return wire.Command{Action: wire.ActionDisable, Reason: b.Reason}
	})
	onSwitch(s, d, "exempt", "Let keys pass, or no longer; while off, stage them for the next enable", func(b wire.ExemptBody) wire.Command {
		return wire.Command{Action: wire.ActionExempt, Reason: b.Reason, Add: b.Add, Remove: b.Remove}
	})
}

// onSwitch registers an action for the global switch and for those of services.
func onSwitch[B any](s *server, d huma.API, action, summary string, ask func(B) wire.Command) {
	handle(s, d, operation(http.MethodPost, "/global/"+action, action+"-global", "switches", summary),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *global[B]) (wire.ChangedSwitch, error) {
			return s.changeSwitch(ctx, who, state.Target{Global: true}, in.Retry, ask(in.Body))
		})
	handle(s, d, operation(http.MethodPost, "/services/{service}/maintenance/"+action, action+"-service", "switches", summary),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *ofService[B]) (wire.ChangedSwitch, error) {
			if err := state.CheckService(in.Service); err != nil {
				return wire.ChangedSwitch{}, err //nolint:wrapcheck // it says what is wrong with the name
			}
			return s.changeSwitch(ctx, who, state.Target{Service: in.Service}, in.Retry, ask(in.Body))
		})
}

func (s *server) getSwitch(ctx context.Context, t state.Target) (wire.Switch, error) {
	view, err := s.cfg.Service.View()
	if err != nil {
		return wire.Switch{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return s.oneSwitch(ctx, view, t, view.Place()), nil
}

func (s *server) changeSwitch(ctx context.Context, who people.Principal, t state.Target, retry string, c wire.Command) (wire.ChangedSwitch, error) {
	c.Path = t.String()
	asked, err := commandOn(t, state.Spelling{}, c, s.cfg.Service.Now())
	if err != nil {
		return wire.ChangedSwitch{}, err
	}
	r, err := s.cfg.Service.Do(ctx, who, admin.Retry{Key: retry, Asked: c}, asked)
	if err != nil {
		return wire.ChangedSwitch{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return s.changedSwitch(ctx, &r, &r.Outcomes[0]), nil
}
