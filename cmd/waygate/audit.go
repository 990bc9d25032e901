package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/proof"
	"github.com/waygate/waygate/internal/state"
)

func (t *tool) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "Archive, trim and verify the log", Args: args(cobra.NoArgs), RunE: showHelp,
	}
	cmd.AddCommand(t.auditExportCommand(), t.auditTrimCommand(), t.auditVerifyCommand())
	return cmd
}

func (t *tool) auditExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export DIR", Short: "Add what is new in the log to the archive in a directory", Args: args(cobra.ExactArgs(1)),
		Long: `Writes the log itself, a line of JSON for each entry, in files of 10,000 lines, and a manifest. Said again it adds what
is new. Each entry is checked to follow from the one before. (waygate log -o csv prints the audit for people.)`,
		RunE: func(cmd *cobra.Command, dirs []string) error { return t.auditExport(cmd.Context(), dirs[0]) },
	}
}

func (t *tool) auditExport(ctx context.Context, dir string) error {
	api, err := t.client()
	if err != nil {
		return err
	}
	at, err := api.LogPlace(ctx)
	if err != nil {
		return err
	}
	w, err := proof.OpenWriter(dir, at.Namespace)
	if err != nil {
		return refused(err)
	}
	query := url.Values{"epoch": {at.Epoch}}
	if epoch, after := w.Place(); epoch == at.Epoch {
		query.Set("after", strconv.FormatUint(after, 10))
	}
	err = eachFrame(ctx, api, query, w.Add)
	if gap := new(client.Refusal); errors.As(err, &gap) && gap.Status == http.StatusGone && query.Has("after") {
		return refused(fmt.Errorf("the server's log was trimmed beyond what this archive holds, revision %s: begin another one", query.Get("after")))
	}
	if err = errors.Join(err, w.Save()); err != nil {
		return refused(err)
	}
	m := w.Manifest()
	if t.json() {
		return asJSON(t.out, m)
	}
	if last := m.Last(); last != nil {
		fmt.Fprintf(t.out, "%d entries added; the archive holds revisions %d to %d of epoch %s\n", w.Added(), m.Segments[0].First, last.Last, last.Epoch)
		t.tellRuns(w.Runs())
		return nil
	}
	fmt.Fprintln(t.out, "the log has no entries yet")
	return nil
}

// refused is a failure that changed nothing at the server.
func refused(err error) error {
	if e := new(client.Refusal); errors.As(err, &e) || errors.Is(err, client.ErrUnreachable) || errors.Is(err, client.ErrNoAnswer) || errors.Is(err, client.ErrUnread) {
		return err
	}
	return &exitError{code: exitRefused, err: err}
}

// eachFrame gives the frames that a query asks for to each. They are valid until it returns.
func eachFrame(ctx context.Context, api *client.Client, query url.Values, each func(*state.Frame) error) error {
	body, err := api.Open(ctx, "/audit/frames", query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	return proof.EachLine(body, func(line []byte) error {
		f, err := proof.ParseFrame(line)
		if err != nil {
			return err
		}
		return each(&f)
	})
}

// tellRuns says where a repaired store began a new epoch.
func (t *tool) tellRuns(runs []proof.Run) {
	for _, r := range runs[min(1, len(runs)):] {
		if r.Joined {
			fmt.Fprintf(t.out, "a store that had lost its history was repaired: epoch %s goes on after revision %d with %d\n", r.Epoch, r.From, r.Base+1)
		} else {
			fmt.Fprintf(t.err, "warning: epoch %s begins with revision %d, after a repair; what was between is not here\n", r.Epoch, r.Base+1)
		}
	}
}

// trimOptions are the options of trim.
type trimOptions struct {
	before, archive, reason string
	without, dryRun         bool
}

func (t *tool) auditTrimCommand() *cobra.Command {
	var o trimOptions
	cmd := &cobra.Command{
		Use: "trim --before REVISION|TIME --archive DIR", Short: "Remove old entries from the server's log, once an archive holds them",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.auditTrim(cmd.Context(), o) },
	}
	timeFlag(cmd, &o.before, "before", "the first `revision` that stays, or a time")
	cmd.Flags().StringVar(&o.archive, "archive", "", "the `directory` of waygate audit export")
	cmd.Flags().BoolVar(&o.without, "without-archive", false, "what goes is lost")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "remove nothing and tell what would go")
	reasonFlag(cmd, &o.reason)
	return cmd
}

func (t *tool) auditTrim(ctx context.Context, o trimOptions) error {
	body, err := t.trimBody(o)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	plan, err := api.TrimAudit(ctx, wire.TrimBody{Before: body.Before, DryRun: true})
	if err != nil {
		return err
	}
	switch {
	case plan.Entries == 0 && t.json():
		return asJSON(t.out, plan)
	case plan.Entries == 0:
		fmt.Fprintln(t.out, "there is nothing to trim")
		return nil
	}
	body.Before = strconv.FormatUint(plan.Before, 10)
	if !o.without {
		head, found, err := proof.Holds(o.archive, plan.Epoch, plan.Before-plan.Entries, plan.Before-1)
		switch {
		case err != nil:
			return refused(err)
		case !found || head.String() != plan.Prev:
			return &exitError{
				code: exitRefused, err: fmt.Errorf("the archive does not hold all of the %d entries before revision %d", plan.Entries, plan.Before),
				next: "waygate audit export " + o.archive,
			}
		}
		body.Head = head.String()
	}
	if !o.dryRun {
		if plan, err = api.TrimAudit(ctx, body); err != nil {
			return err
		}
	}
	if t.json() {
		return asJSON(t.out, plan)
	}
	verb := "were removed"
	if o.dryRun {
		verb = "would be removed"
	}
	fmt.Fprintf(t.out, "%d entries before revision %d %s from the server's log\n", plan.Entries, plan.Before, verb)
	return nil
}

func (t *tool) trimBody(o trimOptions) (wire.TrimBody, error) {
	body := wire.TrimBody{Before: o.before, WithoutArchive: o.without, Reason: o.reason}
	switch {
	case o.before == "":
		return body, usage("--before says which entries go: a revision, or a time")
	case o.without == (o.archive != ""):
		return body, usage("say --archive DIR, or --without-archive")
	}
	if _, err := strconv.ParseUint(strings.TrimSpace(o.before), 10, 64); err == nil {
		return body, nil
	}
	at, err := t.pastTime("before", o.before)
	body.Before = at
	return body, err
}
