package state

import "strings"

// Target is what a window or a command is about: one key, one service's switch, or the global switch.
// Exactly one of the three is set; the zero Target is none.
type Target struct {
	Key     Key    // a route key or a set, when Key.Path is not empty
	Service string // a service's switch
	Global  bool   // the global switch
}

// String is the key's canonical text, or the sentinel path of the switch.
func (t Target) String() string {
	switch {
	case t.Global:
		return GlobalPath
	case t.Service != "":
		return ServicePath(t.Service)
	default:
		return t.Key.String()
	}
}

// MarshalText implements encoding.TextMarshaler with the text of String.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Target) UnmarshalText(text []byte) error {
	s := string(text)
	if s == GlobalPath {
		*t = Target{Global: true}
		return nil
	}
	if rest, ok := strings.CutPrefix(s, servicePrefix); ok {
		if name, ok := strings.CutSuffix(rest, sentinelSuffix); ok {
			*t = Target{Service: name}
			return nil
		}
	}
	k, _, err := ParseKey(s)
	*t = Target{Key: k}
	return err
}
