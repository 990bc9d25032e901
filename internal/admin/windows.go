package admin

import (
	"context"
	"fmt"

	"github.com/waygate/waygate/internal/state"
)

// Window is a window by its id, for a change that depends on what it says: one that this admin does not know yet is
// looked for at the store's head. The error is state.ErrNotFound where there is none.
func (s *Service) Window(ctx context.Context, id string) (state.Window, error) {
	view, err := s.View()
	if err != nil {
		return state.Window{}, err
	}
	w, ok := view.Document().Window(id)
	if !ok {
		if view, err = s.head(ctx); err != nil {
			return state.Window{}, err
		}
		w, ok = view.Document().Window(id)
	}
	if !ok {
		return state.Window{}, fmt.Errorf("window %q: %w", id, state.ErrNotFound)
	}
	return w, nil
}
