package api

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

func copiedRoute(r *admin.CopiedRoute) wire.CopiedRoute {
	out := wire.CopiedRoute{
		Path: cmp.Or(r.Shown, r.Key.String()), Standing: copiedBlock(r.Standing), Protected: r.Protected, Windows: copiedWindows(r.Windows),
	}
	if d := r.Deprecation; d != nil {
		out.Deprecation = &wire.CopiedDeprecation{
			Since: wire.Stamp(d.Since), Sunset: wire.StampOrNil(d.Sunset), Successor: d.Successor, Reason: d.Reason,
		}
	}
	if g := r.Gate; g != nil {
		out.Gate = &wire.CopiedGate{Envs: g.Envs, Reason: g.Reason, Except: texts(g.Except), Exact: true}
	}
	return out
}

func copiedBlock(b *state.Block) *wire.CopiedBlock {
	if b == nil {
		return nil
	}
	return &wire.CopiedBlock{Effect: string(b.Effect), Reason: b.Reason, Except: texts(b.Except), Exact: true}
}

// copiedSwitch is nil for a switch that says nothing.
func copiedSwitch(s *admin.CopiedSwitch) *wire.CopiedSwitch {
	// Its exemptions and its flag are those of an enable. A window with a start has its own.
	on := s.Standing != nil || slices.ContainsFunc(s.Windows, func(w state.Window) bool { return w.Origin == state.OriginUntil })
	out := wire.CopiedSwitch{Standing: copiedBlock(s.Standing), Windows: copiedWindows(s.Windows)}
	if on {
		out.IncludeForceActive = s.IncludeProtected
		out.ExemptPaths = spellings(s.Exempt)
	} else if !s.Spent {
		out.StagedPaths = spellings(s.Staged)
	}
	if !on && len(out.Windows) == 0 && len(out.StagedPaths) == 0 {
		return nil
	}
	return &out
}

func texts(keys []state.Key) []string {
	var out []string
	for _, k := range keys {
		out = append(out, k.String())
	}
	return out
}

func spellings(list []state.Exemption) []string {
	var out []string
	for _, e := range list {
		out = append(out, cmp.Or(e.Shown, e.Key.String()))
	}
	return out
}

// readCopy reads a copy; what it refuses is a *state.InvalidError that names the key.
func readCopy(c *wire.Copy) (admin.Copy, error) {
	out := admin.Copy{Services: map[string]admin.CopiedSwitch{}}
	seen := map[state.Key]bool{}
	for i := range c.Routes {
		r, err := readRoute(&c.Routes[i])
		if err != nil {
			return admin.Copy{}, fmt.Errorf("route %d (%.100s): %w", i+1, c.Routes[i].Path, err)
		}
		if seen[r.Key] {
			return admin.Copy{}, state.Invalid("routes", "%s stands there twice", r.Key)
		}
		seen[r.Key] = true
		out.Routes = append(out.Routes, r)
	}
	var err error
	if c.Global != nil {
		if out.Global, err = readSwitch(c.Global); err != nil {
			return admin.Copy{}, fmt.Errorf("the global switch: %w", err)
		}
	}
	for name, own := range c.Services {
		if err := state.CheckService(name); err != nil {
			return admin.Copy{}, err //nolint:wrapcheck // it says what is wrong with the name
		}
		if out.Services[name], err = readSwitch(&own); err != nil {
			return admin.Copy{}, fmt.Errorf("the switch of %s: %w", name, err)
		}
	}
	return out, nil
}

func readRoute(c *wire.CopiedRoute) (admin.CopiedRoute, error) {
	key, shown, err := state.ParseKey(c.Path)
	if err != nil {
		return admin.CopiedRoute{}, err //nolint:wrapcheck // it says what is wrong with the key
	}
	r := admin.CopiedRoute{Route: state.Route{Key: key, Shown: shown, Protected: c.Protected}}
	if d := c.Deprecation; d != nil {
		r.Deprecation = &state.Deprecation{Since: d.Since, Sunset: orZero(d.Sunset), Successor: d.Successor, Reason: d.Reason}
	}
	if g := c.Gate; g != nil {
		r.Gate = &state.Gate{Envs: g.Envs, Reason: g.Reason}
		if r.Gate.Except, err = readExcept(g.Except, g.Exact); err != nil {
			return admin.CopiedRoute{}, err
		}
	}
	if r.Standing, err = readBlock(c.Standing); err != nil {
		return admin.CopiedRoute{}, err
	}
	if r.Windows, err = readWindows(c.Windows); err != nil {
		return admin.CopiedRoute{}, err
	}
	if slices.ContainsFunc(r.Windows, func(w state.Window) bool { return w.IncludeProtected }) {
		return admin.CopiedRoute{}, state.Invalid("include_force_active", "only a window of a service or of everything holds for protected routes")
	}
	return r, nil
}

func readBlock(c *wire.CopiedBlock) (*state.Block, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // no block, nothing to read: not an error
	}
	except, err := readExcept(c.Except, c.Exact)
	return &state.Block{Effect: effect(c.Effect), Reason: c.Reason, Except: except}, err
}

func effect(text string) state.Effect { return cmp.Or(state.Effect(text), state.EffectMaintenance) }

// readExcept is nil where a new block's own exceptions are to be taken.
func readExcept(list []string, exact bool) ([]state.Key, error) {
	var out []state.Key
	if exact {
		out = []state.Key{}
	}
	for _, text := range list {
		k, _, err := state.ParseKey(text)
		if err != nil {
			return nil, err //nolint:wrapcheck // it says what is wrong with the key
		}
		out = append(out, k)
	}
	return out, nil
}

func readSwitch(c *wire.CopiedSwitch) (admin.CopiedSwitch, error) {
	var r reader
	s := admin.CopiedSwitch{Switch: state.Switch{
		Exempt: r.exemptions("exempt_paths", c.ExemptPaths), Staged: r.exemptions("staged_paths", c.StagedPaths),
		IncludeProtected: c.IncludeForceActive,
	}}
	if r.err != nil {
		return admin.CopiedSwitch{}, r.err
	}
	var err error
	if s.Standing, err = readBlock(c.Standing); err != nil {
		return admin.CopiedSwitch{}, err
	}
	s.Windows, err = readWindows(c.Windows)
	return s, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
