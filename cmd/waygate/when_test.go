package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/schedule"
)

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := schedule.Zone(name)
	require.NoError(t, err)
	return z
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at.UTC()
}

func TestWhen(t *testing.T) {
	const now = "2026-12-03T17:00:00Z" // a Thursday; 18:00 in Berlin, 12:00 in New York
	for _, tt := range []struct{ name, zone, text, want string }{
		{"a duration", "Europe/Berlin", "90m", "2026-12-03T18:30:00Z"},
		{"days are 24 hours", "", "1d", "2026-12-04T17:00:00Z"},
		{"RFC 3339", "Europe/Berlin", "2027-01-01T02:00:00+05:30", "2026-12-31T20:30:00Z"},
		{"without seconds", "Europe/Berlin", "2027-06-01T02:00Z", "2027-06-01T02:00:00Z"},
		{"no zone is UTC", "", "2027-06-01T02:00", "2027-06-01T02:00:00Z"},
		{"no zone is that of --tz", "Europe/Berlin", "2027-06-01T02:00", "2027-06-01T00:00:00Z"},
		{"a blank for the T, and seconds", "Europe/Berlin", "2027-06-01 02:00:30", "2027-06-01T00:00:30Z"},
		{"a date is its midnight", "Europe/Berlin", "2027-06-01", "2027-05-31T22:00:00Z"},
		{"the next 18:00 is not now", "Europe/Berlin", "18:00", "2026-12-04T17:00:00Z"},
		{"a time later today", "Europe/Berlin", "18:01", "2026-12-03T17:01:00Z"},
		{"the next of a time that was", "", "06:00", "2026-12-04T06:00:00Z"},
		{"today", "America/New_York", "today 18:00", "2026-12-03T23:00:00Z"},
		{"tomorrow", "Europe/Berlin", "tomorrow 06:00", "2026-12-04T05:00:00Z"},
		{"tomorrow is that of the zone", "Pacific/Kiritimati", "tomorrow 00:00", "2026-12-04T10:00:00Z"},
		{"a day to come", "Europe/Berlin", "sunday 02:00", "2026-12-06T01:00:00Z"},
		{"in short, in capitals", "Europe/Berlin", "SUN 02:00", "2026-12-06T01:00:00Z"},
		{"a day that was", "", "monday 09:30", "2026-12-07T09:30:00Z"},
		{"the same day, later", "", "thursday 17:30", "2026-12-03T17:30:00Z"},
		{"the same day, over", "", "thursday 17:00", "2026-12-10T17:00:00Z"},
		{"the last days of a leap year for which there are rules only", "America/New_York", "2040-12-31T12:00", "2040-12-31T17:00:00Z"},
		{"the first day after such a year", "Australia/Sydney", "2041-01-01", "2040-12-31T13:00:00Z"},
		{"blanks", "", "  tomorrow   06:00 ", "2026-12-04T06:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, err := readWhen(tt.text, instant(t, now), zoneOf(t, tt.zone))
			require.NoError(t, err)
			require.Equal(t, instant(t, tt.want), at.UTC())
		})
	}
}

func TestWhenIsUnclear(t *testing.T) {
	now := instant(t, "2026-12-03T17:00:00Z")
	for text, want := range map[string]string{
		"6":                 "write 6h for hours from now, or the time of day with 24 hours, for example 06:00",
		"6pm":               "or the time of day with 24 hours",
		"6:00":              "with 24 hours and two digits, for example 06:00 or 18:00",
		"24:00":             "not a time: write 2025-06-01T02:00Z, 18:00 (the next)",
		"18:60":             "not a time",
		"18.00":             "not a time",
		"2/3":               "not a time",
		"01.06.2027":        "not a time",
		"2027-02-30T02:00Z": "not a time",
		"next week":         "not a time",
		"soon":              "not a time",
		"tomorrow":          `say at what time, for example "tomorrow 06:00"`,
		"Sunday":            `say at what time, for example "sunday 06:00"`,
		"06:00 tomorrow pm": "not a time",
		"06:00 tomorrow":    "not a time",
		"yesterday 06:00":   "not a time",
		"sunda 06:00":       "not a time",
		"tomorrow 6":        "not a time",
		"-2h":               "not a time",
		"0m":                "not a time",
		" ":                 "not a time",
		"today 06:00":       `is over: it is 17:00 in UTC; write "tomorrow 06:00"`,
		"today 17:00":       "is over",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := readWhen(text, now, time.UTC)
			require.ErrorContains(t, err, want)
		})
	}
}

// A wall time that is no instant, or two, is refused with both forms; which of them is meant nobody but its author knows.
func TestWhenTheClocksChange(t *testing.T) {
	for _, tt := range []struct{ name, zone, now, text, want, refused string }{
		{
			name: "a gap", zone: "America/New_York", now: "2027-03-13T12:00:00Z", text: "tomorrow 02:30",
			refused: "2027-03-14 02:30 does not exist in America/New_York, because the clocks go forward: " +
				"write 2027-03-14T02:30:00-04:00 (01:30 there) or 2027-03-14T02:30:00-05:00 (03:30 there)",
		},
		{name: "the same, as a date", zone: "America/New_York", now: "2027-03-13T12:00:00Z", text: "2027-03-14T02:00", refused: "does not exist"},
		{name: "the first after a gap", zone: "America/New_York", now: "2027-03-13T12:00:00Z", text: "sunday 03:00", want: "2027-03-14T07:00:00Z"},
		{name: "the last before a gap", zone: "America/New_York", now: "2027-03-13T12:00:00Z", text: "sunday 01:59", want: "2027-03-14T06:59:00Z"},
		{
			name: "twice", zone: "America/New_York", now: "2026-10-31T12:00:00Z", text: "tomorrow 01:30",
			refused: "2026-11-01 01:30 comes twice in America/New_York, because the clocks go back: " +
				"write 2026-11-01T01:30:00-04:00 (the first) or 2026-11-01T01:30:00-05:00 (the second)",
		},
		{name: "a time that comes twice, between both", zone: "America/New_York", now: "2026-11-01T06:00:00Z", text: "01:30", refused: "comes twice"},
		{name: "a time that came twice", zone: "America/New_York", now: "2026-11-01T06:30:00Z", text: "01:30", want: "2026-11-02T06:30:00Z"},
		{name: "a gap that is over", zone: "America/New_York", now: "2027-03-14T08:00:00Z", text: "02:30", want: "2027-03-15T06:30:00Z"},
		{name: "a gap today", zone: "America/New_York", now: "2027-03-14T05:00:00Z", text: "02:30", refused: "does not exist"},
		{name: "a weekday whose gap is over", zone: "America/New_York", now: "2027-03-14T08:00:00Z", text: "sunday 02:30", want: "2027-03-21T06:30:00Z"},
		{name: "midnight in Cairo", zone: "Africa/Cairo", now: "2027-04-29T12:00:00Z", text: "2027-04-30", refused: "does not exist in Africa/Cairo"},
		{
			name: "half an hour", zone: "Australia/Lord_Howe", now: "2026-10-01T00:00:00Z", text: "2026-10-04T02:15",
			refused: "write 2026-10-04T02:15:00+11:00 (01:45 there) or 2026-10-04T02:15:00+10:30 (02:45 there)",
		},
		{name: "a day that never was", zone: "Pacific/Apia", now: "2011-12-29T00:00:00Z", text: "2011-12-30T02:00", refused: "does not exist"},
		{name: "with its offset", zone: "America/New_York", now: "2026-10-31T12:00:00Z", text: "2026-11-01T01:30:00-05:00", want: "2026-11-01T06:30:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, err := readWhen(tt.text, instant(t, tt.now), zoneOf(t, tt.zone))
			if tt.refused != "" {
				require.ErrorContains(t, err, tt.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, instant(t, tt.want), at.UTC())
		})
	}
}

func TestTimesForPeople(t *testing.T) {
	at := instant(t, "2026-12-03T23:30:00Z")
	plain := &tool{}
	require.Equal(t, "2026-12-03 23:30 UTC", plain.clock(at))
	berlin := &tool{zone: zone{zoneOf(t, "Europe/Berlin"), true}}
	require.Equal(t, "2026-12-04 00:30 Europe/Berlin (2026-12-03 23:30 UTC)", berlin.clock(at))
	require.Equal(t, "2026-12-04 01:30 Europe/Berlin (00:30 UTC)", berlin.clock(at.Add(time.Hour)))
	end := at.Add(time.Hour)
	require.Equal(t, "2026-12-04 00:30 to 01:30 Europe/Berlin (2026-12-03 23:30 to 2026-12-04 00:30 UTC)", berlin.span(at, &end))
	require.Equal(t, "2026-12-04 00:30 Europe/Berlin", berlin.brief(at))
	require.Equal(t, "2026-12-04 00:30 Europe/Berlin (2026-12-03 23:30 UTC), no end", berlin.span(at, nil))
	require.Equal(t, "2026-12-03 23:30 UTC to 2026-12-04 00:30 UTC", plain.span(at, &end))
	require.Equal(t, "2026-12-04 00:30:00 Europe/Berlin", berlin.stamp(at))
}

func TestZonesThatAreNone(t *testing.T) {
	for _, name := range []string{"Local", "local", "PST", "Berlin", "+02:00", "right/UTC", "../UTC", " "} {
		_, err := schedule.Zone(name)
		require.ErrorContains(t, err, "write an IANA name such as Europe/Berlin", name)
	}
}
