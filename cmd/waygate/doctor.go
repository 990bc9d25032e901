package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

// clockTolerance is how far our clock may be off the store's before doctor says so.
const clockTolerance = 2 * time.Second

func (t *tool) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong: store, clocks, fleet, whether any Envoy asks", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			base, err := t.serverURL()
			if err != nil {
				return err
			}
			api, err := t.client()
			if err != nil {
				return err
			}
			asked := time.Now()
			d, err := api.Doctor(cmd.Context())
			if err != nil {
				return err
			}
			answered := time.Now()
			d.Findings = append([]wire.Finding{
				{Level: "ok", Subject: "admin", Message: fmt.Sprintf("%s (%s) answers in %s", base.value, d.Version, roughly(answered.Sub(asked)))},
				ownClock(d.Now, asked, answered),
			}, d.Findings...)
			if t.json() {
				err = asJSON(t.out, d)
			} else {
				t.tellFindings(d.Findings)
			}
			if err != nil {
				return err
			}
			return worst(d.Findings)
		},
	}
}

// ownClock compares this machine's clock with the store's, whose reading was taken between asked and answered.
func ownClock(store, asked, answered time.Time) wire.Finding {
	off := asked.Add(answered.Sub(asked) / 2).Sub(store)
	f := wire.Finding{Level: "ok", Subject: "clock", Message: fmt.Sprintf("this machine is %s off the store's time", roughly(off.Abs()))}
	if off.Abs() > clockTolerance+answered.Sub(asked) {
		f.Level, f.Advice = "warn", "durations such as --until 2h count from this clock: set it by NTP"
	}
	return f
}

func (t *tool) tellFindings(findings []wire.Finding) {
	for _, f := range findings {
		fmt.Fprintf(t.out, "%-4s  %s: %s\n", strings.ToUpper(f.Level), f.Subject, oneLine(f.Message))
		if f.Advice != "" {
			fmt.Fprintf(t.out, "      → %s\n", oneLine(f.Advice))
		}
	}
}

// worst is an error when something failed, so that scripts can ask the doctor.
func worst(findings []wire.Finding) error {
	failed := 0
	for _, f := range findings {
		if f.Level == "fail" {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &exitError{code: exitRefused, err: fmt.Errorf("%d of %d checks failed", failed, len(findings))}
}
