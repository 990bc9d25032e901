package schedule

import (
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// cron is a rule of five fields, as crontab(5) has them.
type cron struct {
	fields [5]string // canonical
	is     [5]set
}

// set is which numbers, from 0 to 63, a field names.
type set uint64

func (s set) has(n int) bool { return s>>n&1 == 1 }

// The fields of cron, by their place.
const (
	cronMinute = iota
	cronHour
	cronDate
	cronMonth
	cronWeekday
)

// cronField is what a field may hold.
type cronField struct {
	name      string
	low, high int
	names     []string // of the numbers from low on
}

func cronFields() [5]cronField {
	return [...]cronField{
		{name: "minute", low: 0, high: 59},
		{name: "hour", low: 0, high: 23},
		{name: "day of month", low: 1, high: 31},
		{name: "month", low: 1, high: 12, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{name: "day of week", low: 0, high: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	}
}

func (c cron) String() string { return "CRON:" + strings.Join(c.fields[:], " ") }

func (c cron) possible() bool { return fires(c.walls(someday(), someday())) }

// longest is more years than any rule of cron rests: one for 29 February and Sunday rests 40, around 2100.
const longest = 50

// walls goes from day to day, or from month to month where the month does not match.
func (c cron) walls(first, from Wall) iter.Seq[Wall] {
	return func(yield func(Wall) bool) {
		if from.Compare(first) < 0 {
			from = first
		}
		year, month, date := from.Date()
		latest := year + longest
		for d := WallOf(year, month, date, 0, 0, 0).at; d.Year() <= min(latest, lastYear); d = c.following(d) {
			if !c.on(d) {
				continue
			}
			latest = d.Year() + longest
			if !c.times(d, from, yield) {
				return
			}
		}
	}
}

// following is the next day that may match.
func (c cron) following(d time.Time) time.Time {
	if c.is[cronMonth].has(int(d.Month())) {
		return d.AddDate(0, 0, 1)
	}
	return time.Date(d.Year(), d.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// on reports whether the rule fires on a day. Either of the two kinds of days is enough, unless one begins with *: then
// both must match, as every cron since Vixie's has it.
func (c cron) on(d time.Time) bool {
	date, weekday := c.is[cronDate].has(d.Day()), c.is[cronWeekday].has(int(d.Weekday()))
	switch {
	case !c.is[cronMonth].has(int(d.Month())):
		return false
	case c.starred(cronDate) || c.starred(cronWeekday):
		return date && weekday
	default:
		return date || weekday
	}
}

func (c cron) starred(field int) bool { return strings.HasPrefix(c.fields[field], "*") }

// times yields the times of one day, but none before from.
func (c cron) times(d time.Time, from Wall, yield func(Wall) bool) bool {
	for hours := c.is[cronHour]; hours != 0; hours &= hours - 1 {
		hour := d.Add(time.Duration(bits.TrailingZeros64(uint64(hours))) * time.Hour)
		for minutes := c.is[cronMinute]; minutes != 0; minutes &= minutes - 1 {
			w := Wall{at: hour.Add(time.Duration(bits.TrailingZeros64(uint64(minutes))) * time.Minute)}
			if w.Compare(from) >= 0 && !yield(w) {
				return false
			}
		}
	}
	return true
}

// readCron reads five fields, in upper case, or one of the names that stand for them.
func readCron(text string) (recurrence, error) {
	parts := strings.Fields(text)
	if len(parts) == 1 {
		switch parts[0] {
		case "@YEARLY", "@ANNUALLY":
			parts = strings.Fields("0 0 1 1 *")
		case "@MONTHLY":
			parts = strings.Fields("0 0 1 * *")
		case "@WEEKLY":
			parts = strings.Fields("0 0 * * 0")
		case "@DAILY", "@MIDNIGHT":
			parts = strings.Fields("0 0 * * *")
		case "@HOURLY":
			parts = strings.Fields("0 * * * *")
		}
	}
	var c cron
	if len(parts) != len(c.fields) {
		return nil, state.Invalid("rule", "CRON:%s has %d fields: write five, minute, hour, day of month, month and day of week, as in CRON:0 2 * * 0 (neither seconds nor years)", text, len(parts))
	}
	for i, field := range cronFields() {
		for j, item := range strings.Split(parts[i], ",") {
			canonical, is, ok := field.read(item)
			if !ok {
				return nil, state.Invalid("rule", "%q is not a %s of cron: write *, a number from %d to %d, a range such as %[3]d-%[4]d, each of them with a step as in */2, and commas between", item, field.name, field.low, field.high)
			}
			c.fields[i] += []string{"", ","}[min(j, 1)] + canonical
			c.is[i] |= is
		}
	}
	if c.is[cronWeekday].has(7) {
		c.is[cronWeekday] |= 1
	}
	return c, nil
}

// read reads one item of a field: *, a number or a range, the last two also by names, and after * or a range a step.
func (f *cronField) read(item string) (canonical string, is set, ok bool) {
	values, stepText, stepped := strings.Cut(item, "/")
	canonical, low, high := "*", f.low, f.high
	if values != "*" {
		canonical, low, high = f.span(values)
	}
	step := 1
	if stepped {
		step = digits(stepText)
		canonical += "/" + strconv.Itoa(step)
	}
	alone := stepped && values != "*" && !strings.Contains(values, "-") // crons differ in what 5/15 is
	if alone || low < f.low || high > f.high || low > high || step < 1 || step > f.high {
		return "", 0, false
	}
	for n := low; n <= high; n += step {
		is |= 1 << n
	}
	return canonical, is, true
}

// span reads a number or a range.
func (f *cronField) span(values string) (canonical string, low, high int) {
	from, to, ranged := strings.Cut(values, "-")
	low = f.number(from)
	if !ranged {
		return strconv.Itoa(low), low, low
	}
	high = f.number(to)
	return strconv.Itoa(low) + "-" + strconv.Itoa(high), low, high
}

// number is -1 for what is none.
func (f *cronField) number(text string) int {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.low + i
	}
	return digits(text)
}

// digits reads a number of one or two digits; -1 is none.
func digits(text string) int {
	if n, err := strconv.ParseUint(text, 10, 8); err == nil && len(text) <= 2 {
		return int(n)
	}
	return -1
}
