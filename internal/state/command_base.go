package state

import (
	"slices"
	"strings"
)

// gate sets or clears the environment gate.
func (w *deed) gate() error {
	envs, err := checkEnvs(w.cmd.Envs)
	if err != nil {
		return err
	}
	old := w.route.Gate
	if len(envs) == 0 {
		if old != nil {
			w.route.Gate, w.action = nil, ActionEnvGate
		}
		return nil
	}
	is := &Gate{Envs: envs, Reason: w.cmd.Reason}
	if old == nil {
		is.Except = w.knownInside()
	} else {
		is.Except = old.Except // none is added: what is known now may have been shut by it
	}
	w.out.OpenInside = w.openInside(is.Except)
	if old != nil && sameSet(old.Envs, envs) && old.Reason == is.Reason && w.route.Last == ActionEnvGate {
		return nil
	}
	w.route.Gate, w.action = is, ActionEnvGate
	return nil
}

// checkEnvs gives the environments, each once, in the order sent.
func checkEnvs(envs []string) ([]string, error) {
	var all []string
	for _, env := range envs {
		if env == "" || len(env) > 128 || strings.TrimSpace(env) != env || hasControl(env) {
			return nil, Invalid("envs", "%q cannot name an environment", env)
		}
		if !slices.Contains(all, env) {
			all = append(all, env)
		}
	}
	return all, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// deprecate makes the base deprecated. It is deprecated since the first time this was said.
func (w *deed) deprecate() error {
	if hasControl(w.cmd.Successor) {
		return Invalid("successor", "%q cannot name a successor: it holds control characters", w.cmd.Successor)
	}
	is := Deprecation{Since: w.by.At, Sunset: w.cmd.Sunset, Successor: w.cmd.Successor, Reason: w.cmd.Reason}
	if old := w.route.Deprecation; old != nil {
		is.Since = old.Since
		if is.same(old) && w.route.Last == ActionDeprecate {
			return nil
		}
	}
	w.route.Deprecation, w.action = &is, ActionDeprecate
	return nil
}

func (d *Deprecation) same(other *Deprecation) bool {
	return d.Since.Equal(other.Since) && d.Sunset.Equal(other.Sunset) && d.Successor == other.Successor && d.Reason == other.Reason
}
