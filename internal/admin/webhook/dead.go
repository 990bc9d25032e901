package webhook

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// DeadLetter is an event that is not tried again by itself.
type DeadLetter struct {
	Event Event     `json:"event"`
	Tries int       `json:"tries"`
	Died  time.Time `json:"died_at"`
	// Why is how the last attempt ended.
	Why string `json:"why"`
}

// Bounds of what is kept for each endpoint; the oldest make room.
const (
	maxDeliveries = 200
	maxDead       = 1000
)

// deadIn are the dead letters on a desk, oldest event first.
func deadIn(fields map[string][]byte) []DeadLetter {
	letters := []DeadLetter{}
	for field, text := range fields {
		var l DeadLetter
		if strings.HasPrefix(field, fieldDead) && json.Unmarshal(text, &l) == nil {
			letters = append(letters, l)
		}
	}
	slices.SortFunc(letters, func(a, b DeadLetter) int {
		return cmp.Or(a.Event.At.Compare(b.Event.At), cmp.Compare(a.Event.Rev, b.Event.Rev), cmp.Compare(a.Event.Index, b.Event.Index))
	})
	return letters
}

// attemptsIn are the attempts on a desk, newest first.
func attemptsIn(fields map[string][]byte) []Attempt {
	attempts := []Attempt{}
	for field, text := range fields {
		var a Attempt
		if strings.HasPrefix(field, fieldAttempt) && json.Unmarshal(text, &a) == nil {
			attempts = append(attempts, a)
		}
	}
	slices.SortFunc(attempts, func(a, b Attempt) int { return cmp.Compare(b.ID, a.ID) })
	return attempts[:min(len(attempts), maxDeliveries)]
}
