package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// findWindow finds the window that is meant: by its id, by the beginning of it, or by a target that has one only.
func (t *tool) findWindow(ctx context.Context, api *client.Client, text string) (wire.WindowDetail, error) {
	path := ""
	if isTarget(text) {
		var err error
		if path, err = t.target(text); err != nil {
			return wire.WindowDetail{}, err
		}
	} else {
		w, err := api.Window(ctx, text)
		if r, ok := errors.AsType[*client.Refusal](err); !ok || r.Status != http.StatusNotFound {
			return w, err
		}
	}
	list, err := api.Windows(ctx, path, "", false)
	if err != nil {
		return wire.WindowDetail{}, err
	}
	var found []wire.WindowDetail
	for _, w := range list {
		if path != "" || strings.HasPrefix(w.ID, strings.ToLower(text)) {
			found = append(found, w)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err = fmt.Errorf("%s names no window that runs or is to come", oneLine(text))
	default:
		err = fmt.Errorf("%s may be any of %d windows: %s", oneLine(text), len(found), t.candidates(found))
	}
	return wire.WindowDetail{}, &exitError{code: exitRefused, err: err, next: "waygate window list"}
}

// candidates names windows to choose from.
func (t *tool) candidates(found []wire.WindowDetail) string {
	const most = 5
	var names []string
	ids := idsOf(found)
	for i, w := range found {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(found)-most))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s, %s)", shortID(w.ID, ids), targetOf(w.Path), t.inZone(w.Timezone).whenInWords(w)))
	}
	return strings.Join(names, "; ")
}

// aboutWindow has the refusal of a change of a window say where to look.
func aboutWindow(err error, w wire.WindowDetail) error {
	r, ok := errors.AsType[*client.Refusal](err)
	if !ok || r.Status != http.StatusNotFound && r.Status != http.StatusBadRequest && r.Status != http.StatusUnprocessableEntity {
		return err
	}
	return &exitError{code: exitRefused, err: r, next: "waygate window show " + w.ID}
}
