package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waygate/waygate/internal/parts"
)

// shipped is the bootstrap that operators begin with.
const shipped = "envoy/envoy.yaml"

// tree is a part of a bootstrap.
type tree = map[string]any

// bootstrap writes the shipped one with its places moved. The access log is left out: it would cost more than the
// check. Without a socket, so is everything about checks.
func (b *bench) bootstrap(name, service, socket string) (string, error) {
	text, err := os.ReadFile(shipped)
	if err != nil {
		return "", fmt.Errorf("run this in the root of the repository: %w", err)
	}
	moved := string(text)
	for _, m := range [][2]string{
		{"address: 127.0.0.1, port_value: 9901", "address: 127.0.0.1, port_value: 0"},
		{"address: 0.0.0.0, port_value: 10000", "address: 127.0.0.1, port_value: 0"},
		{"socket_address: { address: 127.0.0.1, port_value: 8081 }", socketAddress(service)},
		{"path: /run/waygate/authz.sock", "path: " + cmp.Or(socket, filepath.Join(b.dir, "nobody.sock"))},
	} {
		if moved, err = replaced(moved, m[0], m[1]); err != nil {
			return "", err
		}
	}
	var config tree
	if err := yaml.Unmarshal([]byte(moved), &config); err != nil {
		return "", fmt.Errorf("read the bootstrap: %w", err)
	}
	if err := strip(config, socket == ""); err != nil {
		return "", err
	}
	out, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("write the bootstrap: %w", err)
	}
	path := filepath.Join(b.dir, name+".yaml")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		return "", fmt.Errorf("write the bootstrap: %w", err)
	}
	return path, nil
}

func socketAddress(address string) string {
	host, port, _ := strings.Cut(address, ":")
	return "socket_address: { address: " + host + ", port_value: " + port + " }"
}

// strip takes the access log out of a bootstrap, and what is about checks.
func strip(config tree, checks bool) error {
	resources, ok := config["static_resources"].(tree)
	if !ok {
		return errors.New("the bootstrap has no static_resources")
	}
	manager := dig(resources, "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config")
	if manager == nil {
		return errors.New("the bootstrap has no connection manager where it was")
	}
	delete(manager, "access_log")
	// The plainest server knows nothing of health.
	delete(dig(resources, "clusters", 1), "health_checks")
	if !checks {
		return nil
	}
	filters, ok := manager["http_filters"].([]any)
	if !ok {
		return errors.New("the bootstrap has no http_filters")
	}
	left := slices.DeleteFunc(slices.Clone(filters), func(f any) bool { return f.(tree)["name"] == "envoy.filters.http.ext_authz" }) //nolint:forcetypeassert // it was read so
	if len(left) != len(filters)-1 {
		return errors.New("the bootstrap has no ext_authz filter")
	}
	manager["http_filters"] = left
	host := dig(manager, "route_config", "virtual_hosts", 0)
	delete(host, "typed_per_filter_config")
	if route := dig(host, "routes", 0); route != nil {
		delete(route, "typed_per_filter_config")
	}
	return nil
}

// dig goes down names of members and places in lists; nil where the way ends.
func dig(in any, way ...any) tree {
	for _, step := range way {
		switch at := step.(type) {
		case string:
			m, ok := in.(tree)
			if !ok {
				return nil
			}
			in = m[at]
		case int:
			l, ok := in.([]any)
			if !ok || at >= len(l) {
				return nil
			}
			in = l[at]
		}
	}
	m, _ := in.(tree)
	return m
}

// judged fails unless Envoy asked about every request and always got an answer.
func judged(ctx context.Context, admin parts.EnvoyAdmin) error {
	const prefix = "http.ingress.ext_authz.waygate."
	counted, err := admin.Counters(ctx, "^"+prefix)
	if err != nil {
		return err //nolint:wrapcheck // it says what was asked
	}
	answers, failures := counted[prefix+"ok"], counted[prefix+"error"]
	if answers == 0 || failures*1000 > answers {
		return fmt.Errorf("envoy got %d answers and %d errors: that measures something else", answers, failures)
	}
	return nil
}
