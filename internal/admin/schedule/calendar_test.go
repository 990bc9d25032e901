package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rules makes up rules that RFC 5545 allows.
type rules struct{ *rand.Rand }

func (r rules) numbers(low, high int) string {
	var texts []string
	for range 1 + r.IntN(3) {
		n := low + r.IntN(high-low+1)
		if n == 0 && low < 0 {
			n = 1
		}
		texts = append(texts, fmt.Sprint(n))
	}
	return strings.Join(texts, ",")
}

func (r rules) days(most int) string {
	var texts []string
	for range 1 + r.IntN(3) {
		n := ""
		if most > 0 {
			n = fmt.Sprint([]int{-1, 1}[r.IntN(2)] * (1 + r.IntN(most)))
		}
		texts = append(texts, n+dayNames()[r.IntN(7)])
	}
	return strings.Join(texts, ",")
}

func (r rules) rule() string {
	freq := []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"}[r.IntN(6)]
	text := "FREQ=" + freq
	maybe := func(name, value string) {
		if r.IntN(4) == 0 {
			text += ";" + name + "=" + value
		}
	}
	maybe("INTERVAL", fmt.Sprint(1+r.IntN(20)))
	maybe("WKST", dayNames()[r.IntN(7)])
	maybe("UNTIL", fmt.Sprintf("%d0615", 2026+r.IntN(12)))
	maybe("BYMONTH", r.numbers(1, 12))
	maybe("BYHOUR", r.numbers(0, 23))
	maybe("BYMINUTE", r.numbers(0, 59))
	switch freq {
	case "YEARLY":
		maybe("BYYEARDAY", r.numbers(-366, 366))
		maybe("BYDAY", r.days(r.IntN(6)))
	case "MONTHLY":
		maybe("BYDAY", r.days(r.IntN(6)))
	default:
		maybe("BYDAY", r.days(0))
	}
	if freq != "WEEKLY" {
		maybe("BYMONTHDAY", r.numbers(-31, 31))
	}
	if freq != "HOURLY" && freq != "MINUTELY" {
		maybe("BYSETPOS", r.numbers(-3, 3))
	}
	return text
}

// It makes no difference to what is yielded that an old rule is forwarded, and a count takes from the same walls.
func TestForwardingChangesNothing(t *testing.T) {
	r := rules{rand.New(rand.NewPCG(5, 45))}
	tried := 0
	for tried < 150 {
		text := r.rule()
		if _, err := Parse(text); err != nil {
			require.ErrorContains(t, err, "never comes true", text)
			continue
		}
		tried++
		is, err := read(text)
		require.NoError(t, err)
		first := WallOf(2026, time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60))
		from := WallOf(2026+r.IntN(2), time.Month(1+r.IntN(12)), 1+r.IntN(31), r.IntN(24), r.IntN(60), 0)
		until := from.add(100 * day)
		take := func(from Wall) (all []Wall) {
			for w := range is.walls(first, from) {
				if w.Compare(until) > 0 {
					break
				}
				if w.Compare(from) >= 0 {
					all = append(all, w)
				}
			}
			return all
		}
		plain := take(first)
		require.True(t, slices.IsSortedFunc(plain, Wall.Compare), text)
		require.Len(t, slices.Compact(slices.Clone(plain)), len(plain), text)
		plain = slices.DeleteFunc(plain, func(w Wall) bool { return w.Compare(from) < 0 })
		require.True(t, slices.Equal(plain, take(from)), "%s from %s", text, first)

		if !strings.Contains(text, "UNTIL") {
			limited, err := read(text + ";COUNT=3")
			require.NoError(t, err)
			counted := slices.Collect(limited.walls(first, first))
			n := 0
			for w := range is.walls(first, first) {
				if n == len(counted) {
					break
				}
				require.Equal(t, counted[n], w, text)
				n++
			}
			require.LessOrEqual(t, len(counted), 3)
		}
	}
}

// What the days of a rule are, said once more: for each day, whether the rule is true of it.
func TestCalendarAgainstAReader(t *testing.T) {
	first := WallOf(2026, 1, 14, 2, 30, 0) // a Wednesday
	days := func(from, to time.Time) int { return int(to.Sub(from) / day) }
	monday := first.at.AddDate(0, 0, -2)
	lastOf := func(d time.Time) int { return d.AddDate(0, 1, -d.Day()).Day() }
	for text, is := range map[string]func(d time.Time) bool{
		"FREQ=DAILY":                              func(time.Time) bool { return true },
		"FREQ=DAILY;INTERVAL=10":                  func(d time.Time) bool { return days(first.at, d)%10 == 0 },
		"FREQ=DAILY;BYMONTH=2;BYDAY=SA":           func(d time.Time) bool { return d.Month() == 2 && d.Weekday() == time.Saturday },
		"FREQ=WEEKLY":                             func(d time.Time) bool { return d.Weekday() == time.Wednesday },
		"FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,WE":      func(d time.Time) bool { return days(monday, d)/7%3 == 0 && (d.Weekday() == 0 || d.Weekday() == 3) },
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU": func(d time.Time) bool { return (days(monday, d)+1)/7%2 == 0 && d.Weekday() == 0 },
		"FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=1":      func(d time.Time) bool { return d.Weekday() == time.Monday },
		"FREQ=MONTHLY;BYDAY=2TU":                  func(d time.Time) bool { return d.Weekday() == time.Tuesday && (d.Day()+6)/7 == 2 },
		"FREQ=MONTHLY;BYDAY=-1FR":                 func(d time.Time) bool { return d.Weekday() == time.Friday && d.Day()+7 > lastOf(d) },
		"FREQ=MONTHLY;BYDAY=5SU":                  func(d time.Time) bool { return d.Weekday() == time.Sunday && d.Day() > 28 },
		"FREQ=MONTHLY;BYMONTHDAY=31":              func(d time.Time) bool { return d.Day() == 31 },
		"FREQ=MONTHLY;BYMONTHDAY=-1":              func(d time.Time) bool { return d.Day() == lastOf(d) },
		"FREQ=MONTHLY;INTERVAL=5":                 func(d time.Time) bool { return d.Day() == 14 && (12*d.Year()+int(d.Month())-12*2026-1)%5 == 0 },
		"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13":     func(d time.Time) bool { return d.Day() == 13 && d.Weekday() == time.Friday },
		"FREQ=YEARLY;BYYEARDAY=-1,100":            func(d time.Time) bool { return d.YearDay() == 100 || d.Month() == 12 && d.Day() == 31 },
		"FREQ=YEARLY;INTERVAL=2":                  func(d time.Time) bool { return d.Year()%2 == 0 && d.Month() == 1 && d.Day() == 14 },
		"FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU": func(d time.Time) bool {
			return (d.Month() == 3 || d.Month() == 10) && d.Weekday() == 0 && d.Day()+7 > 31
		},
		"FREQ=YEARLY;BYDAY=20MO":                   func(d time.Time) bool { return d.Weekday() == time.Monday && (d.YearDay()+6)/7 == 20 },
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29":      func(d time.Time) bool { return d.Month() == 2 && d.Day() == 29 },
		"FREQ=HOURLY;INTERVAL=24":                  func(time.Time) bool { return true },
		"FREQ=MINUTELY;INTERVAL=1440;BYMONTHDAY=1": func(d time.Time) bool { return d.Day() == 1 },
	} {
		rule, err := read(text)
		require.NoError(t, err)
		var want, got []Wall
		end := first.at.AddDate(11, 0, 0)
		for d := first.at; d.Before(end); d = d.AddDate(0, 0, 1) {
			if is(d) {
				want = append(want, Wall{at: d})
			}
		}
		for w := range rule.walls(first, first) {
			if !w.at.Before(end) {
				break
			}
			got = append(got, w)
		}
		require.Equal(t, want, got, text)
	}
}

// The library's tables have room for all that is let through, whichever day of the week a year begins on.
func TestNothingIsOutOfRange(t *testing.T) {
	for _, n := range []int{-54, -53, -52, -6, -5, -1, 1, 5, 6, 52, 53, 54} {
		for _, text := range []string{"FREQ=YEARLY;BYDAY=%dMO", "FREQ=YEARLY;BYDAY=%dSU", "FREQ=MONTHLY;BYDAY=%dSU", "FREQ=YEARLY;BYMONTH=1,12;BYDAY=%dSA", "FREQ=YEARLY;BYDAY=MO,SU;BYSETPOS=%d"} {
			is, err := read(fmt.Sprintf(text, n))
			if err != nil {
				continue
			}
			for w := range is.walls(someday(), someday()) {
				require.GreaterOrEqual(t, w.Compare(someday()), 0)
			}
		}
	}
}
