package parts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// EnvoyProxy is a running Envoy. Its methods belong to the test's goroutine.
type EnvoyProxy struct {
	// Addr is the address of the first listener of the bootstrap, "127.0.0.1:43127".
	Addr string
	// Addrs has the address of each listener by its name in the bootstrap.
	Addrs map[string]string
	// AdminURL is the base of Envoy's admin interface, "http://127.0.0.1:43125".
	AdminURL string

	process *process
	client  *http.Client
}

// StartEnvoy starts Envoy with a bootstrap and returns when it is live and all its listeners are bound. Ports in the
// bootstrap, those of the admin interface and of the listeners, are to be 0 ([SidecarYAML] sees to it). Envoy runs
// one worker thread, which makes tests cheap and orderly; args are added to its command line and may say otherwise.
func StartEnvoy(tb testing.TB, bootstrap string, args ...string) *EnvoyProxy {
	tb.Helper()
	dir := tb.TempDir()
	config, admin := filepath.Join(dir, "envoy.yaml"), filepath.Join(dir, "admin-address")
	if err := os.WriteFile(config, []byte(bootstrap), 0o600); err != nil {
		tb.Fatalf("write the bootstrap: %v", err)
	}
	all := append([]string{
		"--config-path", config, "--admin-address-path", admin, "--concurrency", "1",
		"--use-dynamic-base-id", "--log-level", "warning",
	}, args...)
	p := &EnvoyProxy{
		process: start(tb, "envoy", Envoy(tb), all...),
		// Without kept connections no goroutine is left for a leak detector to find.
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	err := p.process.wait(func() error {
		address, err := os.ReadFile(admin)
		if err != nil {
			return fmt.Errorf("read the admin address: %w", err)
		}
		p.AdminURL = "http://" + strings.TrimSpace(string(address))
		return p.ready(tb.Context())
	})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// Stop ends it with SIGTERM.
func (p *EnvoyProxy) Stop() {
	p.process.tb.Helper()
	p.process.stop()
}

// Counters are Envoy's counters and gauges whose name contains filter, by name.
func (p *EnvoyProxy) Counters(filter string) map[string]uint64 {
	p.process.tb.Helper()
	body, err := p.admin(p.process.tb.Context(), "/stats?format=json&filter="+filter)
	if err != nil {
		p.process.tb.Fatal(err)
	}
	var stats struct {
		Stats []struct {
			Name  string          `json:"name"`
			Value json.RawMessage `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &stats); err != nil {
		p.process.tb.Fatalf("read Envoy's counters: %v", err)
	}
	counters := make(map[string]uint64, len(stats.Stats))
	for _, s := range stats.Stats {
		if n, err := strconv.ParseUint(string(s.Value), 10, 64); err == nil && s.Name != "" {
			counters[s.Name] = n
		}
	}
	return counters
}

// ready is nil once Envoy is live; the addresses are then filled in.
func (p *EnvoyProxy) ready(ctx context.Context) error {
	if _, err := p.admin(ctx, "/ready"); err != nil {
		return err
	}
	body, err := p.admin(ctx, "/listeners?format=json")
	if err != nil {
		return err
	}
	var listeners struct {
		Statuses []struct {
			Name  string `json:"name"`
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &listeners); err != nil {
		return fmt.Errorf("read Envoy's listeners: %w", err)
	}
	if len(listeners.Statuses) == 0 {
		return errors.New("envoy has no listener yet")
	}
	p.Addrs = make(map[string]string, len(listeners.Statuses))
	for i, s := range listeners.Statuses {
		if s.Local.Socket.Port == 0 {
			return fmt.Errorf("envoy's listener %s is not bound yet", s.Name)
		}
		p.Addrs[s.Name] = net.JoinHostPort(s.Local.Socket.Address, strconv.Itoa(s.Local.Socket.Port))
		if i == 0 {
			p.Addr = p.Addrs[s.Name]
		}
	}
	return nil
}

// admin asks Envoy's admin interface; an answer other than 200 is an error.
func (p *EnvoyProxy) admin(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.AdminURL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read what Envoy answered: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envoy answered %s to %s: %s", resp.Status, path, body)
	}
	return body, nil
}
