package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/config"
)

// Process is what a program has of its surroundings.
type Process struct {
	Args     []string // without the program's name
	Environ  []string
	Dir      string
	In       io.Reader
	Out, Err io.Writer
	// Secret reads a line from the terminal without showing it; nil where nobody can be asked.
	Secret func() (string, error)
}

const program = "waygate-admin"

// Main runs the program until ctx ends and returns its exit status: 0, 1 when something failed, 2 when it was told
// something it cannot do.
func Main(ctx context.Context, p Process) int {
	command := ""
	if len(p.Args) > 0 && !strings.HasPrefix(p.Args[0], "-") {
		command, p.Args = p.Args[0], p.Args[1:]
	}
	switch command {
	case "", "serve":
		return p.serve(ctx)
	case "init":
		return p.init(ctx)
	case "hash-password":
		return p.hashPassword()
	default:
		fmt.Fprintf(p.Err, "%s: %q is no command: serve (which needs no name), init, hash-password\n", program, command)
		return 2
	}
}

func (p Process) serve(ctx context.Context) int {
	var cfg Config
	log, status := p.load(&cfg, program)
	if log == nil {
		return status
	}
	defer func() { _ = log.Sync() }() // a terminal cannot be synced, and says so
	if err := cfg.settle(); err != nil {
		fmt.Fprintf(p.Err, "%s: %s\n", program, err)
		return 2
	}
	if err := Run(ctx, cfg, log, nil); err != nil {
		log.Error("waygate-admin ended", zap.Error(err))
		return 1
	}
	return 0
}

// load reads the settings; without a logger the status says how it ended.
func (p Process) load(cfg any, name string) (*zap.Logger, int) {
	vars, err := config.Environment(p.Dir, p.Environ)
	if err == nil {
		err = config.Load(cfg, name, p.Args, vars, p.Out)
	}
	if errors.Is(err, config.ErrHelp) {
		if name == program {
			fmt.Fprint(p.Out, "\nOther commands: init (create or give back the store's document), hash-password (for --users-file)\n")
		}
		return nil, 0
	}
	if errors.Is(err, config.ErrVersion) {
		return nil, 0
	}
	logged := config.Log{LogLevel: "info", LogFormat: "json"}
	if c, ok := cfg.(interface{ logging() config.Log }); ok && err == nil {
		logged = c.logging()
	}
	var log *zap.Logger
	if err == nil {
		log, err = logged.Logger(p.Err)
	}
	if err != nil {
		fmt.Fprintf(p.Err, "%s: %s\n", name, err)
		return nil, 2
	}
	return log, 0
}

func (c *Config) logging() config.Log { return c.Log }

// hashPassword reads a password from the input and prints the line's part for a users file.
func (p Process) hashPassword() int {
	name := program + " hash-password"
	if len(p.Args) > 0 {
		usage := fmt.Sprintf("%s reads a password from the standard input and prints its hash for --users-file; it takes no arguments\n", name)
		if slices.Contains([]string{"-h", "--help"}, p.Args[0]) {
			fmt.Fprint(p.Out, usage)
			return 0
		}
		fmt.Fprint(p.Err, usage)
		return 2
	}
	password, err := p.readPassword()
	switch {
	case err != nil || password == "":
		fmt.Fprintf(p.Err, "%s: give the password on the standard input\n", name)
		return 2
	case utf8.RuneCountInString(password) > people.MaxPassword:
		fmt.Fprintf(p.Err, "%s: a password has at most %d characters: no login takes a longer one\n", name, people.MaxPassword)
		return 2
	}
	fmt.Fprintln(p.Out, people.HashPassword(password))
	return 0
}

// readPassword asks for a password, or takes the first line of the input.
func (p Process) readPassword() (string, error) {
	if p.Secret != nil {
		fmt.Fprint(p.Err, "password: ")
		password, err := p.Secret()
		fmt.Fprintln(p.Err)
		return password, err
	}
	// One byte more than the longest password in UTF-8 and its line's end, so that nothing is cut off unseen.
	text, err := io.ReadAll(io.LimitReader(p.In, people.MaxPassword*utf8.UTFMax+3))
	password, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(password, "\r"), err //nolint:wrapcheck // it is not shown
}
