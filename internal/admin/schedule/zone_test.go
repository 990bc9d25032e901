package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func wallOf(t *testing.T, text string) Wall {
	t.Helper()
	w, err := ParseWall(text)
	require.NoError(t, err)
	return w
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at.UTC()
}

func TestPlace(t *testing.T) {
	database := readDatabase(t)
	for _, test := range []struct{ name, zone, wall, first, last string }{
		{"an ordinary time", "America/New_York", "2027-03-13T02:30", "2027-03-13T07:30:00Z", "2027-03-13T07:30:00Z"},
		{"in a gap of an hour", "America/New_York", "2027-03-14T02:30", "2027-03-14T07:00:00Z", "2027-03-14T07:00:00Z"},
		{"the first of a gap", "America/New_York", "2027-03-14T02:00", "2027-03-14T07:00:00Z", "2027-03-14T07:00:00Z"},
		{"just before a gap", "America/New_York", "2027-03-14T01:59:59", "2027-03-14T06:59:59Z", "2027-03-14T06:59:59Z"},
		{"just after a gap", "America/New_York", "2027-03-14T03:00", "2027-03-14T07:00:00Z", "2027-03-14T07:00:00Z"},
		{"twice", "America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
		{"the first that comes twice", "America/New_York", "2026-11-01T01:00", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"},
		{"just after what comes twice", "America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z"},
		{"a gap at midnight", "Africa/Cairo", "2027-04-30T00:00", "2027-04-29T22:00:00Z", "2027-04-29T22:00:00Z"},
		{"a midnight that comes twice", "Africa/Cairo", "2026-10-29T23:30", "2026-10-29T20:30:00Z", "2026-10-29T21:30:00Z"},
		{"a gap of 30 minutes", "Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
		{"half an hour that comes twice", "Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"},
		{"a day that never was", "Pacific/Apia", "2011-12-30T02:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"half past midnight in Paraguay", "America/Asuncion", "2023-10-01T00:30", "2023-10-01T04:00:00Z", "2023-10-01T04:00:00Z"},
		{"winter time of Ireland", "Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"UTC", "UTC", "2026-10-25T01:30", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
		{"the last day of a leap year", "America/New_York", "2028-12-31T12:00", "2028-12-31T17:00:00Z", "2028-12-31T17:00:00Z"},
		{"the last hour of a leap year", "America/New_York", "2028-12-31T23:00", "2029-01-01T04:00:00Z", "2029-01-01T04:00:00Z"},
		{"the last hour of a leap year, down under", "Australia/Sydney", "2032-12-31T23:00", "2032-12-31T12:00:00Z", "2032-12-31T12:00:00Z"},
		{"the first hour after a leap year", "America/New_York", "2101-01-01T00:30", "2101-01-01T05:30:00Z", "2101-01-01T05:30:00Z"},
		{"as far ahead as it gets", "Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00:00Z", "2025-12-31T10:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, zone := wallOf(t, test.wall), database.zone(t, test.zone)
			require.Equal(t, instant(t, test.first), Place(w, zone))
			require.Equal(t, instant(t, test.last), placeLast(w, zone))
		})
	}
}

// The definition of both, word by word: for each minute of a week around a change, the clock is read minute by minute.
func TestPlaceAgainstAWatchman(t *testing.T) {
	database := readDatabase(t)
	for name, dates := range map[string][]string{
		"America/New_York":    {"2027-03-14", "2026-11-01", "2028-12-31", "2031-12-31"},
		"Europe/Berlin":       {"2026-10-25", "2030-03-31"},
		"Africa/Cairo":        {"2027-04-30", "2026-10-30"},
		"Australia/Lord_Howe": {"2026-10-04", "2027-04-04", "2032-12-31"},
		"Antarctica/Troll":    {"2026-10-25", "2027-03-28"},
		"Africa/Casablanca":   {"2026-02-15", "2026-03-22"},
		"America/Nuuk":        {"2027-03-28", "2026-10-25"},
		"Pacific/Apia":        {"2011-12-30"},
		"Europe/Moscow":       {"2011-03-27", "2014-10-26"},
	} {
		zone := database.zone(t, name)
		for _, date := range dates {
			middle := wallOf(t, date+"T00:00")
			instants := make([]time.Time, 0, 10*24*60)
			for at, end := middle.at.Add(-5*day), middle.at.Add(5*day); at.Before(end); at = at.Add(time.Minute) {
				instants = append(instants, at)
			}
			// From the front, the first that reads w or later; from the back, the last that reads w, or the one behind the
			// last that reads earlier.
			first, last := 0, make(map[Wall]time.Time)
			back := len(instants) - 1
			for w := middle.add(3 * day); w.Compare(middle.add(-3*day)) >= 0; w = w.add(-time.Minute) {
				for WallAt(instants[back], zone).Compare(w) > 0 {
					back--
				}
				last[w] = instants[back]
				if WallAt(last[w], zone) != w {
					last[w] = instants[back+1]
				}
			}
			for w := middle.add(-3 * day); w.Compare(middle.add(3*day)) <= 0; w = w.add(time.Minute) {
				for WallAt(instants[first], zone).Compare(w) < 0 {
					first++
				}
				if is := Place(w, zone); !is.Equal(instants[first]) {
					require.Equal(t, instants[first], is, "%s %s", name, w)
				}
				if is := placeLast(w, zone); !is.Equal(last[w]) {
					require.Equal(t, last[w], is, "the last %s %s", name, w)
				}
			}
		}
	}
}

func TestZoneNames(t *testing.T) {
	for _, name := range []string{"", "UTC", "Europe/Berlin", "CET", "EST", "Etc/GMT+5", "Asia/Kathmandu"} {
		zone, err := Zone(name)
		require.NoError(t, err, name)
		require.NotNil(t, zone)
	}
	for _, name := range []string{"Local", "localtime", "PST", "CEST", "Berlin", "+02:00", "right/Europe/Berlin", "../UTC", "/etc/localtime", "Europe/", " "} {
		_, err := Zone(name)
		var invalid *state.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "zone", invalid.Field)
		require.ErrorContains(t, err, "Europe/Berlin")
	}
}

func TestTextOfWallsAndClocks(t *testing.T) {
	for text, canonical := range map[string]string{
		"2026-10-04T02:15": "2026-10-04T02:15", "2026-10-04 02:15": "2026-10-04T02:15",
		"2026-10-04T02:15:00": "2026-10-04T02:15", "2026-10-04 02:15:09": "2026-10-04T02:15:09",
	} {
		w := wallOf(t, text)
		require.Equal(t, canonical, w.String())
		require.Equal(t, w, wallOf(t, canonical))
	}
	for text, canonical := range map[string]string{"04:00": "04:00", "4:05": "04:05", "23:59:59": "23:59:59", "24:00": "00:00", "00:00": "00:00"} {
		c, err := ParseClock(text)
		require.NoError(t, err)
		require.Equal(t, canonical, c.String())
		require.False(t, c.IsZero())
	}
	for _, text := range []string{"", "2026-10-04", "2026-10-04T02:15Z", "2026-02-30T02:15", "2026-10-04T24:00", "2026-10-04T02:15:00.5"} {
		_, err := ParseWall(text)
		require.Error(t, err, text)
	}
	for _, text := range []string{"", "4", "25:00", "04:00Z", "24:01", "4pm", "04:00:00.5"} {
		_, err := ParseClock(text)
		require.Error(t, err, text)
	}
	require.Equal(t, clockOf(23, 0, 0), clockOf(-1, 0, 0))
}
