package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// What a shell exits with for a command that it cannot start.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
	exitBySignal      = 128 // plus the signal
)

// windowEnv tells the command the id of the window that it runs in.
const windowEnv = "WAYGATE_WINDOW_ID"

// down is one window that is shut for as long as a command runs.
type down struct {
	*tool
	api      *client.Client
	target   string
	command  []string
	path     string // of the program
	reason   string
	patience time.Duration
	liftFor  time.Duration
	signals  chan os.Signal
	window   wire.WindowDetail
	stdout   io.Writer // the command's; our own lines all go to stderr
}

func (t *tool) downCommand() *cobra.Command {
	var o windowOptions
	var waitFor string
	cmd := &cobra.Command{
		Use: "down TARGET --until WHEN -- COMMAND [ARG...]", DisableFlagsInUseLine: true,
		Short: "Shut a target while a command runs, and open it whatever becomes of that",
		Long: `Open a window on a target, wait until every instance enforces it, run a command, and lift the window as soon as the
command is over: done, failed, killed or never started. ` + targetHelp + `

The exit status is that of the command: 128 and the signal if that killed it, 127 or 126 if it cannot be started. It is 3
if the fleet did not confirm in time (the command does not run then) or the window could not be lifted. SIGTERM, SIGHUP
and SIGINT are passed on; Ctrl-C reaches the command by the terminal. Should waygate itself be killed by SIGKILL, the
window ends by itself at --until. The command finds the id of the window in ` + windowEnv + `.`,
		Example: `  waygate down GET:/payments --reason "DB migration" --until 30m -- ./migrate.sh
  waygate down service=orders --until 18:00 --tz Europe/Berlin --effect read-only -- pg_restore -d orders dump`,
		Args: func(cmd *cobra.Command, words []string) error {
			if cmd.ArgsLenAtDash() != 1 || len(words) < 2 {
				return usage("name one target, and the command after --; %s", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			return t.shutWhile(cmd.Context(), words[0], words[1:], o, waitFor)
		},
	}
	f := cmd.Flags()
	whenFlag(cmd, &o.end, "until", "`when` it opens by itself at the latest: 30m, 18:00, a time")
	f.StringVar(&waitFor, "wait-for", defaultWait.String(), "how `long` to wait for the fleet to confirm")
	effectFlag(cmd, &o.effect)
	reasonFlag(cmd, &o.reason)
	f.StringVar(&o.ticket, "ticket", "", "a `link` to where the work is planned")
	f.StringArrayVarP(&o.except, "except", "e", nil, "a `route` that passes meanwhile (repeatable)")
	f.BoolVar(&o.protected, "include-force-active", false, "of global or a service: hold for protected routes too")
	return cmd
}

// shutWhile reads the command line and does it. A command that is not there is found before anything is shut.
func (t *tool) shutWhile(ctx context.Context, target string, command []string, o windowOptions, waitFor string) error {
	if o.end == "" {
		return usage("down needs --until, when it opens by itself should nobody be left to open it; for example --until 30m")
	}
	patience, err := wire.ParseDuration(waitFor)
	if err != nil {
		return usage("--wait-for %q is no duration: write 30s or 2m", waitFor)
	}
	body, _, err := t.newWindow(target, o)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return unstartable(err, "nothing was changed")
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	own := *t
	own.out = t.err
	d := &down{
		tool: &own, api: api, target: target, command: command, path: path, reason: o.reason, patience: patience,
		signals: make(chan os.Signal, 16), stdout: t.out, liftFor: liftFor,
	}
	// main's context ends with the first signal. What was shut is to be opened all the same.
	signal.Notify(d.signals, passedOn()...)
	signal.Notify(make(chan os.Signal, 1), survived()...)
	return d.run(context.WithoutCancel(ctx), body)
}

// unstartable is the error of a command that cannot be started, with the status that a shell gives it.
func unstartable(err error, note string) error {
	code := exitNotExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = exitNotFound
	}
	return &exitError{code: code, err: fmt.Errorf("the command cannot be started: %w; %s", err, note)}
}

// run shuts, waits, runs the command and opens.
func (d *down) run(ctx context.Context, body wire.NewWindow) error {
	a, err := d.api.AddWindow(ctx, body)
	switch {
	case errors.Is(err, client.ErrNoAnswer):
		return &exitError{
			code: exitUnknown, err: fmt.Errorf("%w; the command was not run, and the window, if there is one, ends by itself at %s", err, body.End),
			next: "waygate window list " + d.target,
		}
	case err != nil:
		return err
	case a.Window == nil || !a.Changed && !a.Duplicate:
		return &exitError{code: exitRefused, err: errors.New("there is such a window already; the command was not run"), next: "waygate window list " + d.target}
	}
	d.window = *a.Window
	d.tellAdded(a)
	err = d.awaitFleet(ctx, a.Place)
	if err == nil {
		err = d.execute(ctx)
	}
	return d.lift(ctx, err)
}

// awaitFleet waits until every live and lost instance enforces the window. A signal ends the waiting.
func (d *down) awaitFleet(ctx context.Context, at wire.Place) error {
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	var fleet []wire.Instance
	var err error
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		fleet, err = pollFleet(limit, d.api, at)
	}()
	var caught os.Signal
	select {
	case caught = <-d.signals:
		cancel()
		<-asked
	case <-asked:
		caught = d.signalled()
	}
	if caught != nil {
		fmt.Fprintf(d.err, "waygate: %s: the command was not run\n", caught)
		return bySignal(caught)
	}
	n, missing := counted(fleet), lacking(fleet)
	switch {
	case err == nil && (n == 0 || len(missing) > 0):
		err = unconfirmed(fleet, missing, d.patience)
	case err == nil && !time.Now().Before(*d.window.End):
		err = &exitError{code: exitUnconfirmed, err: errors.New("the window ended before the fleet had confirmed it"), next: "a later --until"}
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return &exitError{code: e.code, err: fmt.Errorf("%w; the command was not run", e.err), next: e.next}
	}
	fmt.Fprintf(d.err, "%d of %d instances enforce it, %s\n", n, n, roughly(time.Since(began)))
	return err
}

// signalled takes a signal that came while nothing was listening, if there is one.
func (d *down) signalled() os.Signal {
	select {
	case s := <-d.signals:
		return s
	default:
		return nil
	}
}
