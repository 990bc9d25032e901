package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of what a rule may say. The library adds intervals up in an int, and counts one by one.
const (
	maxInterval = 10_000
	maxCount    = 10_000
)

const (
	untilForm     = "20060102T150405"
	untilDateForm = "20060102"
)

// readCalendar reads a RECUR value of RFC 5545, in upper case.
func readCalendar(text string) (recurrence, error) {
	c := calendar{opt: rrule.ROption{Freq: -1, Interval: 1}}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || value == "":
			return nil, state.Invalid("rule", "%q is not a part of a rule: write NAME=VALUE, with ; between parts", part)
		case seen[name]:
			return nil, state.Invalid("rule", "%s is given twice", name)
		}
		seen[name] = true
		if err := c.set(name, value); err != nil {
			return nil, err
		}
	}
	if !seen["FREQ"] {
		return nil, state.Invalid("rule", "FREQ is missing: write for example FREQ=DAILY")
	}
	if problem := c.problem(seen); problem != "" {
		return nil, state.Invalid("rule", "%s", problem)
	}
	return c, nil
}

func (c *calendar) set(name, value string) (err error) {
	o := &c.opt
	switch name {
	case "FREQ":
		if o.Freq, err = rrule.StrToFreq(value); err != nil || o.Freq == rrule.SECONDLY {
			return state.Invalid("rule", "FREQ=%s is not known: write YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY", value)
		}
	case "INTERVAL":
		o.Interval, err = number(name, value, 1, maxInterval)
	case "COUNT":
		o.Count, err = number(name, value, 1, maxCount)
	case "UNTIL":
		o.Until, err = readUntil(value)
	case "WKST":
		i := slices.Index(dayNames(), value)
		if i < 0 {
			return state.Invalid("rule", "WKST=%s is not a day: write MO, TU, WE, TH, FR, SA or SU", value)
		}
		o.Wkst = weekdays()[(i+1)%7]
	case "BYSETPOS":
		o.Bysetpos, err = numbers(name, value, -366, 366)
	case "BYMONTH":
		o.Bymonth, err = numbers(name, value, 1, 12)
	case "BYMONTHDAY":
		o.Bymonthday, err = numbers(name, value, -31, 31)
	case "BYYEARDAY":
		o.Byyearday, err = numbers(name, value, -366, 366)
	case "BYDAY":
		o.Byweekday, err = readDays(value)
	case "BYHOUR":
		o.Byhour, err = numbers(name, value, 0, 23)
	case "BYMINUTE":
		o.Byminute, err = numbers(name, value, 0, 59)
	case "BYSECOND":
		return state.Invalid("rule", "BYSECOND is not read: the seconds are those of the start")
	case "BYWEEKNO":
		return state.Invalid("rule", "BYWEEKNO is not read: count weeks with FREQ=WEEKLY and INTERVAL, or name the dates with BYYEARDAY")
	default:
		return state.Invalid("rule", "%q is not a part of a rule of RFC 5545", name)
	}
	return err
}

// problem says what RFC 5545 forbids, or the library gets wrong, about parts that are right by themselves.
func (c *calendar) problem(seen map[string]bool) string {
	freq, numbered := c.opt.Freq, 0
	most := 5 // weeks of a month
	if freq == rrule.YEARLY && !seen["BYMONTH"] {
		most = 53
	}
	for _, d := range c.opt.Byweekday {
		if d.N() != 0 {
			numbered++
		}
		if max(d.N(), -d.N()) > most {
			return fmt.Sprintf("BYDAY=%s asks for more than the %d weeks there are", d, most)
		}
	}
	switch {
	case seen["COUNT"] && seen["UNTIL"]:
		return "COUNT and UNTIL both end a rule: leave one out"
	case seen["BYMONTHDAY"] && freq == rrule.WEEKLY:
		return "BYMONTHDAY does not go with FREQ=WEEKLY: write FREQ=MONTHLY, or FREQ=DAILY with BYDAY and BYMONTHDAY"
	case seen["BYYEARDAY"] && freq != rrule.YEARLY && freq < rrule.HOURLY:
		return "BYYEARDAY needs FREQ=YEARLY"
	case numbered > 0 && freq > rrule.MONTHLY:
		return "BYDAY with a number, such as 1SU, needs FREQ=MONTHLY or FREQ=YEARLY"
	case numbered > 0 && numbered < len(c.opt.Byweekday): // the library takes both for one condition
		return "BYDAY has days with a number and days without: write two rules"
	case seen["BYSETPOS"] && freq > rrule.DAILY: // the library could look for the second of one for hours
		return "BYSETPOS needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"
	}
	return ""
}

// String gives the canonical text: each part once and in one order, lists sorted, nothing that goes without saying.
func (c calendar) String() string {
	o := &c.opt
	text := "RRULE:FREQ=" + o.Freq.String()
	if o.Interval != 1 {
		text += ";INTERVAL=" + strconv.Itoa(o.Interval)
	}
	if o.Count != 0 {
		text += ";COUNT=" + strconv.Itoa(o.Count)
	}
	if !o.Until.IsZero() {
		text += ";UNTIL=" + o.Until.Format(untilForm)
	}
	text += list("BYMONTH", o.Bymonth) + list("BYYEARDAY", o.Byyearday) + list("BYMONTHDAY", o.Bymonthday)
	text += list("BYDAY", o.Byweekday) + list("BYHOUR", o.Byhour) + list("BYMINUTE", o.Byminute) + list("BYSETPOS", o.Bysetpos)
	if o.Wkst.Day() != 0 {
		text += ";WKST=" + dayNames()[o.Wkst.Day()]
	}
	return text
}

func list[V int | rrule.Weekday](name string, values []V) string {
	if len(values) == 0 {
		return ""
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strings.TrimPrefix(fmt.Sprint(v), "+") // the library writes +1SU
	}
	return ";" + name + "=" + strings.Join(texts, ",")
}

// dayNames are the days of RFC 5545, by the library's numbers.
func dayNames() []string { return []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} }

func readUntil(value string) (time.Time, error) {
	if strings.HasSuffix(value, "Z") {
		return time.Time{}, state.Invalid("rule", "UNTIL=%s is in UTC, but a rule knows wall time only, of the zone that is given apart: leave out the Z", value)
	}
	form, more := untilForm, time.Duration(0)
	if len(value) == len(untilDateForm) {
		form, more = untilDateForm, day-time.Second
	}
	t, err := time.Parse(form, value)
	if err != nil || len(value) != len(form) || t.Year() < firstYear {
		return time.Time{}, state.Invalid("rule", "UNTIL=%s is not a time to come: write 20261231 or 20261231T235959", value)
	}
	return t.Add(more), nil
}

// readDays reads SU, 1SU or -1FR, with commas between.
func readDays(value string) ([]rrule.Weekday, error) {
	var days []rrule.Weekday
	for text := range strings.SplitSeq(value, ",") {
		count, name := text[:max(0, len(text)-2)], text[max(0, len(text)-2):]
		i := slices.Index(dayNames(), name)
		if i < 0 {
			return nil, state.Invalid("rule", "BYDAY=%s is not a day: write MO, TU, WE, TH, FR, SA or SU, or with a number 1SU or -1FR", text)
		}
		d := weekdays()[(i+1)%7]
		if count != "" {
			n, err := strconv.Atoi(count)
			if err != nil || n == 0 {
				return nil, state.Invalid("rule", "BYDAY=%s has no number: write 1SU for the first, -1SU for the last Sunday", text)
			}
			d = d.Nth(n)
		}
		days = append(days, d)
	}
	slices.SortFunc(days, func(a, b rrule.Weekday) int { return cmp.Or(cmp.Compare(a.N(), b.N()), cmp.Compare(a.Day(), b.Day())) })
	return slices.Compact(days), nil
}

// numbers reads a list, sorts it and leaves out what is in it twice. If low is negative, numbers count from the end as
// well, and there is no zero.
func numbers(name, value string, low, high int) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(value, ",") {
		n, err := number(name, text, low, high)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func number(name, text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case low < 0 && (err != nil || n < low || n > high || n == 0):
		return 0, state.Invalid("rule", "%s=%s is not right: write numbers from 1 to %d, or from -1 to %d to count from the end", name, text, high, low)
	case err != nil || n < low || n > high:
		return 0, state.Invalid("rule", "%s=%s is not right: write a number from %d to %d", name, text, low, high)
	}
	return n, nil
}
