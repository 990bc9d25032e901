package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

func TestParseTime(t *testing.T) {
	now := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, text string
		want       time.Time
	}{
		{"zone Z", "2025-06-01T02:00:00Z", now.Add(2 * time.Hour)},
		{"offset", "2025-06-01T02:00:00+02:00", now},
		{"offset without colon", "2025-06-01T02:00:00+0200", now},
		{"microseconds as Python writes them", "2025-06-01T02:00:00.123456+00:00", now.Add(2*time.Hour + 123456*time.Microsecond)},
		{"nanoseconds are cut", "2025-06-01T02:00:00.123456789Z", now.Add(2*time.Hour + 123456*time.Microsecond)},
		{"no seconds", "2025-06-01T02:00Z", now.Add(2 * time.Hour)},
		{"no zone is UTC", "2025-06-01T02:00:00", now.Add(2 * time.Hour)},
		{"neither seconds nor zone", "2025-06-01T02:00", now.Add(2 * time.Hour)},
		{"a space", "2025-06-01 02:00Z", now.Add(2 * time.Hour)},
		{"lower case", "2025-06-01t02:00z", now.Add(2 * time.Hour)},
		{"minutes", "90m", now.Add(90 * time.Minute)},
		{"hours", "2h", now.Add(2 * time.Hour)},
		{"days", "1d", now.Add(24 * time.Hour)},
		{"mixed", "1d12h", now.Add(36 * time.Hour)},
		{"decimal", "1.5h", now.Add(90 * time.Minute)},
		{"a year", "1y", now.Add(365 * 24 * time.Hour)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.ParseTime(tt.text, now)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	for _, text := range []string{"", "tomorrow", "2h30", "h", "-2h", "0h", "2 h", "2025-06-01", "2025-13-01T00:00Z", "1e9h", ".h", "200y", "10000-01-01T00:00Z", "1mo"} {
		t.Run("refused "+text, func(t *testing.T) {
			_, err := wire.ParseTime(text, now)
			require.ErrorIs(t, err, wire.ErrTime)
		})
	}
}

// What is asked about the past counts back: a duration that counted ahead would name all of a log that is to be trimmed.
func TestParsePast(t *testing.T) {
	now := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), " 1d ": now.Add(-24 * time.Hour), "2025-05-01": now.AddDate(0, -1, 0), "2025-05-31T22:00Z": now.Add(-2 * time.Hour),
	} {
		got, err := wire.ParsePast(text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	_, err := wire.ParsePast("yesterday", now)
	require.ErrorIs(t, err, wire.ErrTime)
}

func TestSegment(t *testing.T) {
	valid := func(s string) bool { return strings.Contains(s, "/") }
	tests := []struct {
		name, segment, want string
	}{
		{"base64url", wire.Segment("GET:/payments"), "GET:/payments"},
		{"the documented one", "R0VUOi9wYXltZW50cw", "GET:/payments"},
		{"with padding", "L2E=", "/a"},
		{"with escaped padding", "L2E%3D", "/a"},
		{"plain text", "GET%3A%2Fpayments", "GET:/payments"},
		{"plain text with a template", "%2Fusers%2F%7Bid%7D", "/users/{id}"},
		{"an escape inside the key", "%2Fa%252Fb", "/a%2Fb"},
		{"not a key", "hello", ""},
		{"base64 of bytes that are not text", "__4v", ""},
		{"a broken escape", "%zz", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, wire.ParseSegment(tt.segment, valid))
		})
	}
}
