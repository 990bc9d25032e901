// Package vendors holds the configuration files this repository ships for other people's software against that
// software's own Go types: Envoy, Istio, Envoy Gateway, the Gateway API, Contour, Kubernetes and Docker Compose.
//
// It is a module of its own, so that these heavy types stay out of the product's go.mod, and it has tests only. Files
// are decoded strictly: a field that the vendor does not know is an error, not something to be ignored, as it would be
// by some of the programs that read them. Custom resources are also held against the schemas and rules of the custom
// resource definitions that the vendors publish, as an API server would.
//
// Versions are pinned in go.mod; raising one there tells whether our files still suit it.
package vendors

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlreader "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// root is the repository, seen from this package.
const root = "../.."

// bootstraps are Envoy's own; all other files of envoy/ are manifests, but for the values of the mesh.
var bootstraps = []string{"envoy.yaml", "envoy-fail-closed.yaml"}

// meshValues are the values of the chart istiod.
const meshValues = "istio-mesh.yaml"

// manifests are the files for Kubernetes with what each has to hold, in this order.
var manifests = map[string][]string{
	"kubernetes-authz.yaml":   {"Namespace", "Deployment", "Service", "PodDisruptionBudget"},
	"kubernetes-sidecar.yaml": {"Deployment", "Service"},
	"istio.yaml":              {"AuthorizationPolicy", "EnvoyFilter"},
	"envoy-gateway.yaml":      {"SecurityPolicy", "ReferenceGrant", "ClientTrafficPolicy"},
	"gateway-api.yaml":        {"HTTPRoute", "ReferenceGrant"},
	"contour.yaml":            {"ExtensionService", "HTTPProxy"},
}

// TestEveryFileIsLookedAt fails for a file that nothing here reads.
func TestEveryFileIsLookedAt(t *testing.T) {
	known := append([]string{meshValues}, bootstraps...)
	for name := range manifests {
		known = append(known, name)
	}
	paths, err := filepath.Glob(filepath.Join(root, "envoy", "*.yaml"))
	require.NoError(t, err)
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	require.ElementsMatch(t, known, names)
}

// TestManifestsHoldWhatIsExpected fails for a document that was lost or added.
func TestManifestsHoldWhatIsExpected(t *testing.T) {
	for name, want := range manifests {
		t.Run(name, func(t *testing.T) {
			var kinds []string
			for _, document := range documents(t, name) {
				kinds = append(kinds, object(t, document).GetKind())
			}
			require.Equal(t, want, kinds)
		})
	}
}

// read is the text of a file in envoy/.
func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "envoy", name))
	require.NoError(t, err)
	return text
}

// documents are the YAML documents of a file in envoy/, as JSON. A key that stands twice is an error.
func documents(t *testing.T, name string) [][]byte {
	t.Helper()
	reader := yamlreader.NewYAMLReader(bufio.NewReader(bytes.NewReader(read(t, name))))
	var found [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		asJSON, err := yaml.YAMLToJSONStrict(document)
		require.NoError(t, err)
		found = append(found, asJSON)
	}
}

// object is a document without a type of its own.
func object(t *testing.T, document []byte) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	require.NoError(t, o.UnmarshalJSON(document))
	return o
}
