package schedule

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Describe says in plain English when the windows are: "every Sunday at 02:00 for 2h, Europe/Berlin". A rule that it has
// no words for stands for itself.
func (s Series) Describe() string {
	words := s.Rule.String()
	if is, err := read(s.Rule.text); err == nil {
		if said, ok := describe(is, s.First); ok {
			words = said
		}
	}
	if !s.To.IsZero() {
		words += " until " + s.To.String()
	} else {
		words += " for " + Brief(s.For.String())
	}
	if s.Zone == "" {
		return words + ", UTC"
	}
	return words + ", " + s.Zone
}

// Brief is a Go duration without the zeros at its end.
func Brief(duration string) string {
	if strings.HasSuffix(duration, "m0s") {
		duration = strings.TrimSuffix(duration, "0s")
	}
	if strings.HasSuffix(duration, "h0m") {
		duration = strings.TrimSuffix(duration, "0m")
	}
	return duration
}

// describe has words for the common rules.
func describe(is recurrence, first Wall) (string, bool) {
	var c calendar
	switch is := is.(type) {
	case calendar:
		c = is
	case cron:
		same, ok := is.calendar()
		if !ok {
			return "", false
		}
		c, first = same, Wall{at: first.at.Truncate(time.Minute)} // the seconds of cron are always zero
	}
	if len(c.opt.Bysetpos)+len(c.opt.Byyearday) > 0 || max(len(c.opt.Byhour), len(c.opt.Byminute)) > 1 {
		return "", false
	}
	words, ok := c.days(first)
	if !ok {
		return "", false
	}
	switch opt := c.explicit(first); {
	case c.opt.Freq <= rrule.DAILY:
		words += " at " + clockOf(opt.Byhour[0], opt.Byminute[0], opt.Bysecond[0]).String()
	case len(c.opt.Byhour)+len(c.opt.Byminute) > 0:
		return "", false
	}
	if months := c.opt.Bymonth; len(months) > 0 && c.opt.Freq != rrule.YEARLY {
		words += " in " + enumerate(months, func(m int) string { return time.Month(m).String() })
	}
	switch {
	case c.opt.Count > 0:
		words += ", " + strconv.Itoa(c.opt.Count) + " times in all,"
	case !c.opt.Until.IsZero():
		words += ", the last on or before " + Wall{at: c.opt.Until}.String() + ","
	}
	return words, true
}

// days says on which days a rule comes; for hours and minutes, how often.
func (c calendar) days(first Wall) (string, bool) {
	opt := c.explicit(first)
	dates, days := opt.Bymonthday, opt.Byweekday
	unit := map[rrule.Frequency]string{
		rrule.YEARLY: "year", rrule.MONTHLY: "month", rrule.WEEKLY: "week", rrule.DAILY: "day", rrule.HOURLY: "hour", rrule.MINUTELY: "minute",
	}[opt.Freq]
	every := "every " + unit
	if opt.Interval > 1 {
		every = "every " + strconv.Itoa(opt.Interval) + " " + unit + "s"
	}
	switch {
	case len(dates) > 0 && len(days) > 0:
		return "", false
	case opt.Freq >= rrule.DAILY:
		if opt.Freq > rrule.DAILY {
			every += " from " + first.String()
		}
		return every, len(dates)+len(days) == 0
	case opt.Freq == rrule.WEEKLY && opt.Interval == 1:
		return "every " + daysInWords(days), true
	case opt.Freq == rrule.WEEKLY:
		return every + " on " + daysInWords(days), true
	case opt.Freq == rrule.MONTHLY && len(dates) > 0:
		return "on the " + enumerate(dates, dateInWords) + " of " + every, true
	case opt.Freq == rrule.MONTHLY && len(days) == 1 && days[0].N() != 0:
		return "on the " + nthInWords(days[0].N()) + daysInWords(days) + " of " + every, true
	case opt.Freq == rrule.YEARLY && len(dates) == 1 && dates[0] > 0 && len(opt.Bymonth) == 1:
		return every + " on " + strconv.Itoa(dates[0]) + " " + time.Month(opt.Bymonth[0]).String(), true
	}
	return "", false
}

// calendar is the same rule by RFC 5545, if cron has one time of day, and days of one kind.
func (c cron) calendar() (calendar, bool) {
	opt := rrule.ROption{Freq: rrule.DAILY, Interval: 1, Byhour: c.list(cronHour), Byminute: c.list(cronMinute)}
	if c.fields[cronMonth] != "*" {
		opt.Bymonth = c.list(cronMonth)
	}
	switch {
	case c.fields[cronDate] == "*" && c.fields[cronWeekday] == "*":
	case c.fields[cronDate] == "*":
		opt.Freq = rrule.WEEKLY
		for _, n := range c.list(cronWeekday) {
			if n < 7 { // another Sunday
				opt.Byweekday = append(opt.Byweekday, weekdays()[n])
			}
		}
		slices.SortFunc(opt.Byweekday, func(a, b rrule.Weekday) int { return a.Day() - b.Day() })
	case c.fields[cronWeekday] == "*":
		opt.Freq, opt.Bymonthday = rrule.MONTHLY, c.list(cronDate)
	default:
		return calendar{}, false
	}
	return calendar{opt: opt}, true
}

// list is what a field names.
func (c cron) list(field int) (all []int) {
	for left := c.is[field]; left != 0; left &= left - 1 {
		all = append(all, bits.TrailingZeros64(uint64(left)))
	}
	return all
}

func daysInWords(days []rrule.Weekday) string {
	numbers := make([]int, len(days))
	for i, d := range days {
		numbers[i] = d.Day()
	}
	switch {
	case slices.Equal(numbers, []int{0, 1, 2, 3, 4}):
		return "weekday"
	case slices.Equal(numbers, []int{0, 1, 2, 3, 4, 5, 6}):
		return "day"
	}
	return enumerate(numbers, func(n int) string { return time.Weekday((n + 1) % 7).String() })
}

// nthInWords is "last " or "2nd ".
func nthInWords(n int) string {
	switch {
	case n == -1:
		return "last "
	case n < 0:
		return ordinal(-n) + " last "
	}
	return ordinal(n) + " "
}

// dateInWords is "last day" or "2nd".
func dateInWords(n int) string {
	if n < 0 {
		return nthInWords(n) + "day"
	}
	return ordinal(n)
}

func ordinal(n int) string {
	end := "th"
	if n/10 != 1 && n%10 < 4 {
		end = []string{"th", "st", "nd", "rd"}[n%10]
	}
	return strconv.Itoa(n) + end
}

// enumerate is "a, b and c".
func enumerate(numbers []int, word func(int) string) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = word(n)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return words[0]
}
