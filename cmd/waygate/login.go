package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/client"
)

func (t *tool) loginCommand() *cobra.Command {
	var password string
	var piped bool
	cmd := &cobra.Command{
		Use: "login [USER]", Short: "Log in and keep the token in ~/.waygate/config.json", Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			name := ""
			if len(names) == 1 {
				name = names[0]
			}
			if piped {
				line, err := t.line()
				if err != nil && line == "" {
					return usage("--password-stdin: there is nothing to read: %w", err)
				}
				password = strings.TrimRight(line, "\r\n")
			}
			if err := t.askLogin(&name, &password); err != nil {
				return err
			}
			base, err := t.serverURL()
			if err != nil {
				return err
			}
			api, err := client.New(base.value, "", "")
			if err != nil {
				return usage("%w", err)
			}
			l, err := api.Login(cmd.Context(), name, password)
			if err != nil {
				return err
			}
			s, err := t.loadSettings()
			if err != nil {
				return err
			}
			s.Auth = &login{Token: l.Token, Username: l.Username, ExpiresAt: l.ExpiresAt, ServerURL: base.value}
			if err := t.saveSettings(s); err != nil {
				return err
			}
			fmt.Fprintf(t.out, "logged in as %s until %s\n", l.Username, t.clock(l.ExpiresAt))
			return nil
		},
	}
	cmd.Flags().StringVarP(&password, "password", "p", "", "the password (default: asked for)")
	cmd.Flags().BoolVar(&piped, "password-stdin", false, "read the password from the standard input, where no list of processes shows it")
	cmd.MarkFlagsMutuallyExclusive("password", "password-stdin")
	return cmd
}

// askLogin asks a person for what was not given.
func (t *tool) askLogin(name, password *string) error {
	if (*name == "" || *password == "") && !t.terminal {
		return usage("login needs a user and, where nobody can be asked, --password-stdin or --password")
	}
	if *name == "" {
		fmt.Fprint(t.err, "User: ")
		line, err := t.line()
		if err != nil {
			return fmt.Errorf("read user: %w", err)
		}
		*name = strings.TrimSpace(line)
	}
	if *password == "" {
		fmt.Fprint(t.err, "Password: ")
		text, err := t.readPassword()
		fmt.Fprintln(t.err)
		if err != nil {
			return fmt.Errorf("read password: %w", err)
		}
		*password = string(text)
	}
	return nil
}

func (t *tool) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Revoke the stored token and forget it", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := t.loadSettings()
			if err != nil {
				return err
			}
			if s.Auth == nil {
				fmt.Fprintln(t.out, "not logged in")
				return nil
			}
			base, err := t.serverURL()
			if err != nil {
				return err
			}
			// It ends where it was made, unless somebody says where.
			if s.Auth.ServerURL != "" && t.urlFlag == "" {
				base.value = s.Auth.ServerURL
			}
			api, err := client.New(base.value, s.Auth.Token, "")
			if err != nil {
				return usage("%w", err)
			}
			err = api.Logout(cmd.Context())
			if r, ok := errors.AsType[*client.Refusal](err); ok && r.Status == 401 {
				err = nil // it is dead already
			}
			if err != nil {
				return err
			}
			s.Auth = nil
			if err := t.saveSettings(s); err != nil {
				return err
			}
			fmt.Fprintln(t.out, "logged out")
			return nil
		},
	}
}

func (t *tool) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show and keep the admin's address", Args: args(cobra.NoArgs), RunE: showHelp}
	setURL := &cobra.Command{
		Use: "set-url URL", Short: "Keep the admin's base URL in ~/.waygate/config.json", Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, words []string) error {
			if _, err := client.New(words[0], "", ""); err != nil {
				return usage("%w", err)
			}
			s, err := t.loadSettings()
			if err != nil {
				return err
			}
			s.ServerURL = strings.TrimRight(words[0], "/")
			if err := t.saveSettings(s); err != nil {
				return err
			}
			fmt.Fprintf(t.out, "server URL set to %s\n", s.ServerURL)
			return nil
		},
	}
	show := &cobra.Command{
		Use: "show", Short: "Show the settings in force and where they come from", Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return t.showConfig() },
	}
	cmd.AddCommand(setURL, show)
	return cmd
}

func (t *tool) showConfig() error {
	base, err := t.serverURL()
	if err != nil {
		return err
	}
	token, err := t.token()
	if err != nil {
		return err
	}
	service, err := t.serviceName()
	if err != nil {
		return err
	}
	s, err := t.loadSettings()
	if err != nil {
		return err
	}
	expires := ""
	if s.Auth != nil && !s.Auth.ExpiresAt.IsZero() {
		expires = s.Auth.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if t.json() {
		return asJSON(t.out, map[string]string{
			"server_url": base.value, "server_url_from": base.from, "token_from": token.from, "token_expires": expires,
			"service": service.value, "service_from": service.from, "file": t.settingsPath(),
		})
	}
	who := token.from
	if token.value == "" && who == "" {
		who = "none: not logged in"
	}
	return table(t.out, []string{"SETTING", "VALUE", "FROM"}, [][]string{
		{"server URL", base.value, base.from},
		{"token", who, ""},
		{"token expires", expires, ""},
		{"service", service.value, service.from},
		{"file", t.settingsPath(), ""},
	})
}
