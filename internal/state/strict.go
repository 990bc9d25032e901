package state

// strictness knows whether anything that refuses is in force, by service.
type strictness struct {
	rules    []*rule
	shutters []*shutter
}

// any reports whether in the scope of a service (empty: in any) a block is in force at now or there is a gate.
func (s *strictness) any(service string, now int64) bool {
	in := func(own string) bool { return service == "" || own == "" || own == service }
	for _, r := range s.rules {
		if in(r.key.Service) && (r.gate != nil || r.standing != nil || r.timed.running(now)) {
			return true
		}
	}
	for _, t := range s.shutters {
		if in(t.service) && (t.standing != nil || t.timed.running(now)) {
			return true
		}
	}
	return false
}
