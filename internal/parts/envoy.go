package parts

import (
	"os"
	"path/filepath"
	"testing"
)

// EnvoyProxy is a running Envoy. Its methods belong to the test's goroutine.
type EnvoyProxy struct {
	// Addr is the address of the first listener of the bootstrap, "127.0.0.1:43127".
	Addr string

	process *process
	admin   EnvoyAdmin
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
	p := &EnvoyProxy{process: start(tb, "envoy", Envoy(tb), all...), admin: EnvoyAdmin{File: admin}}
	err := p.process.wait(func() (err error) {
		p.Addr, err = p.admin.Listener(tb.Context())
		return err
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
	counters, err := p.admin.Counters(p.process.tb.Context(), filter)
	if err != nil {
		p.process.tb.Fatal(err)
	}
	return counters
}
