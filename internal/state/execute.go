package state

import "errors"

// Execute applies commands, each to the document as the ones before left it, and gives one Change for all of them: it
// is all or nothing. When nothing at all changed, the Change has neither a patch nor records and there is nothing to
// commit. The errors are *InvalidError, *AmbiguousError, ErrProtected, ErrInForce, ErrUnknownKey and ErrNotFound.
func Execute(*Document, Author, ...Command) (Change, []Outcome, error) {
	return Change{}, nil, errors.ErrUnsupported
}
