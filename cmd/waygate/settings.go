package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/config"
)

const defaultURL = "http://localhost:8000/waygate"

// settings is the user's own file, ~/.waygate/config.json.
type settings struct {
	ServerURL string `json:"server_url,omitempty"`
	Auth      *login `json:"auth,omitempty"`
}

// login is a stored token.
type login struct {
	Token     string    `json:"token"`
	Username  string    `json:"username"`
	ExpiresAt time.Time `json:"expires_at"`
	// ServerURL is where the login was made; empty in files of older programs.
	ServerURL string `json:"server_url,omitempty"`
}

// of reports whether the login is one at the server of a base URL.
func (l *login) of(base string) bool {
	there, err := url.Parse(l.ServerURL)
	here, err2 := url.Parse(base)
	return err == nil && err2 == nil && strings.EqualFold(there.Scheme, here.Scheme) && strings.EqualFold(there.Host, here.Host)
}

func (t *tool) settingsPath() string { return filepath.Join(t.home, ".waygate", "config.json") }

// loadSettings reads the user's file; a missing one is empty.
func (t *tool) loadSettings() (settings, error) {
	var s settings
	text, err := os.ReadFile(t.settingsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, usage("%s cannot be read (%v): mend or remove it", t.settingsPath(), err)
	}
	return s, nil
}

// saveSettings writes the user's file, for the user's eyes only: it holds a token.
func (t *tool) saveSettings(s settings) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	dir := filepath.Dir(t.settingsPath())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	tmp, err := os.CreateTemp(dir, "config-*.json") // created with mode 0600
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	_, err = tmp.Write(append(text, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), t.settingsPath())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("settings: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}

// projectFile reads the nearest .waygate file from the working directory upwards.
func (t *tool) projectFile() (path string, values map[string]string, err error) {
	values, path, err = config.File(t.dir)
	if err != nil {
		return "", nil, usage("%w", err)
	}
	return path, values, nil
}

// setting is a value with where it came from.
type setting struct{ value, from string }

// serverURL resolves the admin's base URL: flag, environment, .waygate file, the user's file, default.
func (t *tool) serverURL() (setting, error) {
	if t.urlFlag != "" {
		return setting{strings.TrimRight(t.urlFlag, "/"), "--server-url"}, nil
	}
	if v := strings.TrimSpace(t.env("WAYGATE_SERVER_URL")); v != "" {
		return setting{strings.TrimRight(v, "/"), "WAYGATE_SERVER_URL"}, nil
	}
	path, values, err := t.projectFile()
	if err != nil {
		return setting{}, err
	}
	if values["WAYGATE_SERVER_URL"] != "" {
		return setting{strings.TrimRight(values["WAYGATE_SERVER_URL"], "/"), path}, nil
	}
	s, err := t.loadSettings()
	if err != nil {
		return setting{}, err
	}
	if s.ServerURL != "" {
		return setting{strings.TrimRight(s.ServerURL, "/"), t.settingsPath()}, nil
	}
	return setting{defaultURL, "default"}, nil
}

// token resolves the token: environment, .waygate file, stored login that has not expired; empty for none.
func (t *tool) token() (setting, error) {
	if v := strings.TrimSpace(t.env("WAYGATE_TOKEN")); v != "" {
		return setting{v, "WAYGATE_TOKEN"}, nil
	}
	s, err := t.loadSettings()
	if err != nil || s.Auth == nil {
		return setting{}, err
	}
	if !s.Auth.ExpiresAt.IsZero() && !time.Now().Before(s.Auth.ExpiresAt) {
		return setting{"", "the login of " + s.Auth.Username + " has expired"}, nil
	}
	// A .waygate file comes with whatever was checked out, and must not be able to have the token sent somewhere else.
	base, err := t.serverURL()
	if err != nil {
		return setting{}, err
	}
	path, _, err := t.projectFile()
	if err != nil {
		return setting{}, err
	}
	if path != "" && base.from == path && s.Auth.ServerURL != "" && !s.Auth.of(base.value) {
		return setting{"", fmt.Sprintf("the login of %s is one at %s, and not at %s, which %s names", s.Auth.Username, s.Auth.ServerURL, base.value, path)}, nil
	}
	return setting{s.Auth.Token, "login of " + s.Auth.Username}, nil
}

// serviceName resolves the service that commands are about; empty for none.
func (t *tool) serviceName() (setting, error) {
	if t.serviceFlag != "" {
		return setting{t.serviceFlag, "--service"}, nil
	}
	if v := strings.TrimSpace(t.env("WAYGATE_SERVICE")); v != "" {
		return setting{v, "WAYGATE_SERVICE"}, nil
	}
	path, values, err := t.projectFile()
	if err != nil || values["WAYGATE_SERVICE"] == "" {
		return setting{}, err
	}
	return setting{values["WAYGATE_SERVICE"], path}, nil
}
