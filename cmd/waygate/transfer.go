package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Print all that people said, for import elsewhere", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			copied, err := api.Export(cmd.Context())
			if err != nil {
				return err
			}
			return asJSON(t.out, copied)
		},
	}
}

// importOptions are the options of import.
type importOptions struct{ replace, dryRun, yes bool }

func (t *tool) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take in what export printed: adds keys and blocks, lifts none", Args: args(cobra.ExactArgs(1)),
		Long: `Take in what export printed (- reads standard input). Keys and blocks are added and none is lifted.
With --replace everything becomes equal to the file: the difference is shown first and asked about.`,
		RunE: func(cmd *cobra.Command, files []string) error { return t.importFile(cmd.Context(), files[0], o) },
	}
	cmd.Flags().BoolVar(&o.replace, "replace", false, "make everything equal to the file")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "change nothing and show what would change")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask before --replace")
	t.waitFlags(cmd)
	return cmd
}

func (t *tool) importFile(ctx context.Context, file string, o importOptions) error {
	if _, err := t.patience(); err != nil {
		return err
	}
	copied, err := t.readCopy(file)
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	if o.dryRun || o.replace {
		changes, err := t.preview(ctx, api, copied, o)
		if err != nil || !changes || o.dryRun {
			return err
		}
		if !o.yes && (!t.terminal || !t.agreed("Replace?")) {
			return &exitError{code: exitRefused, err: errors.New("nothing was changed"), next: "waygate import --replace --yes " + file}
		}
	}
	done, err := api.Import(ctx, copied, o.replace, false)
	if err != nil {
		return err
	}
	if err := t.tellImport(done, ""); err != nil {
		return err
	}
	return t.confirm(ctx, api, done.Place, time.Time{}, true)
}

// preview shows what an import would change, and reports whether that is anything.
func (t *tool) preview(ctx context.Context, api *client.Client, copied wire.Copy, o importOptions) (bool, error) {
	preview, err := api.Import(ctx, copied, o.replace, true)
	if err != nil {
		return false, err
	}
	verb := "will be "
	if o.dryRun {
		verb = "would be "
	}
	return preview.Changed, t.tellImport(preview, verb)
}

func (t *tool) readCopy(path string) (wire.Copy, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(t.in)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return wire.Copy{}, usage("%w", err)
	}
	var copied wire.Copy
	if err := json.Unmarshal(text, &copied); err != nil {
		return wire.Copy{}, usage("%s is not what waygate export prints: %w", path, err)
	}
	if copied.Format != wire.CopyFormat {
		return wire.Copy{}, usage("%s has format %q, not %s: is it what waygate export printed?", path, copied.Format, wire.CopyFormat)
	}
	return copied, nil
}

func (t *tool) tellImport(i wire.Imported, verb string) error {
	if t.json() {
		return asJSON(t.out, i)
	}
	shown := 0
	for _, d := range i.Diff {
		if d.How == "kept" && d.Note == "" {
			continue
		}
		shown++
		change := ""
		if d.Before != nil || d.After != nil {
			change = fmt.Sprintf(" (%s → %s)", statusWord(d.Before), statusWord(d.After))
		}
		fmt.Fprintf(t.out, "%s %s%s%s%s\n", d.Path, verb, d.How, change, because(d.Note))
	}
	if shown == 0 {
		fmt.Fprintln(t.out, "nothing to change")
	}
	return nil
}

func statusWord(s *string) string {
	if s == nil {
		return "none"
	}
	return strings.ToUpper(*s)
}
