package main

import "github.com/waygate/waygate/internal/admin/wire"

// pastTime reads an instant that is over, as the API reads it: a time, a date, or a duration before now.
func (t *tool) pastTime(flag, text string) (string, error) {
	if wall, ok := readWall(text); ok {
		at, err := place(wall, t.zone.Location)
		if err != nil {
			return "", usage("--%s %q: %w", flag, text, err)
		}
		return sendWhen(at), nil
	}
	at, err := wire.ParsePast(text, now())
	if err != nil {
		return "", usage("--%s %q is no time that is over: write 2025-06-01T02:00Z, 2025-06-01, or a duration such as 2h, 7d (ago)", flag, text)
	}
	return sendWhen(at), nil
}
