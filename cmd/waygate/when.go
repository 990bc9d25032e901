package main

import (
	"fmt"
	"time"

	"github.com/waygate/waygate/internal/admin/wire"
)

// parseWhen reads an instant (no zone is UTC) or a duration from now; empty is none. Anything else is refused before a
// call is made.
func parseWhen(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := wire.ParseDate(text, now)
	if err != nil {
		return time.Time{}, usage("%s: %w", flag, err)
	}
	return at, nil
}

// sendWhen is an instant as a request carries it: the one read here, so that a duration counts from now and not from
// whenever the request arrives. The zero time is left out.
func sendWhen(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// roughly is a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// clock is an instant for people: UTC, to the minute, with the date.
func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

func clockOrNone(at *time.Time) string {
	if at == nil {
		return ""
	}
	return clock(*at)
}
