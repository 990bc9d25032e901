package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
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

// admin asks Envoy's admin interface, whose address stands in a file.
func admin(ctx context.Context, file, page string) ([]byte, error) {
	address, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+strings.TrimSpace(string(address))+page, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("ask Envoy for %s: %s", page, resp.Status)
	}
	return body, err
}

// until asks again and again until there is an answer or the patience is over.
func until(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// listener is the address of the first listener, once Envoy has bound it.
func listener(ctx context.Context, file string) (address string, err error) {
	err = until(ctx, func() error {
		body, err := admin(ctx, file, "/listeners?format=json")
		if err != nil {
			return err
		}
		var all struct {
			Statuses []struct {
				Local struct {
					Socket struct {
						Address string `json:"address"`
						Port    int    `json:"port_value"`
					} `json:"socket_address"`
				} `json:"local_address"`
			} `json:"listener_statuses"`
		}
		if err := json.Unmarshal(body, &all); err != nil {
			return fmt.Errorf("read Envoy's listeners: %w", err)
		}
		if len(all.Statuses) == 0 || all.Statuses[0].Local.Socket.Port == 0 {
			return errors.New("no listener is bound")
		}
		address = net.JoinHostPort(all.Statuses[0].Local.Socket.Address, strconv.Itoa(all.Statuses[0].Local.Socket.Port))
		return nil
	})
	return address, err
}

// judged fails unless Envoy asked about every request and always got an answer.
func judged(ctx context.Context, file string) error {
	body, err := admin(ctx, file, "/stats?format=json&filter=^http.ingress.ext_authz.waygate")
	if err != nil {
		return err
	}
	var all struct {
		Stats []struct {
			Name  string `json:"name"`
			Value int    `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return fmt.Errorf("read Envoy's counters: %w", err)
	}
	counted := map[string]int{}
	for _, s := range all.Stats {
		counted[s.Name[strings.LastIndexByte(s.Name, '.')+1:]] = s.Value
	}
	if counted["ok"] == 0 || counted["error"]*1000 > counted["ok"] {
		return fmt.Errorf("envoy got %d answers and %d errors: that measures something else", counted["ok"], counted["error"])
	}
	return nil
}
