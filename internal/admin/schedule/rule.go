package schedule

import (
	"fmt"
	"iter"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// Rule says at which wall times something comes again. Rules are values, comparable with ==; two that are written in the
// same canonical text are the same. The zero Rule is no rule.
type Rule struct {
	text string // canonical
}

// recurrence is a rule that was read.
type recurrence interface {
	fmt.Stringer
	// walls yields the wall times of the rule that are not before first, in rising order and each once. It may leave out
	// those before from. It ends with the rule, and at the latest with lastYear.
	walls(first, from Wall) iter.Seq[Wall]
	// possible reports whether the rule fires at all, given the best of starts.
	possible() bool
}

const (
	maxText = 500 // bytes of a rule
	// A start or an end may be in the firstYear at the earliest; every search ends with the lastYear.
	firstYear, lastYear = 2000, 2399
)

// Parse reads a rule:
//
//   - RRULE:FREQ=WEEKLY;BYDAY=SU, a recurrence rule of RFC 5545 (section 3.3.10), in any case and with or without the
//     RRULE: before it. UNTIL is wall time as well, inclusive; a date alone stands for the whole day. Start and zone are
//     not parts of a rule, so DTSTART, TZID and a Z after UNTIL are refused; so are RDATE and EXDATE, seconds
//     (FREQ=SECONDLY, BYSECOND), BYWEEKNO, and what the RFC says must not be.
//   - CRON:0 2 * * 0, five fields as crontab(5) has them: minute, hour, day of month, month, day of week. If both days are
//     restricted (neither begins with *), one of them is enough. Names of months and days, ranges, lists, steps and
//     @hourly, @daily, @weekly, @monthly and @yearly are read.
//
// A rule that can never fire, such as each 30 February, is refused. The error is a state.InvalidError.
func Parse(text string) (Rule, error) {
	is, err := read(text)
	if err != nil {
		return Rule{}, err
	}
	if !is.possible() {
		return Rule{}, state.Invalid("rule", "%s never comes true: there is no such day or time", is)
	}
	return Rule{text: is.String()}, nil
}

// String gives the canonical text, which Parse reads; empty for the zero Rule.
func (r Rule) String() string { return r.text }

// IsZero reports whether there is no rule.
func (r Rule) IsZero() bool { return r.text == "" }

// read reads a rule without asking whether it ever fires.
func read(text string) (recurrence, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if len(text) > maxText {
		return nil, state.Invalid("rule", "the rule has %d bytes: at most %d are read", len(text), maxText)
	}
	for _, name := range []string{"DTSTART", "DTEND", "DURATION", "RDATE", "EXDATE", "EXRULE", "TZID"} {
		if strings.Contains(text, name) {
			return nil, state.Invalid("rule", "%s is no part of a rule: start, end and zone are given apart, and dates cannot be added or left out", name)
		}
	}
	if fields, ok := strings.CutPrefix(text, "CRON:"); ok {
		return readCron(fields)
	}
	parts, prefixed := strings.CutPrefix(text, "RRULE:")
	if !prefixed && !strings.Contains(text, "FREQ=") {
		return nil, state.Invalid("rule", "%q is not a rule: write RRULE:FREQ=WEEKLY;BYDAY=SU (RFC 5545) or CRON:0 2 * * 0 (five fields)", text)
	}
	return readCalendar(parts)
}

// fires reports whether there is any wall time.
func fires(walls iter.Seq[Wall]) bool {
	for range walls {
		return true
	}
	return false
}

// someday is a start for questions that no start should matter to: a leap year that begins on a Monday.
func someday() Wall { return WallOf(2024, 1, 1, 0, 0, 0) }
