package admin

import (
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Reader gives what reads the lines that are wanted out of one frame, in the order in which things were done. The error
// says what is wrong with the filter.
func (f AuditFilter) Reader() (func(*state.Frame) ([]AuditLine, error), error) {
	wanted, err := f.compile()
	if err != nil {
		return nil, err
	}
	return func(f *state.Frame) ([]AuditLine, error) {
		lines, err := wanted.linesOf(f)
		slices.Reverse(lines)
		return lines, err
	}, nil
}
