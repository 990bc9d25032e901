package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
)

// skewed is by how much the store's clock is ahead of an instance's, which is what its clock is corrected by.
func skewed(ms int64) string {
	skew := time.Duration(ms) * time.Millisecond
	switch {
	case skew < 0:
		return "-" + roughly(-skew)
	case skew > 0:
		return "+" + roughly(skew)
	default:
		return "0"
	}
}

func (t *tool) instancesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "instances", Short: "List the instances of waygate-authz and what they enforce", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			fleet, err := api.Instances(cmd.Context(), wire.Place{})
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, fleet)
			}
			if len(fleet) == 0 {
				fmt.Fprintln(t.err, "no instance has reported; is waygate-authz running, with the same namespace?")
				return nil
			}
			rows := make([][]string, 0, len(fleet))
			for _, i := range fleet {
				silent := roughly(time.Duration(i.SilentMS) * time.Millisecond)
				rows = append(rows, []string{
					i.ID, i.Presence, i.Service, i.Environment, strconv.FormatUint(i.Applied.Revision, 10),
					strconv.FormatUint(i.Lag, 10), i.Link, skewed(i.SkewMS), silent, strconv.FormatUint(i.Checks, 10), i.Version, i.Alarm,
				})
			}
			head := []string{"INSTANCE", "PRESENCE", "SERVICE", "ENV", "REVISION", "LAG", "LINK", "SKEW", "SILENT", "CHECKS", "VERSION", "ALARM"}
			return table(t.out, head, rows)
		},
	}
	forget := &cobra.Command{
		Use: "forget ID", Short: "Take an instance that is gone for good out of the count", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			err = api.ForgetInstance(cmd.Context(), ids[0])
			if refusal, ok := errors.AsType[*client.Refusal](err); ok && refusal.Status == http.StatusNotFound {
				return &exitError{code: exitRefused, err: refusal, next: "waygate instances"}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(t.out, "%s is forgotten; it counts again as soon as it reports\n", ids[0])
			return nil
		},
	}
	cmd.AddCommand(forget)
	return cmd
}
