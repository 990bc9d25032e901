package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (t *tool) servicesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "services", Short: "List the services that anything names", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := t.client()
			if err != nil {
				return err
			}
			names, err := api.Services(cmd.Context())
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, names)
			}
			if len(names) == 0 {
				fmt.Fprintln(t.err, "no service is named by any route, switch or instance")
			}
			for _, name := range names {
				fmt.Fprintln(t.out, name)
			}
			return nil
		},
	}
}

func (t *tool) currentServiceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "current-service", Short: "Show the service that commands are about, and where that is set", Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			s, err := t.serviceName()
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, map[string]string{"service": s.value, "from": s.from})
			}
			if s.value == "" {
				fmt.Fprintln(t.out, "no service is set; set one with WAYGATE_SERVICE or --service")
				return nil
			}
			fmt.Fprintf(t.out, "%s (%s)\n", s.value, s.from)
			return nil
		},
	}
}
