package schedule

import "time"

// Span is one window of a series.
type Span struct {
	// At is the wall time that the rule names.
	At Wall
	// Start and End are the instants that it is, in UTC. Start is the first instant at which the clock in the zone reads
	// At or later; End is after Start.
	Start, End time.Time
}

// Expansion is a part of a series, written out.
type Expansion struct {
	// Spans are the windows by their start, each start once.
	Spans []Span
	// Through is how far this goes: each window that starts in the part asked for and before Through is in Spans.
	Through time.Time
	// Finished says that no window starts at Through or later: the rule has ended, or rests until the year 2399.
	Finished bool
}

// slack is more than a wall can be behind the clock at the instant where it is placed: Samoa leapt over a whole day.
const slack = 2 * day

// Expand writes out the windows that start in [after, before), at most so many. Two that fall on one instant, because the
// clock leaps over the first, are one: the one that ends last. It reads the zone and checks each part of the series by
// itself, for which see Validate, and its cost grows with the number of windows between the two instants, not with the age
// of the series (but with COUNT it does). The error is a state.InvalidError.
func (s Series) Expand(after, before time.Time, most int) (Expansion, error) {
	is, zone, err := s.read()
	if err != nil {
		return Expansion{}, err
	}
	return s.expand(is, zone, after, before, most), nil
}

func (s Series) expand(is recurrence, zone *time.Location, after, before time.Time, most int) Expansion {
	x := Expansion{Through: before}
	for w := range is.walls(s.First, WallAt(after, zone).add(-slack)) {
		span := s.span(w, zone)
		last := len(x.Spans) - 1
		switch {
		case span.Start.Before(after):
		case !span.Start.Before(before):
			return x
		case last >= 0 && span.Start.Equal(x.Spans[last].Start):
			if span.End.After(x.Spans[last].End) {
				x.Spans[last] = span
			}
		case len(x.Spans) >= most:
			x.Through = span.Start
			return x
		default:
			x.Spans = append(x.Spans, span)
		}
	}
	x.Finished = true
	return x
}

// span places a window.
func (s Series) span(w Wall, zone *time.Location) Span {
	start := Place(w, zone)
	if s.To.IsZero() {
		return Span{At: w, Start: start, End: start.Add(s.For)}
	}
	to := s.To.next(w)
	end := placeLast(to, zone)
	if !end.After(start) { // both in one gap
		end = start.Add(to.sub(w))
	}
	return Span{At: w, Start: start, End: end}
}
