package admin

import (
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Reader gives what reads the lines that the query asks for out of one frame, in the order in which things were done.
// Limit and Before do not count. The error says what is wrong with the query.
func (q AuditQuery) Reader() (func(*state.Frame) ([]AuditLine, error), error) {
	wanted, err := q.compile()
	if err != nil {
		return nil, err
	}
	return func(f *state.Frame) ([]AuditLine, error) {
		lines, err := wanted.linesOf(f)
		slices.Reverse(lines)
		return lines, err
	}, nil
}
