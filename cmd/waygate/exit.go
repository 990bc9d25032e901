package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// Exit statuses, a contract with scripts.
const (
	exitDone        = 0 // done, and with --wait enforced
	exitRefused     = 1 // refused, nothing changed
	exitUsage       = 2 // the command line is wrong; nothing was sent
	exitUnconfirmed = 3 // changed, but not confirmed by every instance
	exitUnknown     = 4 // sent, and no answer came
)

// exitError is an error with the exit status it stands for and the next command to try.
type exitError struct {
	code int
	err  error
	next string
}

func (e *exitError) Error() string {
	if e.next == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%v; try: %s", e.err, e.next)
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// flagError is the error of an option that is not known, or whose value is not one.
func flagError(cmd *cobra.Command, err error) error {
	if n, ok := errors.AsType[*strconv.NumError](err); ok {
		err = errors.New(strings.Replace(err.Error(), n.Error(), "it is no number", 1))
	}
	return &exitError{code: exitUsage, err: err, next: cmd.CommandPath() + " --help"}
}

// exit prints an error as one clear line and gives the exit status.
func (t *tool) exit(err error) int {
	if err == nil {
		return exitDone
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	err = t.explainFailure(unknownCommand(err))
	fmt.Fprintf(t.err, "waygate: %v\n", err)
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitUsage
}

// unknownCommand makes one line of what cobra says in several of a command that it does not know.
func unknownCommand(err error) error {
	if _, own := errors.AsType[*exitError](err); own {
		return err
	}
	first, more, several := strings.Cut(err.Error(), "\n")
	first, ok := strings.CutPrefix(first, "unknown command ")
	name, _, ok2 := strings.Cut(first, " for ")
	if !ok || !ok2 {
		return err
	}
	if _, like, found := strings.Cut(more, "\n\t"); several && found {
		like, _, _ = strings.Cut(like, "\n")
		return usage("unknown command %s; did you mean waygate %s?", name, like)
	}
	return &exitError{code: exitUsage, err: fmt.Errorf("unknown command %s", name), next: "waygate --help"}
}

// explainFailure gives a failed call its exit status and the next command to try.
func (t *tool) explainFailure(err error) error {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e
	}
	refusal, refused := errors.AsType[*client.Refusal](err)
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return &exitError{code: exitRefused, err: err, next: "waygate config show (is the admin's address right?)"}
	case errors.Is(err, client.ErrNoAnswer):
		return &exitError{code: exitUnknown, err: err, next: "waygate status (it may have happened)"}
	case refused:
		return &exitError{code: exitRefused, err: t.tokenless(refusal), next: t.nextAfter(refusal)}
	case errors.Is(err, context.Canceled):
		return &exitError{code: exitUnknown, err: errors.New("interrupted"), next: "waygate status"}
	case errors.Is(err, client.ErrUnread):
		return &exitError{code: exitRefused, err: err, next: "waygate config show (is the admin's address right?)"}
	}
	return err
}

// tokenless adds to a refusal why no token was sent, where there is one that was not: whoever has just logged in would not
// see what is missing.
func (t *tool) tokenless(r *client.Refusal) error {
	if token, err := t.token(); r.Status == http.StatusUnauthorized && err == nil && token.value == "" && token.from != "" && t.running != "waygate login" {
		return fmt.Errorf("%w (%s)", r, token.from)
	}
	return r
}

// nextAfter is the command that helps after a refusal.
func (t *tool) nextAfter(r *client.Refusal) string {
	switch {
	case r.Status == http.StatusUnauthorized:
		return "waygate login USER"
	case len(r.AmbiguousMatches) > 0:
		return "one of " + strings.Join(r.AmbiguousMatches, ", ") + ", or ANY:/path for all of its methods"
	case r.Type == wire.ProblemProtected:
		return "waygate unprotect ROUTE"
	case r.Type == wire.ProblemInForce:
		return "waygate status ROUTE"
	case r.Status == http.StatusForbidden:
		return "waygate login as a user who may do this"
	case r.Status >= http.StatusInternalServerError:
		return "waygate doctor"
	case r.Type == "" || r.Status == http.StatusNotFound && strings.HasPrefix(r.Message, "nothing is here"):
		return "waygate config show (is the admin's address right?)"
	case r.Field == "reason" && strings.Contains(r.Message, "required"):
		return t.running + " … --reason \"why\""
	default:
		return t.running + " --help"
	}
}
