package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// FileName is the name of the file that holds settings for a directory and all below it.
const FileName = ".waygate"

// Environment is what [Load] reads variables from: environ (KEY=value, as os.Environ gives it) over the lines of the
// .waygate file that is found in dir or above it.
func Environment(dir string, environ []string) (map[string]string, error) {
	vars, _, err := File(dir)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(vars)+len(environ))
	maps.Copy(all, vars)
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" {
			all[name] = value
		}
	}
	return all, nil
}

// File looks for a .waygate file in dir and its parents and reads the nearest one: KEY=value lines, where a value may
// stand in quotes and "export " before the key; empty lines and those that begin with # count for nothing. It returns
// no variables and an empty path where there is none.
func File(dir string) (vars map[string]string, path string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, "", fmt.Errorf("look for %s: %w", FileName, err)
	}
	for {
		path := filepath.Join(dir, FileName)
		// A directory of that name is where the command line keeps a login; it is no settings file.
		if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
			vars, err := readFile(path)
			return vars, path, err
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, "", fmt.Errorf("look for %s: %w", FileName, err)
		}
		if filepath.Dir(dir) == dir {
			return nil, "", nil
		}
		dir = filepath.Dir(dir)
	}
}

func readFile(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	vars := map[string]string{}
	line := 0
	for raw := range strings.Lines(string(text)) {
		line++
		raw = strings.TrimSpace(raw)
		if raw == "" || raw[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(raw, "export "), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%s, line %d: %q is not KEY=value", path, line, raw)
		}
		vars[name] = unquote(strings.TrimSpace(value))
	}
	return vars, nil
}

// unquote takes off one pair of quotes around a value.
func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
