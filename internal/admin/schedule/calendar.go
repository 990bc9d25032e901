package schedule

import (
	"iter"
	"slices"
	"time"

	"github.com/teambition/rrule-go"
)

// calendar is a recurrence rule of RFC 5545. Its UNTIL is wall time.
type calendar struct {
	opt rrule.ROption
}

// cycle moves walls so far into the future that the library's own end of time, the year 9999, becomes lastYear. It looks
// for the next wall of a rule until then, and nothing else makes it stop. The Gregorian calendar repeats every 400 years,
// to the day of the week.
const cycle = 9999 - lastYear

func (c calendar) walls(first, from Wall) iter.Seq[Wall] {
	return func(yield func(Wall) bool) {
		opt := c.explicit(first)
		if !reachable(&opt, first) {
			return
		}
		if opt.Count > 0 || from.Compare(first) < 0 {
			from = first // counting begins at the start
		}
		opt.Dtstart = forward(&opt, first, from).at.AddDate(cycle, 0, 0)
		if opt.Until.IsZero() {
			opt.Until = WallOf(lastYear, 12, 31, 23, 59, 59).at // the library would take 290 years from the start
		}
		opt.Until, opt.Count = opt.Until.AddDate(cycle, 0, 0), 0
		rule, err := rrule.NewRRule(opt)
		if err != nil {
			return // reading refuses all that the library does
		}
		count, next := 0, rule.Iterator()
		for t, ok := next(); ok; t, ok = next() {
			w := Wall{at: t.AddDate(-cycle, 0, 0)}
			if w.Compare(first) < 0 {
				continue
			}
			if count++; !yield(w) || count == c.opt.Count {
				return
			}
		}
	}
}

// possible asks without what makes a rule depend on its start: with INTERVAL=2 that could be in the wrong year. The hours
// and minutes of a rule come each day, so that only the days are left to ask for.
func (c calendar) possible() bool {
	c.opt.Interval, c.opt.Count, c.opt.Until = 1, 0, time.Time{}
	c.opt.Freq = min(c.opt.Freq, rrule.DAILY)
	return fires(c.walls(someday(), someday()))
}

// explicit is the rule with all that it takes from its start, as RFC 5545 has it, so that the start can be moved.
func (c calendar) explicit(first Wall) rrule.ROption {
	opt := c.opt
	_, month, date := first.Date()
	hour, minute, second := first.Clock()
	if c.daysFromStart() {
		switch opt.Freq {
		case rrule.YEARLY:
			if len(opt.Bymonth) == 0 {
				opt.Bymonth = []int{int(month)}
			}
			opt.Bymonthday = []int{date}
		case rrule.MONTHLY:
			opt.Bymonthday = []int{date}
		case rrule.WEEKLY:
			opt.Byweekday = []rrule.Weekday{weekdays()[first.at.Weekday()]}
		}
	}
	if len(opt.Byhour) == 0 && opt.Freq < rrule.HOURLY {
		opt.Byhour = []int{hour}
	}
	if len(opt.Byminute) == 0 && opt.Freq < rrule.MINUTELY {
		opt.Byminute = []int{minute}
	}
	opt.Bysecond = []int{second}
	return opt
}

// daysFromStart reports whether the rule itself says nothing of days.
func (c calendar) daysFromStart() bool {
	return len(c.opt.Byyearday)+len(c.opt.Bymonthday)+len(c.opt.Byweekday) == 0
}

// weekdays are the library's, by time.Weekday.
func weekdays() [7]rrule.Weekday {
	return [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}
}

// reachable reports whether steps of hours or minutes from first ever hit the hours and minutes of the rule: the library
// would search for them forever.
func reachable(opt *rrule.ROption, first Wall) bool {
	step, within := opt.Interval, opt.Byminute
	switch opt.Freq {
	case rrule.MINUTELY:
	case rrule.HOURLY:
		step, within = step*60, nil // BYMINUTE adds to an hour and takes none away
	default:
		return true
	}
	const minutes = 24 * 60
	hour, minute, _ := first.Clock()
	at := hour*60 + minute
	for range minutes {
		if (len(opt.Byhour) == 0 || slices.Contains(opt.Byhour, at/60)) && (len(within) == 0 || slices.Contains(within, at%60)) {
			return true
		}
		at = (at + step) % minutes
	}
	return false
}

// forward gives the beginning of the interval of an explicit rule that from is in, so that an old rule costs no more than
// a new one, and a rule begins the same wherever in its first interval it starts.
func forward(opt *rrule.ROption, first, from Wall) Wall {
	year, month, date := first.Date()
	toYear, toMonth, _ := from.Date()
	whole := func(units int) int { return units / opt.Interval * opt.Interval }
	units := func(begin Wall, unit time.Duration) Wall {
		return begin.add(time.Duration(whole(int(from.sub(begin)/unit))) * unit)
	}
	switch opt.Freq {
	case rrule.YEARLY:
		return WallOf(year+whole(toYear-year), 1, 1, 0, 0, 0)
	case rrule.MONTHLY:
		return WallOf(year, month+time.Month(whole(12*(toYear-year)+int(toMonth-month))), 1, 0, 0, 0)
	case rrule.WEEKLY:
		since := (int(first.at.Weekday()) + 6 - opt.Wkst.Day()) % 7
		return units(WallOf(year, month, date-since, 0, 0, 0), 7*day)
	case rrule.DAILY:
		return units(WallOf(year, month, date, 0, 0, 0), day)
	case rrule.HOURLY:
		return units(Wall{at: first.at.Truncate(time.Hour)}, time.Hour)
	default:
		return units(Wall{at: first.at.Truncate(time.Minute)}, time.Minute)
	}
}
