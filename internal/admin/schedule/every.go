package schedule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// Every reads the plain words for the common rules, what follows "every":
//
//   - hour, day, week, month, year, or a number of them: 2 weeks, 90 minutes. All else is as at the start: the time of
//     day, and for weeks, months and years the day;
//   - weekday (Monday to Friday), weekend (Saturday and Sunday), sunday, or some of these: mon,wed,friday;
//   - first sunday, 2nd tuesday, last friday, last day: of each month.
//
// A month that starts on a day that not all months have is refused with the series ([Series.Validate]). The error is a
// state.InvalidError that says what is understood.
func Every(words string) (Rule, error) {
	said := strings.Fields(strings.ToLower(words))
	if len(said) > 1 && said[0] == "every" {
		said = said[1:]
	}
	for _, text := range []string{everyUnit(said), everyDays(said), everyNth(said)} {
		if text != "" {
			return Parse(text)
		}
	}
	return Rule{}, state.Invalid("every", "every %q is not understood: write day, weekday, weekend, week, month, year or hour, a number of them as in 2 weeks, "+
		"days as in sunday or mon,wed,fri, days of the month as in first sunday, 2nd tuesday, last friday or last day; for all else give a rule, as in RRULE:FREQ=MONTHLY;BYMONTHDAY=15", words)
}

// everyUnit reads day or 2 weeks.
func everyUnit(said []string) string {
	interval := ""
	if len(said) == 2 {
		n, err := strconv.ParseUint(said[0], 10, 16)
		if err != nil {
			return ""
		}
		if n != 1 {
			interval = ";INTERVAL=" + strconv.FormatUint(n, 10)
		}
		said = said[1:]
	}
	if len(said) != 1 {
		return ""
	}
	freq, ok := map[string]string{
		"minute": "MINUTELY", "hour": "HOURLY", "day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY",
	}[strings.TrimSuffix(said[0], "s")]
	if !ok {
		return ""
	}
	return "RRULE:FREQ=" + freq + interval
}

// everyDays reads weekday or mon, wed and friday.
func everyDays(said []string) string {
	var days []string
	for name := range strings.FieldsSeq(strings.ReplaceAll(strings.Join(said, " "), ",", " ")) {
		switch is := strings.TrimSuffix(name, "s"); {
		case name == "and":
		case is == "weekday":
			days = append(days, "MO", "TU", "WE", "TH", "FR")
		case is == "weekend":
			days = append(days, "SA", "SU")
		case dayOfWeek(name) == "":
			return ""
		default:
			days = append(days, dayOfWeek(name))
		}
	}
	if len(days) == 0 {
		return ""
	}
	return "RRULE:FREQ=WEEKLY;BYDAY=" + strings.Join(days, ",")
}

// everyNth reads first sunday, and last friday of the month.
func everyNth(said []string) string {
	if n := len(said); n > 2 && slices.Contains([]string{"of the month", "of each month", "of every month", "of month"}, strings.Join(said[2:], " ")) {
		said = said[:2]
	}
	if len(said) != 2 {
		return ""
	}
	nth, ok := map[string]string{
		"first": "1", "second": "2", "third": "3", "fourth": "4", "1st": "1", "2nd": "2", "3rd": "3", "4th": "4", "last": "-1",
	}[said[0]] // no fifth: most months have none
	weekday := dayOfWeek(said[1])
	switch {
	case !ok:
		return ""
	case said[1] == "day":
		return "RRULE:FREQ=MONTHLY;BYMONTHDAY=" + nth
	case weekday != "":
		return "RRULE:FREQ=MONTHLY;BYDAY=" + nth + weekday
	}
	return ""
}

// dayOfWeek reads sunday, sundays, sun or any other beginning of at least two letters; it is empty for anything else.
func dayOfWeek(name string) string {
	for i, full := range []string{"mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays"} {
		if len(name) > 1 && strings.HasPrefix(full, name) {
			return dayNames()[i]
		}
	}
	return ""
}
