package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// typed reads what somebody types until ctx ends: a read by itself goes on when Ctrl-C was pressed.
type typed struct {
	ctx  context.Context //nolint:containedctx // that of the process
	from io.Reader
}

// errLeft is that of a question to which Ctrl-C was the answer. Nothing was sent yet, so it is no call that was broken off.
var errLeft = errors.New("interrupted")

// Read implements io.Reader.
func (t typed) Read(p []byte) (int, error) {
	type answer struct {
		n   int
		err error
	}
	own, is := make([]byte, len(p)), make(chan answer, 1)
	go func() {
		n, err := t.from.Read(own)
		is <- answer{n, err}
	}()
	select {
	case a := <-is:
		copy(p, own[:a.n])
		return a.n, a.err
	case <-t.ctx.Done():
		return 0, errLeft
	}
}

// line is one that somebody types. What a command under "down" reads is the input itself, and not this.
func (t *tool) line() (string, error) {
	from := t.in
	if t.typed != nil {
		from = t.typed
	}
	return bufio.NewReader(from).ReadString('\n') //nolint:wrapcheck // the caller says what was being done
}

// interrupted is the status that shells give a program that SIGINT ended.
const interrupted = 130

// password reads a line from a terminal that does not show it, and ends the process with ctx: nothing was sent yet.
func password(ctx context.Context, terminal int) ([]byte, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was being done
	}
	defer context.AfterFunc(ctx, func() {
		_ = term.Restore(terminal, before) // the process ends all the same
		os.Exit(interrupted)
	})()
	return term.ReadPassword(terminal) //nolint:wrapcheck // the caller says what was being done
}
