package schedule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// No text makes Parse panic or search for long, what it takes it takes again in the canonical form, and what it yields
// rises.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"RRULE:FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "FREQ=YEARLY;BYDAY=-53MO", "FREQ=YEARLY;BYDAY=53MO",
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYYEARDAY=-366;BYHOUR=1,2",
		"FREQ=HOURLY;INTERVAL=7;BYHOUR=3;BYMINUTE=0,30", "FREQ=MINUTELY;INTERVAL=7;BYHOUR=3;BYMINUTE=5;BYMONTHDAY=30;BYMONTH=2",
		"FREQ=DAILY;UNTIL=20261231", "FREQ=WEEKLY;BYSETPOS=1;BYDAY=MO,WE", "CRON:0 2 * * 0", "CRON:*/15 9-17/2 1,15 JAN-MAR MON-FRI", "CRON:@daily",
		"CRON:0 0 29 2 */7", "CRON:0 0 30 2 *",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			require.Equal(t, Rule{}, r)
			return
		}
		again, err := Parse(r.String())
		require.NoError(t, err)
		require.Equal(t, r, again)
		s := Series{Rule: r, First: WallOf(2026, 1, 31, 2, 30, 0), Zone: "America/New_York", To: clockOf(3, 0, 0)}
		if s.Validate() != nil {
			return
		}
		require.NotEmpty(t, s.Describe())
		x, err := s.Expand(s.First.at, s.First.at.AddDate(20, 0, 0), 100)
		require.NoError(t, err)
		for i, span := range x.Spans {
			require.True(t, span.End.After(span.Start))
			require.True(t, i == 0 || span.Start.After(x.Spans[i-1].Start))
		}
	})
}
