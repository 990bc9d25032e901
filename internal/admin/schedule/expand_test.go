package schedule

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestExpandAcrossChanges(t *testing.T) {
	type spans [][2]string
	for _, test := range []struct {
		name, zone, rule, first, to string
		lasts                       time.Duration
		after, before               string
		want                        spans
	}{
		{
			"an hour is an hour when the start is in a gap", "America/New_York", "FREQ=DAILY", "2027-03-13T02:30", "", time.Hour,
			"2027-03-13T00:00:00Z", "2027-03-16T00:00:00Z",
			spans{{"2027-03-13T07:30:00Z", "2027-03-13T08:30:00Z"}, {"2027-03-14T07:00:00Z", "2027-03-14T08:00:00Z"}, {"2027-03-15T06:30:00Z", "2027-03-15T07:30:00Z"}},
		},
		{
			"an hour is an hour in what comes twice", "America/New_York", "FREQ=WEEKLY", "2026-11-01T01:30", "", time.Hour,
			"2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
			spans{{"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"}},
		},
		{
			"a time of day covers both passes", "America/New_York", "FREQ=DAILY", "2026-11-01T01:00", "01:30", 0,
			"2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
			spans{{"2026-11-01T05:00:00Z", "2026-11-01T06:30:00Z"}},
		},
		{
			"a night that is an hour longer", "Europe/Berlin", "FREQ=DAILY", "2026-10-24T22:00", "06:00", 0,
			"2026-10-24T00:00:00Z", "2026-10-25T00:00:00Z",
			spans{{"2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"}},
		},
		{
			"an end in a gap", "America/New_York", "FREQ=DAILY", "2027-03-14T01:00", "02:30", 0,
			"2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z",
			spans{{"2027-03-14T06:00:00Z", "2027-03-14T07:00:00Z"}},
		},
		{
			"all of it in a gap", "America/New_York", "FREQ=DAILY", "2027-03-14T02:15", "02:45", 0,
			"2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z",
			spans{{"2027-03-14T07:00:00Z", "2027-03-14T07:30:00Z"}},
		},
		{
			"a gap at midnight", "Africa/Cairo", "FREQ=WEEKLY;BYDAY=FR", "2027-04-30T00:00", "", time.Hour,
			"2027-04-29T00:00:00Z", "2027-05-01T00:00:00Z",
			spans{{"2027-04-29T22:00:00Z", "2027-04-29T23:00:00Z"}},
		},
		{
			"a gap of half an hour", "Australia/Lord_Howe", "CRON:15 2 * * 0", "2026-10-01T00:00", "", time.Hour,
			"2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z",
			spans{{"2026-10-03T15:30:00Z", "2026-10-03T16:30:00Z"}},
		},
		{
			"two on one instant are one", "Europe/Berlin", "CRON:0 2,3 * * *", "2026-03-29T00:00", "", time.Hour,
			"2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z",
			spans{{"2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}},
		},
		{
			"of two on one instant the longer", "Europe/Berlin", "CRON:30 2,3 * * *", "2026-03-29T02:30", "03:45", 0,
			"2026-03-28T00:00:00Z", "2026-03-29T01:15:00Z",
			spans{{"2026-03-29T01:00:00Z", "2026-03-29T01:45:00Z"}},
		},
		{
			"no day is skipped where there was none", "Pacific/Apia", "FREQ=DAILY", "2011-12-29T02:00", "", time.Hour,
			"2011-12-29T00:00:00Z", "2011-12-31T00:00:00Z",
			spans{{"2011-12-29T12:00:00Z", "2011-12-29T13:00:00Z"}, {"2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z"}, {"2011-12-30T12:00:00Z", "2011-12-30T13:00:00Z"}},
		},
		{
			"midnight where there was no day", "Pacific/Apia", "FREQ=DAILY", "2011-12-29T00:00", "00:00", 0,
			"2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z",
			spans{{"2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"}, {"2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}, {"2011-12-31T10:00:00Z", "2012-01-01T10:00:00Z"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Series{Rule: ruleOf(t, test.rule), First: wallOf(t, test.first), Zone: test.zone, For: test.lasts}
			if test.to != "" {
				var err error
				s.To, err = ParseClock(test.to)
				require.NoError(t, err)
			}
			require.NoError(t, s.Validate())
			x, err := s.Expand(instant(t, test.after), instant(t, test.before), math.MaxInt)
			require.NoError(t, err)
			var is spans
			for _, span := range x.Spans {
				is = append(is, [2]string{span.Start.Format(time.RFC3339), span.End.Format(time.RFC3339)})
			}
			require.Equal(t, test.want, is)
			require.False(t, x.Finished)
			require.Equal(t, instant(t, test.before), x.Through)
		})
	}
}

func TestExpandSaysHowFar(t *testing.T) {
	s := Series{Rule: ruleOf(t, "FREQ=DAILY;COUNT=5"), First: wallOf(t, "2026-10-04T02:00"), For: time.Hour}
	at := func(text string) time.Time { return instant(t, "2026-"+text+":00Z") }
	for _, test := range []struct {
		name          string
		after, before string
		most          int
		starts        int
		through       string
		finished      bool
	}{
		{"all of them", "10-01T00:00", "11-01T00:00", 9, 5, "11-01T00:00", true},
		{"exactly as many as there are", "10-01T00:00", "11-01T00:00", 5, 5, "11-01T00:00", true},
		{"one too many", "10-01T00:00", "11-01T00:00", 4, 4, "10-08T02:00", false},
		{"none wanted", "10-01T00:00", "11-01T00:00", 0, 0, "10-04T02:00", false},
		{"fewer than none wanted", "10-01T00:00", "11-01T00:00", -1, 0, "10-04T02:00", false},
		{"the first instant is in", "10-04T02:00", "10-05T02:00", 9, 1, "10-05T02:00", false},
		{"the last instant is out", "10-07T02:01", "10-08T02:00", 9, 0, "10-08T02:00", false},
		{"the last window", "10-07T02:01", "10-08T02:01", 9, 1, "10-08T02:01", true},
		{"after the end", "10-09T00:00", "11-01T00:00", 9, 0, "11-01T00:00", true},
		{"before the start", "10-01T00:00", "10-02T00:00", 9, 0, "10-02T00:00", false},
		{"nothing asked for", "10-06T00:00", "10-06T00:00", 9, 0, "10-06T00:00", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := s.Expand(at(test.after), at(test.before), test.most)
			require.NoError(t, err)
			require.Len(t, x.Spans, test.starts)
			require.Equal(t, at(test.through), x.Through)
			require.Equal(t, test.finished, x.Finished)
		})
	}
}

// A part that is cut off can be continued where it was.
func TestExpandContinues(t *testing.T) {
	s := Series{Rule: ruleOf(t, "CRON:*/15 * * * *"), First: wallOf(t, "2026-10-01T00:00"), Zone: "Europe/Berlin", For: time.Minute}
	after, before := instant(t, "2026-10-20T00:00:00Z"), instant(t, "2026-10-30T00:00:00Z")
	whole, err := s.Expand(after, before, math.MaxInt)
	require.NoError(t, err)
	var parts []Span
	for after.Before(before) {
		x, err := s.Expand(after, before, 7)
		require.NoError(t, err)
		parts = append(parts, x.Spans...)
		after = x.Through
	}
	require.Equal(t, whole.Spans, parts)
	require.Len(t, parts, 10*24*4-4, "the hour that comes twice has them once")
}

// Rules that end, rest or are far away do not keep anybody waiting.
func TestExpandEnds(t *testing.T) {
	long := [2]time.Time{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(200_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, test := range []struct {
		rule, first string
		windows     int
	}{
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-01-01T00:00", 90},
		{"CRON:0 0 29 2 *", "2026-01-01T00:00", 90},
		{"FREQ=YEARLY;INTERVAL=10000", "2026-01-01T00:00", 1},
		{"FREQ=MINUTELY;INTERVAL=10000;BYHOUR=4;BYMONTH=5;COUNT=3", "2026-01-01T00:00", 3},
		{"FREQ=DAILY;UNTIL=99991231", "2199-12-31T00:00", 73049},
	} {
		s := Series{Rule: ruleOf(t, test.rule), First: wallOf(t, test.first), For: time.Hour}
		require.NoError(t, s.Validate())
		x, err := s.Expand(long[0], long[1], math.MaxInt)
		require.NoError(t, err)
		require.Len(t, x.Spans, test.windows, test.rule)
		require.True(t, x.Finished)
	}
	_, err := Series{}.Expand(long[0], long[1], 1)
	require.Error(t, err)
}

func TestCronIsTheSameAsCalendar(t *testing.T) {
	for cron, calendar := range map[string]string{
		"CRON:30 2 * * *":             "FREQ=DAILY",
		"CRON:30 2 * * 0":             "FREQ=WEEKLY;BYDAY=SU",
		"CRON:30 2 * * 7":             "FREQ=WEEKLY;BYDAY=SU",
		"CRON:30 2 * * MON-FRI":       "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
		"CRON:30 2 31 * *":            "FREQ=MONTHLY;BYMONTHDAY=31",
		"CRON:30 2 1 */3 *":           "FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=1,4,7,10",
		"CRON:0,30 */6 * * *":         "FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0,30",
		"CRON:*/20 * * * SAT":         "FREQ=MINUTELY;INTERVAL=20;BYDAY=SA",
		"CRON:30 2 29 2 *":            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
		"CRON:30 2 */2 * 1":           "FREQ=MONTHLY;BYMONTHDAY=1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31;BYDAY=MO",
		"CRON:30 2 8-14 * */2":        "FREQ=MONTHLY;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU,TU,TH,SA",
		"CRON:15 1-23/2 * FEB,DEC *":  "FREQ=HOURLY;INTERVAL=2;BYMONTH=2,12",
		"CRON:0 12 25 12 0,1,2,3,4-6": "FREQ=DAILY;BYMONTH=12;BYHOUR=12;BYMINUTE=0",
	} {
		first := wallOf(t, "2026-01-01T02:30")
		if cron == "CRON:15 1-23/2 * FEB,DEC *" {
			first = wallOf(t, "2026-01-01T01:15")
		}
		if cron == "CRON:*/20 * * * SAT" {
			first = wallOf(t, "2026-01-01T00:00")
		}
		expand := func(text string) []Span {
			s := Series{Rule: ruleOf(t, text), First: first, Zone: "America/New_York", For: time.Hour}
			x, err := s.Expand(first.at, first.at.AddDate(12, 0, 0), 20_000)
			require.NoError(t, err)
			return x.Spans
		}
		is := expand(cron)
		require.NotEmpty(t, is)
		require.Equal(t, expand(calendar), is, cron)
	}
	first := wallOf(t, "2026-01-01T00:00")
	either := Series{Rule: ruleOf(t, "CRON:0 2 13 * FRI"), First: first, For: time.Hour}
	x, err := either.Expand(first.at, first.at.AddDate(1, 0, 0), 1000)
	require.NoError(t, err)
	require.Len(t, x.Spans, 52+12-3, "the Fridays of 2026, and the 13ths that are none")
}

func BenchmarkExpand(b *testing.B) {
	for _, bench := range []struct{ name, rule string }{{"calendar", "FREQ=DAILY"}, {"cron", "CRON:0 2 * * *"}} {
		b.Run(bench.name, func(b *testing.B) {
			r, err := Parse(bench.rule)
			require.NoError(b, err)
			s := Series{Rule: r, First: WallOf(2026, 1, 1, 2, 0, 0), Zone: "Europe/Berlin", For: 2 * time.Hour}
			after := time.Date(2029, 3, 1, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			for b.Loop() {
				x, err := s.Expand(after, after.Add(35*day), 100)
				if err != nil || len(x.Spans) != 35 {
					b.Fatal(err, len(x.Spans))
				}
			}
		})
	}
}
