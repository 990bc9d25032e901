package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestValidate(t *testing.T) {
	good := Series{Rule: ruleOf(t, "FREQ=WEEKLY;BYDAY=SU"), First: wallOf(t, "2026-10-04T02:00"), Zone: "Europe/Berlin", For: 2 * time.Hour}
	require.NoError(t, good.Validate())
	with := func(change func(s *Series)) Series {
		s := good
		change(&s)
		return s
	}
	rule := func(text string) func(s *Series) {
		return func(s *Series) { s.Rule = ruleOf(t, text) }
	}
	from := func(text, first string) func(s *Series) {
		return func(s *Series) { s.Rule, s.First = ruleOf(t, text), wallOf(t, first) }
	}
	for _, test := range []struct {
		name   string
		change func(s *Series)
	}{
		{"an end", func(s *Series) { s.For, s.To = 0, clockOf(4, 0, 0) }},
		{"an end at midnight", func(s *Series) { s.For, s.To = 0, clockOf(0, 0, 0) }},
		{"no zone", func(s *Series) { s.Zone = "" }},
		{"a year", func(s *Series) { s.For = 366 * 24 * time.Hour }},
		{"longer than its period", func(s *Series) { s.For = 8 * 24 * time.Hour }},
		{"each quarter of an hour", rule("FREQ=MINUTELY;INTERVAL=15")},
		{"each quarter of an hour, by cron", rule("CRON:*/15 * * * *")},
		{"each minute of one day", rule("CRON:* * 1 * *")},
		{"29 February", from("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-03-01T00:00")},
		{"each 31st there is", from("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31T02:00")},
		{"the last day", from("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31T02:00")},
		{"the 31st of months that have one", from("FREQ=MONTHLY;BYMONTH=1,12", "2026-01-31T02:00")},
		{"the 28th", from("FREQ=MONTHLY", "2026-01-28T02:00")},
		{"odd hours", from("FREQ=HOURLY;INTERVAL=2;BYHOUR=3", "2026-01-31T01:00")},
	} {
		t.Run(test.name, func(t *testing.T) { require.NoError(t, with(test.change).Validate()) })
	}
	for _, test := range []struct {
		name   string
		change func(s *Series)
		field  string
		says   string
	}{
		{"no rule", func(s *Series) { s.Rule = Rule{} }, "rule", "needs a rule"},
		{"no start", func(s *Series) { s.First = Wall{} }, "first", "needs the start"},
		{"a start long ago", func(s *Series) { s.First = WallOf(1999, 12, 31, 0, 0, 0) }, "first", "2000"},
		{"a start far off", func(s *Series) { s.First = WallOf(2200, 1, 1, 0, 0, 0) }, "first", "2199"},
		{"no zone of this world", func(s *Series) { s.Zone = "Europe/Atlantis" }, "zone", "Europe/Berlin"},
		{"local time", func(s *Series) { s.Zone = "Local" }, "zone", "Europe/Berlin"},
		{"no end", func(s *Series) { s.For = 0 }, "for", "how long"},
		{"two ends", func(s *Series) { s.To = clockOf(4, 0, 0) }, "to", "give one"},
		{"less than nothing", func(s *Series) { s.For = -1 }, "for", "more than nothing"},
		{"more than a year", func(s *Series) { s.For = 366*24*time.Hour + 1 }, "for", "366 days"},
		{"each ten minutes", rule("FREQ=MINUTELY;INTERVAL=10"), "rule", "1500 times in 14 days"},
		{"each ten minutes in December", rule("CRON:*/10 * * 12 *"), "rule", "1500 times in 14 days"},
		{"each minute", rule("CRON:* * * * *"), "rule", "1500 times in 14 days"},
		{"each minute of the last two days of leap years", rule("FREQ=MINUTELY;BYYEARDAY=366,1"), "rule", "1500 times in 14 days"},
		{"over before it begins", rule("FREQ=DAILY;UNTIL=20251231"), "rule", "never comes true from"},
		{"the wrong hours", rule("FREQ=HOURLY;INTERVAL=2;BYHOUR=3"), "rule", "never comes true from"},
		{"the wrong minutes", rule("FREQ=MINUTELY;INTERVAL=30;BYHOUR=3;BYMINUTE=15"), "rule", "never comes true from"},
		{"the wrong years", from("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2026-01-01T00:00"), "rule", "never comes true from"},
		{"a day that months miss", from("FREQ=MONTHLY", "2026-01-29T02:00"), "first", "BYMONTHDAY=-1"},
		{"a day that one month misses", from("FREQ=MONTHLY;BYMONTH=3,4", "2026-03-31T02:00"), "first", "day 31"},
		{"29 February, unsaid", from("FREQ=YEARLY", "2028-02-29T02:00"), "first", "BYMONTHDAY=29"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := with(test.change).Validate()
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, test.field, invalid.Field)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestDescribe(t *testing.T) {
	for _, test := range []struct{ rule, first, says string }{
		{"FREQ=WEEKLY;BYDAY=SU", "2026-10-04T02:00", "every Sunday at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=WEEKLY", "2026-10-05T02:00", "every Monday at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-10-05T02:00", "every 2 weeks on Monday and Wednesday at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-10-05T02:00:30", "every weekday at 02:00:30 for 2h, Europe/Berlin"},
		{"FREQ=DAILY;BYHOUR=5", "2026-10-05T02:00", "every day at 05:00 for 2h, Europe/Berlin"},
		{"FREQ=DAILY;INTERVAL=3;COUNT=4", "2026-10-05T02:00", "every 3 days at 02:00, 4 times in all, for 2h, Europe/Berlin"},
		{"FREQ=DAILY;BYMONTH=1,2,7;UNTIL=20281231", "2026-10-05T02:00", "every day at 02:00 in January, February and July, the last on or before 2028-12-31T23:59:59, for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY", "2026-10-02T02:00", "on the 2nd of every month at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY;INTERVAL=3;BYDAY=1SU", "2026-10-04T02:00", "on the 1st Sunday of every 3 months at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY;BYDAY=-1FR", "2026-10-04T02:00", "on the last Friday of every month at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-10-04T02:00", "on the last day of every month at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=YEARLY", "2026-10-21T02:00", "every year on 21 October at 02:00 for 2h, Europe/Berlin"},
		{"FREQ=HOURLY;INTERVAL=6", "2026-10-04T02:15", "every 6 hours from 2026-10-04T02:15 for 2h, Europe/Berlin"},
		{"CRON:30 2 * * 1-5", "2026-10-04T00:00", "every weekday at 02:30 for 2h, Europe/Berlin"},
		{"CRON:0 2 * * 6,7", "2026-10-04T00:00:30", "every Saturday and Sunday at 02:00 for 2h, Europe/Berlin"},
		{"CRON:0 2 * * *", "2026-10-04T00:00", "every day at 02:00 for 2h, Europe/Berlin"},
		{"CRON:0 2 1,11,23 */6 *", "2026-10-04T00:00", "on the 1st, 11th and 23rd of every month at 02:00 in January and July for 2h, Europe/Berlin"},
		{"CRON:0 2 1 * 1", "2026-10-04T00:00", "CRON:0 2 1 * 1 for 2h, Europe/Berlin"},
		{"CRON:0 2,14 * * *", "2026-10-04T00:00", "CRON:0 2,14 * * * for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "2026-10-04T00:00", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1 for 2h, Europe/Berlin"},
		{"FREQ=MONTHLY;BYDAY=SU", "2026-10-04T00:00", "RRULE:FREQ=MONTHLY;BYDAY=SU for 2h, Europe/Berlin"},
		{"FREQ=HOURLY;BYMINUTE=5", "2026-10-04T00:00", "RRULE:FREQ=HOURLY;BYMINUTE=5 for 2h, Europe/Berlin"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s := Series{Rule: ruleOf(t, test.rule), First: wallOf(t, test.first), Zone: "Europe/Berlin", For: 2 * time.Hour}
			require.NoError(t, s.Validate())
			require.Equal(t, test.says, s.Describe())
		})
	}
	s := Series{Rule: ruleOf(t, "FREQ=DAILY"), First: wallOf(t, "2026-10-04T22:00"), To: clockOf(4, 0, 0)}
	require.Equal(t, "every day at 22:00 until 04:00, UTC", s.Describe())
	s.For, s.To = 90*time.Minute, Clock{}
	require.Equal(t, "every day at 22:00 for 1h30m, UTC", s.Describe())
	s.For = 45 * time.Second
	require.Equal(t, "every day at 22:00 for 45s, UTC", s.Describe())
	s.For = 10 * time.Minute
	require.Equal(t, "every day at 22:00 for 10m, UTC", s.Describe())
}
