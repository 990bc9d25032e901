package main

import (
	"io"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/state"
)

// tool is one run of the command line: where it reads and writes, and what its global options say.
type tool struct {
	in           io.Reader
	typed        io.Reader // what is typed as an answer; nil is in
	out, err     io.Writer
	env          func(string) string
	home, dir    string
	terminal     bool // somebody can be asked
	readPassword func() ([]byte, error)

	urlFlag, serviceFlag, output, waitFlag, tzFlag string

	zone zone
	// running is the command as it is typed, without arguments.
	running string
}

func newRoot(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:   "waygate",
		Short: "Take routes down before a migration, know that it is enforced, and have them up again by themselves",
		Long: `Waygate blocks routes of HTTP and gRPC services behind Envoy, and opens them again.

A ROUTE is [service:][METHOD:]/path. {id} stands for one segment, a last ** for the rest: GET:/users/{id}, /v1/**.
A time is 2025-06-01T02:00Z, a duration from now (90m, 2h, 1d), the next 18:00, "today 18:00", "tomorrow 06:00" or
"sunday 02:00". One without a zone is read in that of --tz, for example Europe/Berlin; without that it is UTC.

Exit status: 0 done (with --wait: and enforced) · 1 refused, nothing changed · 2 wrong usage · 3 changed, but not
confirmed by every instance · 4 unknown, the answer was lost.`,
		Version:           config.Version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return t.readGlobals(cmd) },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&t.urlFlag, "server-url", "", "base `URL` of the admin (WAYGATE_SERVER_URL; default "+defaultURL+")")
	flags.StringVarP(&t.serviceFlag, "service", "s", "", "the `service` that routes are of (WAYGATE_SERVICE)")
	flags.StringVarP(&t.output, "output", "o", "table", "table or json")
	flags.StringVar(&t.tzFlag, "tz", "", "the time `zone` that times are read and shown in, beside UTC: Europe/Berlin (WAYGATE_TZ; default UTC)")
	root.AddCommand(
		t.statusCommand(), t.enableCommand(), t.disableCommand(), t.maintenanceCommand(), t.scheduleCommand(), t.windowCommand(), t.downCommand(), t.calendarCommand(), t.webhookCommand(),
		t.deprecateCommand(), t.protectCommand(), t.unprotectCommand(), t.forgetCommand(),
		t.globalCommand(), t.serviceMaintenanceCommand(), t.servicesCommand(), t.currentServiceCommand(),
		t.envCommand(), t.logCommand(), t.loginCommand(), t.logoutCommand(), t.configCommand(), t.tokenCommand(),
		t.instancesCommand(), t.explainCommand(), t.doctorCommand(), t.exportCommand(), t.importCommand(),
		t.auditCommand(), t.historyCommand(), t.restoreCommand(),
	)
	return root
}

// readGlobals checks the options that every command has.
func (t *tool) readGlobals(cmd *cobra.Command) error {
	t.running = cmd.CommandPath()
	formats := []string{"table", "json"}
	if own := cmd.Annotations[formatsNote]; own != "" {
		formats = strings.Split(own, ",")
	}
	if !slices.Contains(formats, t.output) {
		return usage("--output %q: one of %s", t.output, strings.Join(formats, ", "))
	}
	return t.setZone()
}

// formatsNote names the annotation of a command that prints in other formats than table and json.
const formatsNote = "formats"

func allowFormats(cmd *cobra.Command, formats ...string) {
	cmd.Annotations = map[string]string{formatsNote: strings.Join(formats, ",")}
}

func (t *tool) json() bool { return t.output == "json" }

// client makes the client that the settings ask for.
func (t *tool) client() (*client.Client, error) {
	base, err := t.serverURL()
	if err != nil {
		return nil, err
	}
	token, err := t.token()
	if err != nil {
		return nil, err
	}
	c, err := client.New(base.value, token.value, t.actor())
	if err != nil {
		return nil, usage("%w", err)
	}
	return c, nil
}

// actor names who types, for a server without users.
func (t *tool) actor() string {
	if v := t.env("WAYGATE_ACTOR"); v != "" {
		return v
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// oneRoute refuses a list in one word: GET:/a,GET:/b is a valid path, and would shut or exempt nothing that exists. Who
// has such a path writes its comma as %2C.
func oneRoute(text string) error {
	for _, mark := range []string{",", ";", " "} {
		if _, next, ok := strings.Cut(text, mark); ok && startsRoute(strings.TrimLeft(next, " ")) {
			return usage("%q looks like several routes: give each on its own", text)
		}
	}
	return nil
}

// startsRoute reports whether a text begins as a route does, with a slash or a method.
func startsRoute(text string) bool {
	scope, _, ok := strings.Cut(text, "/")
	if !ok || scope == "" {
		return ok
	}
	s, err := state.ParseSpelling(scope + "/")
	return err == nil && (s.Key.Method != "" || s.AnyMethod)
}

// route reads a ROUTE argument and puts the service before it, where one is set and the route names none.
func (t *tool) route(text string) (string, error) {
	s, err := state.ParseSpelling(text)
	if _, notTime := wire.ParseDuration(text); err != nil && notTime == nil && t.waitFlag != "" {
		return "", usage("--wait takes its time with an equals sign: --wait=%s", text)
	}
	if err != nil {
		return "", usage("%w", err)
	}
	if err := oneRoute(text); err != nil {
		return "", err
	}
	service, err := t.serviceName()
	if err != nil || s.Key.Service != "" || service.value == "" {
		return text, err
	}
	if err := state.CheckService(service.value); err != nil {
		return "", usage("%w", err)
	}
	return service.value + ":" + text, nil
}

// args makes a cobra argument check answer with the status for wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usage("%w; %s", err, cmd.UseLine())
		}
		return nil
	}
}

func reasonFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVarP(into, "reason", "r", "", "why; shown to callers and kept in the log")
}

// now is the instant that durations count from.
func now() time.Time { return time.Now() }
