package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/proof"
	"github.com/waygate/waygate/internal/state"
)

// verifyOptions are the options of verify.
type verifyOptions struct {
	archive, dir, key string
	checkpoints       []string
	from              uint64
}

func (t *tool) auditVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute the chain of the log, and name the first entry that is wrong", Args: args(cobra.NoArgs),
		Long: `Recomputes the hash of every entry, of the archive and of the server's log, and compares it with the next one, with
where the store says that it stands, and with signed checkpoints. Exit status 1: something is wrong, or missing.
With --dir an archive is verified without a server.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.auditVerify(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.archive, "archive", "", "the `directory` of waygate audit export; the server's log goes on from it")
	cmd.Flags().StringVar(&o.dir, "dir", "", "verify the archive in this `directory` alone, without a server")
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoints", nil, "a `file` that waygate-admin --checkpoint-file wrote; may be given for each admin")
	cmd.Flags().StringVar(&o.key, "public-key", "", "the public key of the checkpoints, a PEM `file`")
	cmd.Flags().Uint64Var(&o.from, "from", 0, "the first `revision` that has to be there (default: the first of all)")
	return cmd
}

// verified is what verify found.
type verified struct {
	Entries     uint64        `json:"entries"`
	Checkpoints int           `json:"checkpoints"`
	Took        time.Duration `json:"took_ns"`
	Runs        []proof.Run   `json:"epochs"`
}

func (t *tool) auditVerify(ctx context.Context, o verifyOptions) error {
	if o.dir != "" && o.archive != "" {
		return usage("--dir is an archive without a server, --archive one with it: say one of them")
	}
	witness, err := o.witness(t.err)
	if err != nil {
		return err
	}
	began := time.Now()
	c := &proof.Chain{Known: witness.Saw}
	namespace := ""
	if dir := o.dir + o.archive; dir != "" {
		m, err := proof.Replay(dir, c)
		if err != nil {
			return wrong(err)
		}
		namespace = m.Namespace
	}
	if o.dir == "" {
		if err := t.verifyServer(ctx, c, namespace); err != nil {
			return wrong(err)
		}
	}
	var head state.Head
	if n := len(c.Runs()); n > 0 {
		head = c.Runs()[n-1].Head
	}
	if err := errors.Join(c.CheckBegin(o.from), witness.Finish(head)); err != nil {
		err := wrong(err)
		if e := new(exitError); errors.As(err, &e) && o.dir+o.archive == "" && o.from == 0 && len(c.Runs()) > 0 && c.Runs()[0].Base > 0 {
			e.next = "waygate audit verify --archive DIR, if it was trimmed into one"
		}
		return err
	}
	found := verified{Entries: c.Count(), Checkpoints: witness.Passed(), Took: time.Since(began), Runs: c.Runs()}
	if t.json() {
		return asJSON(t.out, found)
	}
	t.tellRuns(found.Runs)
	fmt.Fprintf(t.out, "%d entries and %d checkpoints verified in %.1f s: nothing is wrong\n", found.Entries, found.Checkpoints, found.Took.Seconds())
	return nil
}

// wrong is the exit of a log that is not what it was.
func wrong(err error) error {
	if e := new(proof.BrokenError); errors.As(err, &e) {
		return &exitError{code: exitRefused, err: fmt.Errorf("the log is not what it was: %w", e)}
	}
	return refused(err)
}

// witness reads the checkpoints.
func (o *verifyOptions) witness(warn io.Writer) (*proof.Witness, error) {
	if len(o.checkpoints) == 0 {
		return proof.NewWitness("", nil, o.from)
	}
	if o.key == "" {
		return nil, usage("--public-key FILE is the key that checkpoints are verified with")
	}
	text, err := os.ReadFile(o.key)
	if err != nil {
		return nil, usage("%w", err)
	}
	key, err := publicKey(text)
	if err != nil {
		return nil, usage("%s: %w", o.key, err)
	}
	var all []proof.Checkpoint
	for _, file := range o.checkpoints {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usage("%w", err)
		}
		some, torn, err := proof.ParseCheckpoints(text, key)
		if err != nil {
			return nil, &exitError{code: exitRefused, err: fmt.Errorf("%s: %w", file, err)}
		}
		if torn {
			fmt.Fprintf(warn, "warning: %s: the last checkpoint has no end and does not count\n", file)
		}
		all = append(all, some...)
	}
	return proof.NewWitness("", all, o.from)
}

func publicKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is no PEM file")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("it holds no public key: %w", err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("it holds no Ed25519 key")
	}
	return key, nil
}

// verifyServer goes on with the server's log. What both hold is recomputed as well, and has to lead to the same head.
func (t *tool) verifyServer(ctx context.Context, c *proof.Chain, namespace string) error {
	api, err := t.client()
	if err != nil {
		return err
	}
	at, err := api.LogPlace(ctx)
	if err != nil {
		return err
	}
	if namespace != "" && namespace != at.Namespace {
		return fmt.Errorf("the archive is of the namespace %q, and the server of %q", namespace, at.Namespace)
	}
	place := state.Meta{Epoch: at.Epoch, Rev: at.Rev}
	if err := place.Head.UnmarshalText([]byte(at.Head)); err != nil {
		return err
	}
	var archived proof.Run
	if runs := c.Runs(); len(runs) > 0 {
		archived = runs[len(runs)-1]
	}
	both := &proof.Chain{}
	err = eachFrame(ctx, api, url.Values{"epoch": {at.Epoch}}, func(f *state.Frame) error {
		switch {
		case f.Rev > at.Rev: // it was made while we read
			return nil
		case f.Epoch != archived.Epoch || f.Rev > archived.Last:
			return c.Add(f)
		}
		if err := both.Add(f); err != nil {
			return err
		}
		if f.Rev == archived.Last && f.Head != archived.Head {
			return &proof.BrokenError{Epoch: f.Epoch, Rev: f.Rev, What: "archive and server lead to different heads there"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.CheckEnd(place)
}
