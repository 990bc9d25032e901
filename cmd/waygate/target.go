package main

import (
	"strings"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

const (
	targetHelp    = "A TARGET is a ROUTE, global (everything), or service=NAME."
	globalTarget  = "global"
	serviceTarget = "service="
)

// target reads a TARGET argument and gives the path that the API knows it by.
func (t *tool) target(text string) (string, error) {
	if text == globalTarget {
		return state.GlobalPath, nil
	}
	if name, ok := strings.CutPrefix(text, serviceTarget); ok {
		if err := state.CheckService(name); err != nil {
			return "", usage("%w", err)
		}
		return state.ServicePath(name), nil
	}
	if !strings.Contains(text, "/") {
		return "", usage("%.60q is no target: write a route such as GET:/payments, global, or service=NAME", text)
	}
	return t.route(text)
}

// isTarget tells a TARGET from the id of a window.
func isTarget(text string) bool {
	return text == globalTarget || strings.HasPrefix(text, serviceTarget) || strings.Contains(text, "/")
}

// targetOf is what to type for the path of a window.
func targetOf(path string) string {
	var is state.Target
	switch err := is.UnmarshalText([]byte(path)); {
	case err != nil:
		return path
	case is.Global:
		return globalTarget
	case is.Service != "":
		return serviceTarget + is.Service
	default:
		return path
	}
}

// tellPlace says what came of a change for the route or the switch that it is on, on the given writers' terms: the state
// is the answer, and what its author may not expect a warning.
func (t *tool) tellPlace(r wire.ChangeResult) {
	switch {
	case r.Route != nil:
		t.tellRouteState(*r.Route)
		t.tellEffects(*r.Route)
		t.warnUnknown(*r.Route)
	case r.Switch != nil:
		t.tellSwitch(r.Switch.Service, r.Switch.Switch)
		t.warnSwitch(*r.Switch)
	}
}
