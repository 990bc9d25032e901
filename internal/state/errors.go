package state

import (
	"errors"
	"fmt"
)

// Sentinels that every layer above maps to its own status codes.
var (
	// ErrConflict means that the store moved on since the base of a commit was read: read again and retry.
	ErrConflict = errors.New("the state changed meanwhile")
	// ErrUnavailable means that the store cannot be reached or refuses writes; nothing is known to have changed.
	ErrUnavailable = errors.New("the store is not available")
	// ErrUnknownOutcome means that a commit was sent but its answer was lost: it may or may not have happened.
	// A retry with the same idempotency id is safe.
	ErrUnknownOutcome = errors.New("the outcome of the change is unknown")
	// ErrEmpty means that the store holds no document at all (a fresh or a wiped store).
	ErrEmpty = errors.New("the store is empty")
	// ErrGap means that the log no longer reaches back to the revision asked for, or belongs to another epoch.
	ErrGap = errors.New("the log does not reach back that far")
	// ErrNotFound means that a thing named by an id does not exist.
	ErrNotFound = errors.New("not found")
	// ErrProtected means that a command would block, gate or change a protected key.
	ErrProtected = errors.New("the route is protected")
	// ErrInForce means that a key cannot be forgotten or protected because something on it is in force or still to come.
	ErrInForce = errors.New("something is in force")
	// ErrUnknownKey means that strict routes are on and nobody declared or saw the key.
	ErrUnknownKey = errors.New("nobody declared or saw this route")
	// ErrDamaged means that stored bytes do not have the form or checksum they must have.
	ErrDamaged = errors.New("damaged")
)

// InvalidError is bad input. Field names what was wrong, Problem says it in a sentence that tells what to do.
type InvalidError struct {
	Field   string
	Problem string
}

// Error implements error.
func (e *InvalidError) Error() string { return e.Problem }

// Invalid builds an InvalidError.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// AmbiguousError says that a bare path stands for several known METHOD:path keys.
type AmbiguousError struct {
	Path    string
	Matches []string // spellings as shown, sorted
}

// Error implements error.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s is ambiguous: name one of its methods, or ANY:path for all of them", e.Path)
}
