package parts

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SidecarYAML is one of this repository's bootstraps for [StartEnvoy], with its fixed places moved: admin and
// listener to free ports on loopback, the service behind it to app ("127.0.0.1:8123"), and waygate-authz to authz: a
// socket ("unix:///path") or "127.0.0.1:9001". All else is as shipped. File is its path in the repository, such as
// "envoy/envoy.yaml".
func SidecarYAML(tb testing.TB, file, app, authz string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(Root(tb), file))
	if err != nil {
		tb.Fatalf("read the bootstrap: %v", err)
	}
	return Replace(
		tb, string(text),
		"address: 127.0.0.1, port_value: 9901", "address: 127.0.0.1, port_value: 0",
		"address: 0.0.0.0, port_value: 10000", "address: 127.0.0.1, port_value: 0",
		"socket_address: { address: 127.0.0.1, port_value: 8081 }", yamlAddress(tb, app),
		"pipe: { path: /run/waygate/authz.sock }", yamlAddress(tb, authz),
	)
}

// Replace puts new for old, for each pair of pairs, and fails the test where an old text does not occur exactly
// once. It is how a test departs from a shipped bootstrap in one setting.
func Replace(tb testing.TB, text string, pairs ...string) string {
	tb.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := strings.Count(text, pairs[i]); n != 1 {
			tb.Fatalf("%q occurs %d times in the text, not once", pairs[i], n)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// yamlAddress is an address as the inside of Envoy's "address: { … }".
func yamlAddress(tb testing.TB, address string) string {
	tb.Helper()
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		return "pipe: { path: " + path + " }"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatalf("address for Envoy: %v", err)
	}
	return "socket_address: { address: " + host + ", port_value: " + port + " }"
}
