package parts_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// TestEnvoyTakesTheShippedBootstraps lets Envoy itself read them as they are, which knows more than their types do.
func TestEnvoyTakesTheShippedBootstraps(t *testing.T) {
	for _, file := range []string{"envoy/envoy.yaml", "envoy/envoy-fail-closed.yaml"} {
		t.Run(file, func(t *testing.T) {
			out, err := exec.CommandContext(
				t.Context(), parts.Envoy(t), "--mode", "validate", "--config-path", filepath.Join(parts.Root(t), file),
			).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.NotContains(t, string(out), "deprecated", "an Envoy to come will refuse it")
		})
	}
}

func TestSidecarYAMLMovesEveryPlace(t *testing.T) {
	for _, authz := range []string{"unix:///tmp/a.sock", "127.0.0.1:9001"} {
		text := parts.SidecarYAML(t, "envoy/envoy-fail-closed.yaml", "127.0.0.1:8123", authz)
		for _, fixed := range []string{"port_value: 9901", "port_value: 10000", "port_value: 8081", "/run/waygate"} {
			require.NotContains(t, text, fixed)
		}
		require.Contains(t, text, "port_value: 8123")
	}
}
