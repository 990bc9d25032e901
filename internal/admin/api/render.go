package api

import (
	"context"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

func place(m state.Meta) wire.Place { return wire.Place{Revision: m.Rev, Epoch: m.Epoch} }

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func statusOrNil(s state.Status) *string { return orNil(string(s)) }

// route renders the state of one key.
func route(st *state.RouteState, at state.Meta) wire.Route {
	r := wire.Route{
		Path: st.Path, Service: st.Service, Status: string(st.Status), Reason: st.Reason,
		AllowedEnvs: st.AllowedEnvs, AllowedRoles: st.AllowedRoles, AllowedIPs: st.AllowedIPs,
		SuccessorPath: st.SuccessorPath, RolloutPercentage: st.RolloutPercentage, ForceActive: st.ForceActive,
		BaseStatus: string(st.BaseStatus), Effect: string(st.Effect), Windows: windows(st.Windows),
		Because: st.Because, Known: st.Known, Set: st.Set, By: st.UpdatedBy, Place: place(at),
	}
	if st.Window != nil {
		r.Window = &wire.Span{Start: wire.Stamp(st.Window.Start), End: wire.Stamp(st.Window.End), Reason: st.Window.Reason}
	}
	if st.SunsetDate != nil {
		r.SunsetDate = wire.StampOrNil(*st.SunsetDate)
	}
	if st.Until != nil {
		r.Until = wire.StampOrNil(*st.Until)
	}
	if st.UpdatedAt != nil {
		r.At = wire.StampOrNil(*st.UpdatedAt)
	}
	if r.Because == r.Path {
		r.Because = ""
	}
	return r
}

func windows(list []state.WindowState) []wire.Window {
	out := make([]wire.Window, 0, len(list))
	for _, w := range list {
		one := wire.Window{
			ID: w.ID, Start: wire.Stamp(w.Start), Effect: string(w.Effect), Reason: w.Reason,
			Origin: string(w.Origin), State: string(w.Phase), By: w.By,
			Ticket: w.Ticket, Recurs: w.Recurs,
		}
		if w.End != nil {
			one.End = wire.StampOrNil(*w.End)
		}
		out = append(out, one)
	}
	return out
}

// outcome renders what a command did.
func outcome(o *state.Outcome, duplicate bool) wire.Outcome {
	out := wire.Outcome{
		Changed: o.Changed, WindowID: o.WindowID, OpenInside: o.OpenInside, Reclosed: o.Reclosed, Cleared: o.Cleared,
		Next: wire.StampOrNil(o.Next), Exposed: o.Exposed, Narrowed: o.Narrowed, Note: o.Note, Duplicate: duplicate,
	}
	for _, s := range o.Still {
		out.Still = append(out.Still, wire.Obstacle{
			Path: s.Path, Status: string(s.Status), Reason: s.Reason, Until: wire.StampOrNil(s.Until),
		})
	}
	return out
}

// changedRoute renders one route after a change: its state in the view, at the revision of the change.
func changedRoute(r *admin.Result, o *state.Outcome) wire.ChangedRoute {
	st := r.Document().State(o.Target.Key, r.Now)
	st.Path, st.Known = o.Shown, o.Known
	return wire.ChangedRoute{Route: route(&st, r.At), Outcome: outcome(o, r.Duplicate)}
}

// oneSwitch renders a switch, with what is known of its service beyond the document.
func (s *server) oneSwitch(ctx context.Context, view admin.View, t state.Target, at state.Meta) wire.Switch {
	out := switchState(view.Document(), t, view.Now, at)
	if !t.Global {
		scope := s.cfg.Service.Scope(ctx, view, t.Service)
		out.Known, out.Unscoped = &scope.Known, scope.Unscoped
	}
	return out
}

func (s *server) changedSwitch(ctx context.Context, r *admin.Result, o *state.Outcome) wire.ChangedSwitch {
	out := wire.ChangedSwitch{Switch: s.oneSwitch(ctx, r.View, o.Target, r.At), Changed: o.Changed, Duplicate: r.Duplicate}
	if !o.Target.Global && !r.Duplicate {
		out.Known = &o.Known
	}
	if o.Replaced != nil {
		out.Replaced = &wire.Replaced{Actor: o.Replaced.Actor, Reason: o.Replaced.Reason, Since: wire.Stamp(o.Replaced.Since)}
	}
	return out
}
