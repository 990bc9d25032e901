package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) explainCommand() *cobra.Command {
	var environment string
	cmd := &cobra.Command{
		Use: "explain [METHOD] TARGET", Short: "Tell what would happen to a request, and why", Args: args(cobra.RangeArgs(1, 2)),
		Long: `Tell what every instance answers for a request now. TARGET is the path with its query, as a client sends it.
Without --service the keys of every service count; without --env every gate refuses.`,
		RunE: func(cmd *cobra.Command, words []string) error {
			ask := wire.ExplainBody{Method: "GET", Target: words[len(words)-1], Env: environment}
			if len(words) == 2 {
				ask.Method = words[0]
			}
			service, err := t.serviceName()
			if err != nil {
				return err
			}
			ask.Service = service.value
			api, err := t.client()
			if err != nil {
				return err
			}
			e, err := api.Explain(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if t.json() {
				return asJSON(t.out, e)
			}
			t.tellExplanation(ask, e)
			return nil
		},
	}
	cmd.Flags().StringVar(&environment, "env", "", "the `environment` the request is in")
	return cmd
}

func (t *tool) tellExplanation(ask wire.ExplainBody, e wire.Explanation) {
	verdict := "passes"
	if e.Refused {
		verdict = fmt.Sprintf("is refused with %d", e.HTTPStatus)
	}
	fmt.Fprintf(t.out, "%s %s %s", ask.Method, oneLine(ask.Target), verdict)
	if e.Path != "" {
		fmt.Fprintf(t.out, ": %s is %s%s", e.Path, strings.ToUpper(e.Status), because(e.Reason))
	} else if e.Refused {
		fmt.Fprintf(t.out, ": %s", e.Cause)
	}
	fmt.Fprintln(t.out)
	if e.RetryAt != nil {
		fmt.Fprintf(t.out, "  until %s\n", t.clock(*e.RetryAt))
	}
	tellList(t.out, "admitted environments: ", e.Envs)
	if e.Cause == "unreadable" {
		t.tellUnreadable(ask)
	}
}

// tellUnreadable says what is mistyped most often, where a request cannot be read.
func (t *tool) tellUnreadable(ask wire.ExplainBody) {
	if !strings.HasPrefix(ask.Target, "/") && !strings.Contains(ask.Target, "://") {
		fmt.Fprintf(t.err, "a target begins with a slash: /%s\n", oneLine(ask.Target))
	}
	if upper := strings.ToUpper(ask.Method); upper != ask.Method {
		fmt.Fprintf(t.err, "methods are upper case: %s\n", oneLine(upper))
	}
}
