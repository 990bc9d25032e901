package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

//nolint:gochecknoglobals // a flag of the test binary
var update = flag.Bool("update", false, "rewrite the golden files")

func entry(t *testing.T, id, path, start, end, effect, reason string, recurs bool) wire.CalendarEntry {
	t.Helper()
	e := wire.CalendarEntry{Window: id, Path: path, Start: instant(t, start), Effect: effect, Reason: reason, Recurs: recurs, State: "pending"}
	if end != "" {
		at := instant(t, end)
		e.End = &at
	}
	return e
}

// Each page is compared with its file in testdata/calendar.
func TestCalendarPages(t *testing.T) {
	const one, two, three = "0192f0c1-6b2e-7000-8000-000000000001", "0192f0c1-6b2e-7002-8000-000000000002", "0192f0d5-0000-7000-8000-000000000003"
	for _, tt := range []struct {
		name, month, zone, now string
		entries                []wire.CalendarEntry
	}{
		{name: "empty", month: "2027-02", zone: "", now: "2026-12-03T17:00:00Z"},
		{name: "december", month: "2026-12", zone: "Europe/Berlin", now: "2026-12-05T23:30:00Z", entries: []wire.CalendarEntry{
			entry(t, one, "GET:/payments", "2026-12-06T01:00:00Z", "2026-12-06T03:00:00Z", "maintenance", "DB migration", true),
			entry(t, three, "__waygate:svc_global:orders__", "2026-12-06T02:00:00Z", "2026-12-06T02:30:00Z", "read_only", "", false),
			entry(t, one, "GET:/payments", "2026-12-13T01:00:00Z", "2026-12-13T03:00:00Z", "maintenance", "DB migration", true),
			entry(t, two, "__global__", "2026-12-13T22:00:00Z", "2026-12-14T05:00:00Z", "gone", "over\nmidnight", false),
			entry(t, three, "/v1/**", "2026-12-20T20:00:00Z", "2026-12-20T23:00:00Z", "disabled", "to midnight", false),
		}},
		{name: "month_ends", month: "2026-12", zone: "", now: "2027-01-01T00:00:00Z", entries: []wire.CalendarEntry{
			entry(t, one, "/a", "2026-11-28T12:00:00Z", "2026-12-02T12:00:00Z", "maintenance", "since last month", false),
			entry(t, two, "/b", "2026-12-30T23:00:00Z", "2027-01-02T12:00:00Z", "maintenance", "into the next year", false),
			entry(t, three, "/c", "2026-12-31T12:00:00Z", "", "disabled", "no end", false),
		}},
		{name: "clocks_go_back", month: "2026-10", zone: "Europe/Berlin", now: "2026-10-25T00:30:00Z", entries: []wire.CalendarEntry{
			entry(t, one, "/a", "2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z", "maintenance", "01:00 to 03:00, three hours", true),
			entry(t, two, "/b", "2026-10-25T00:10:00Z", "2026-10-25T00:20:00Z", "maintenance", "the first pass", false),
		}},
		{name: "clocks_go_forward_at_midnight", month: "2027-04", zone: "Africa/Cairo", now: "2027-04-01T00:00:00Z", entries: []wire.CalendarEntry{
			entry(t, one, "/a", "2027-04-29T21:30:00Z", "2027-04-29T22:30:00Z", "maintenance", "over the gap", false),
			entry(t, two, "/b", "2027-04-29T22:00:00Z", "2027-04-29T23:00:00Z", "maintenance", "from the gap on", true),
		}},
		{name: "leap_year_by_rules_only", month: "2040-12", zone: "America/New_York", now: "2040-12-05T12:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			month, err := time.Parse("2006-01", tt.month)
			require.NoError(t, err)
			p := newMonthPage(month, zoneOf(t, tt.zone), instant(t, tt.now))
			p.entries = tt.entries
			var b strings.Builder
			require.NoError(t, p.print(&b))
			file := filepath.Join("testdata", "calendar", tt.name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

func TestMonthsBeginWhereTheirZoneDoes(t *testing.T) {
	for zone, want := range map[string][2]string{
		"":                   {"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		"Europe/Berlin":      {"2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"},
		"Pacific/Kiritimati": {"2026-11-30T10:00:00Z", "2026-12-31T10:00:00Z"},
	} {
		p := newMonthPage(instant(t, "2026-12-15T00:00:00Z"), zoneOf(t, zone), time.Time{})
		require.Len(t, p.days, 32)
		require.Equal(t, instant(t, want[0]), p.days[0])
		require.Equal(t, instant(t, want[1]), p.days[31])
	}
}
