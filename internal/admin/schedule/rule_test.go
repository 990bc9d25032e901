package schedule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func ruleOf(t *testing.T, text string) Rule {
	t.Helper()
	r, err := Parse(text)
	require.NoError(t, err)
	return r
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{
		{"RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"},
		{"freq=daily", "RRULE:FREQ=DAILY"},
		{" rrule:freq=weekly;byday=su,mo,SU;interval=1 ", "RRULE:FREQ=WEEKLY;BYDAY=MO,SU"},
		{"WKST=SU;INTERVAL=2;FREQ=WEEKLY", "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU"},
		{"FREQ=MONTHLY;BYDAY=+1SU", "RRULE:FREQ=MONTHLY;BYDAY=1SU"},
		{"FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=-1FR"},
		{"FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
		{"FREQ=YEARLY;BYMONTH=12,01,12;BYMONTHDAY=-1", "RRULE:FREQ=YEARLY;BYMONTH=1,12;BYMONTHDAY=-1"},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"},
		{"FREQ=YEARLY;BYDAY=53MO", "RRULE:FREQ=YEARLY;BYDAY=53MO"},
		{"FREQ=DAILY;UNTIL=20261231", "RRULE:FREQ=DAILY;UNTIL=20261231T235959"},
		{"FREQ=DAILY;UNTIL=20261231T020000", "RRULE:FREQ=DAILY;UNTIL=20261231T020000"},
		{"FREQ=HOURLY;INTERVAL=2;BYHOUR=3", "RRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=3"},
		{"CRON:0 2 * * 0", "CRON:0 2 * * 0"},
		{"cron: 00  2\t* * sun ", "CRON:0 2 * * 0"},
		{"CRON:*/15 9-17/2 1,15 jan-mar mon-fri", "CRON:*/15 9-17/2 1,15 1-3 1-5"},
		{"CRON:0 0 * * 7", "CRON:0 0 * * 7"},
		{"CRON:@daily", "CRON:0 0 * * *"},
		{"CRON:@Weekly", "CRON:0 0 * * 0"},
		{"CRON:0 0 30 2 1", "CRON:0 0 30 2 1"}, // or Monday
		{"CRON:0 0 29 2 */7", "CRON:0 0 29 2 */7"},
	} {
		t.Run(test.text, func(t *testing.T) {
			r := ruleOf(t, test.text)
			require.Equal(t, test.canonical, r.String())
			require.Equal(t, r, ruleOf(t, test.canonical))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"", "is not a rule"},
		{"0 2 * * 0", "CRON:"},
		{"every day", "RRULE:"},
		{"RRULE:", "NAME=VALUE"},
		{"RRULE:INTERVAL=2", "FREQ is missing"},
		{"FREQ=SECONDLY", "MINUTELY"},
		{"FREQ=FORTNIGHTLY", "WEEKLY"},
		{"FREQ=DAILY;", "NAME=VALUE"},
		{"FREQ=DAILY;FREQ=DAILY", "twice"},
		{"FREQ=DAILY;INTERVAL=0", "from 1 to 10000"},
		{"FREQ=DAILY;INTERVAL=99999999999999999999", "from 1 to 10000"},
		{"FREQ=DAILY;COUNT=0", "from 1 to 10000"},
		{"FREQ=DAILY;COUNT=1000000000", "from 1 to 10000"},
		{"FREQ=DAILY;COUNT=1;UNTIL=20270101", "leave one out"},
		{"FREQ=DAILY;UNTIL=20270101T000000Z", "leave out the Z"},
		{"FREQ=DAILY;UNTIL=2027-01-01", "20261231"},
		{"FREQ=DAILY;UNTIL=00010101T000000", "20261231"},
		{"FREQ=DAILY;UNTIL=20270101T000000.5", "20261231"},
		{"DTSTART:20270101T000000\nRRULE:FREQ=DAILY", "DTSTART is no part"},
		{"FREQ=DAILY;DTSTART=20270101T000000", "DTSTART is no part"},
		{"RRULE;TZID=Europe/Berlin:FREQ=DAILY", "TZID is no part"},
		{"RRULE:FREQ=DAILY\nEXDATE:20270101T000000", "EXDATE is no part"},
		{"RRULE:FREQ=DAILY\nRDATE:20270101T000000", "RDATE is no part"},
		{"FREQ=DAILY;BYEASTER=0", "RFC 5545"},
		{"FREQ=YEARLY;BYWEEKNO=53", "BYWEEKNO is not read"},
		{"FREQ=DAILY;BYSECOND=1", "seconds are those of the start"},
		{"FREQ=DAILY;BYHOUR=24", "from 0 to 23"},
		{"FREQ=MONTHLY;BYMONTHDAY=0", "from the end"},
		{"FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31"},
		{"FREQ=MONTHLY;BYDAY=53MO", "5 weeks"}, // the library panics
		{"FREQ=YEARLY;BYMONTH=12;BYDAY=53MO", "5 weeks"},
		{"FREQ=YEARLY;BYDAY=-54MO", "53 weeks"},
		{"FREQ=MONTHLY;BYDAY=0MO", "1SU"},
		{"FREQ=MONTHLY;BYDAY=MO,1TU", "two rules"},
		{"FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY"},
		{"FREQ=WEEKLY;BYDAY=M", "MO, TU"},
		{"FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=WEEKLY"},
		{"FREQ=DAILY;BYYEARDAY=1", "FREQ=YEARLY"},
		{"FREQ=MINUTELY;BYSETPOS=2", "BYSETPOS"},
		{"FREQ=WEEKLY;WKST=1MO", "WKST"},
		{"FREQ=DAILY;BYSETPOS=2", "never comes true"},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes true"},
		{"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "never comes true"},
		{"FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8", "never comes true"},
		{"CRON:0 0 30 2 *", "never comes true"},
		{"CRON:0 0 31 4,6,9,11 *", "never comes true"},
		{"CRON:0 2 * *", "five"},
		{"CRON:0 0 2 * * 0", "neither seconds nor years"},
		{"CRON:0 2 * * 0 2027", "neither seconds nor years"},
		{"CRON:@reboot", "fields"},
		{"CRON:60 2 * * *", "minute"},
		{"CRON:0 24 * * *", "hour"},
		{"CRON:0 0 0 * *", "day of month"},
		{"CRON:0 0 * 13 *", "month"},
		{"CRON:0 0 * * 8", "day of week"},
		{"CRON:0 0 * * fri-mon", "day of week"},
		{"CRON:0 0 L * *", "day of month"},
		{"CRON:0 0 * * 1#2", "day of week"},
		{"CRON:5/15 * * * *", "minute"},
		{"CRON:*/0 * * * *", "minute"},
		{"CRON:*/9223372036854775807 * * * *", "minute"},
		{"CRON:*/90 * * * *", "minute"},
		{"CRON:1,,2 * * * *", "minute"},
		{"CRON:*,99 * * * *", "minute"},
		{"CRON:1-5-9 * * * *", "minute"},
		{"CRON:+1 * * * *", "minute"},
		{"FREQ=DAILY;BYMINUTE=" + strings.Repeat("1,", 300), "500"},
	} {
		t.Run(test.text, func(t *testing.T) {
			_, err := Parse(test.text)
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, "rule", invalid.Field)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestEvery(t *testing.T) {
	for words, text := range map[string]string{
		"hour":                     "RRULE:FREQ=HOURLY",
		"day":                      "RRULE:FREQ=DAILY",
		"Every Day":                "RRULE:FREQ=DAILY",
		"week":                     "RRULE:FREQ=WEEKLY",
		"2 weeks":                  "RRULE:FREQ=WEEKLY;INTERVAL=2",
		"1 week":                   "RRULE:FREQ=WEEKLY",
		"90 minutes":               "RRULE:FREQ=MINUTELY;INTERVAL=90",
		"month":                    "RRULE:FREQ=MONTHLY",
		"3 months":                 "RRULE:FREQ=MONTHLY;INTERVAL=3",
		"year":                     "RRULE:FREQ=YEARLY",
		"weekday":                  "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
		"weekend":                  "RRULE:FREQ=WEEKLY;BYDAY=SA,SU",
		"sunday":                   "RRULE:FREQ=WEEKLY;BYDAY=SU",
		"Sundays":                  "RRULE:FREQ=WEEKLY;BYDAY=SU",
		"mon":                      "RRULE:FREQ=WEEKLY;BYDAY=MO",
		"monday,wednesday":         "RRULE:FREQ=WEEKLY;BYDAY=MO,WE",
		"wed, thurs and monday":    "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,TH",
		"first sunday":             "RRULE:FREQ=MONTHLY;BYDAY=1SU",
		"2nd tuesday":              "RRULE:FREQ=MONTHLY;BYDAY=2TU",
		"last friday":              "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
		"last friday of the month": "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
		"last day":                 "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1",
		"first day":                "RRULE:FREQ=MONTHLY;BYMONTHDAY=1",
	} {
		r, err := Every(words)
		require.NoError(t, err, words)
		require.Equal(t, text, r.String(), words)
	}
	for _, words := range []string{"", "every", "and", "fortnight", "5th sunday", "2 sundays", "s", "m", "first", "last friday of may", "two weeks", "-1 days", "mon;tue"} {
		_, err := Every(words)
		var invalid *state.InvalidError
		require.ErrorAs(t, err, &invalid, words)
		require.Equal(t, "every", invalid.Field, words)
		require.ErrorContains(t, err, "2nd tuesday")
	}
	_, err := Every("0 days")
	require.ErrorContains(t, err, "INTERVAL=0")
}
