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
	"strconv"
	"strings"
	"time"
)

// EnvoyAdmin asks a running Envoy about itself.
type EnvoyAdmin struct {
	// File is where Envoy writes the address of its admin interface (--admin-address-path).
	File string
}

// Listener is the address of the first listener of the bootstrap; an error until Envoy is live and has bound them all.
func (a EnvoyAdmin) Listener(ctx context.Context) (address string, err error) {
	if _, err := a.get(ctx, "/ready"); err != nil {
		return "", err
	}
	body, err := a.get(ctx, "/listeners?format=json")
	if err != nil {
		return "", err
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
		return "", fmt.Errorf("read Envoy's listeners: %w", err)
	}
	if len(listeners.Statuses) == 0 {
		return "", errors.New("envoy has no listener yet")
	}
	for _, s := range listeners.Statuses {
		if s.Local.Socket.Port == 0 {
			return "", fmt.Errorf("envoy's listener %s is not bound yet", s.Name)
		}
	}
	first := listeners.Statuses[0].Local.Socket
	return net.JoinHostPort(first.Address, strconv.Itoa(first.Port)), nil
}

// Counters are Envoy's counters and gauges whose name contains filter, a regular expression, by name.
func (a EnvoyAdmin) Counters(ctx context.Context, filter string) (map[string]uint64, error) {
	body, err := a.get(ctx, "/stats?format=json&filter="+filter)
	if err != nil {
		return nil, err
	}
	var stats struct {
		Stats []struct {
			Name  string          `json:"name"`
			Value json.RawMessage `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &stats); err != nil {
		return nil, fmt.Errorf("read Envoy's counters: %w", err)
	}
	counters := make(map[string]uint64, len(stats.Stats))
	for _, s := range stats.Stats {
		if n, err := strconv.ParseUint(string(s.Value), 10, 64); err == nil && s.Name != "" {
			counters[s.Name] = n
		}
	}
	return counters, nil
}

// get reads a page; an answer other than 200 is an error.
func (a EnvoyAdmin) get(ctx context.Context, page string) ([]byte, error) {
	address, err := os.ReadFile(a.File)
	if err != nil {
		return nil, fmt.Errorf("read the admin address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+strings.TrimSpace(string(address))+page, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	req.Close = true // without kept connections no goroutine is left for a leak detector to find
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read what Envoy answered: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envoy answered %s to %s: %s", resp.Status, page, body)
	}
	return body, nil
}
