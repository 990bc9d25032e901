package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrTime is what a text is refused with that is neither a time nor a duration.
var ErrTime = errors.New("not a time: write 2025-06-01T02:00Z (no zone is UTC), or a duration such as 90m, 2h, 1d")

const (
	day       = 24 * time.Hour
	year      = 365 * day
	maxLength = 100 * year
)

// Stamp is a time as answers carry it: UTC, microseconds.
func Stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// StampOrNil is Stamp, nil for the zero time.
func StampOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	stamp := Stamp(t)
	return &stamp
}

// ParseTime reads a time: RFC 3339, also without seconds, with a space for the T, or without a zone (then it is UTC);
// or a duration from now. Anything else is ErrTime.
func ParseTime(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if d, err := ParseDuration(text); err == nil {
		return Stamp(now.Add(d)), nil
	}
	if len(text) > len("2006-01-02") && (text[10] == ' ' || text[10] == 't') {
		text = text[:10] + "T" + text[11:]
	}
	text = strings.Replace(text, "z", "Z", 1)
	for _, layout := range [...]string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700",
		"2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 && t.Year() < 9999 {
			return Stamp(t), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.60q is %w", text, ErrTime)
}

// ParseDate is ParseTime that also takes a date alone: midnight UTC.
func ParseDate(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, strings.TrimSpace(text)); err == nil && t.Year() > 0 {
		return t, nil
	}
	return ParseTime(text, now)
}

// ParsePast is ParseDate for an instant that is over: a duration is how long ago it was.
func ParsePast(text string, now time.Time) (time.Time, error) {
	if d, err := ParseDuration(strings.TrimSpace(text)); err == nil {
		return Stamp(now.Add(-d)), nil
	}
	return ParseDate(text, now)
}

// ParseDuration reads a positive duration in whole or decimal numbers of y, w, d, h, m, s: 90m, 1d12h, 1.5h. A month is
// not a duration. The longest is 100 years. What it refuses is ErrTime.
func ParseDuration(text string) (time.Duration, error) {
	rest, total := text, 0.0
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n < 1 {
			return 0, fmt.Errorf("%.60q is %w", text, ErrTime)
		}
		number, err := strconv.ParseFloat(rest[:n], 64)
		unit, known := durationUnit(rest[n:])
		if err != nil || !known {
			return 0, fmt.Errorf("%.60q is %w", text, ErrTime)
		}
		total += number * float64(unit)
		rest = rest[n+1:]
	}
	if total <= 0 || total > float64(maxLength) {
		return 0, fmt.Errorf("%.60q is %w", text, ErrTime)
	}
	return time.Duration(total), nil
}

func durationUnit(text string) (time.Duration, bool) {
	switch text[0] {
	case 'y':
		return year, true
	case 'w':
		return 7 * day, true
	case 'd':
		return day, true
	case 'h':
		return time.Hour, true
	case 'm':
		return time.Minute, true
	case 's':
		return time.Second, true
	}
	return 0, false
}
