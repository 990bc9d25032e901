package api

import (
	"time"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// EventState is the route or the switch that an event is about, as the calls answer it: of a document, at an instant. Path
// is the key as it is shown, or a sentinel path.
func EventState(doc *state.Document, path string, at time.Time) (any, error) {
	var t state.Target
	if err := t.UnmarshalText([]byte(path)); err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong with the key
	}
	if t.Key.Path == "" {
		return switchState(doc, t, at, doc.Meta), nil
	}
	st := doc.State(t.Key, at)
	st.Path = path
	return route(&st, doc.Meta), nil
}

// switchState renders what the document says of a switch.
func switchState(doc *state.Document, t state.Target, now time.Time, at state.Meta) wire.Switch {
	st := doc.GlobalState(now)
	if !t.Global {
		st = doc.ServiceState(t.Service, now)
	}
	out := wire.Switch{
		Enabled: st.Enabled, Reason: st.Reason, ExemptPaths: st.ExemptPaths, IncludeForceActive: st.IncludeForceActive,
		Service: t.Service, Windows: windows(st.Windows), By: st.UpdatedBy, Place: place(at),
	}
	if st.Until != nil {
		out.Until = wire.StampOrNil(*st.Until)
	}
	if st.UpdatedAt != nil {
		out.At = wire.StampOrNil(*st.UpdatedAt)
	}
	return out
}
