package vendors

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// definitions says where each vendor's module has its custom resource definitions.
var definitions = map[string]struct{ module, files string }{
	"gateway.networking.k8s.io": {"sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.networking.k8s.io_*.yaml"},
	"gateway.envoyproxy.io": {
		"github.com/envoyproxy/gateway", "charts/gateway-helm/charts/crds/crds/generated/*.yaml",
	},
	"projectcontour.io":   {"github.com/projectcontour/contour", "examples/contour/01-crds.yaml"},
	"security.istio.io":   {"istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"},
	"networking.istio.io": {"istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"},
}

// TestAnAPIServerWouldTakeTheManifests holds each custom resource against the schema of its definition and the rules
// (CEL) in it.
func TestAnAPIServerWouldTakeTheManifests(t *testing.T) {
	checked := 0
	for name := range manifests {
		for _, document := range documents(t, name) {
			o := object(t, document)
			if _, custom := definitions[o.GroupVersionKind().Group]; !custom {
				continue
			}
			checked++
			t.Run(name+" "+o.GetKind(), func(t *testing.T) {
				require.Empty(t, refusals(t, o))
			})
		}
	}
	require.Equal(t, 9, checked)
}

// TestAnAPIServerWouldRefuse sees that values and rules are looked at, not names of fields alone.
func TestAnAPIServerWouldRefuse(t *testing.T) {
	tests := []struct {
		name, file, kind, old, new, want string
	}{
		{
			name: "a value outside of its list", file: "envoy-gateway.yaml", kind: "SecurityPolicy",
			old: `"statusOnError":503`, new: `"statusOnError":200`, want: "Unsupported value",
		},
		{
			name: "what a rule forbids", file: "envoy-gateway.yaml", kind: "SecurityPolicy",
			old: `"grpc":{"backendRefs"`, new: `"gRPC":{"backendRefs"`, want: "one of grpc or http must be specified",
		},
		{
			name: "a filter whose protocol lacks its part", file: "gateway-api.yaml", kind: "HTTPRoute",
			old: `"grpc":{},`, new: ``, want: "grpc must be specified",
		},
		{
			name: "another form of a duration", file: "contour.yaml", kind: "HTTPProxy",
			old: `"250ms"`, new: `"250"`, want: "should match",
		},
		{
			name: "an action that does not exist", file: "istio.yaml", kind: "AuthorizationPolicy",
			old: `"CUSTOM"`, new: `"ASK"`, want: "Unsupported value",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, document := range documents(t, tt.file) {
				if object(t, document).GetKind() != tt.kind {
					continue
				}
				require.Equal(t, 1, strings.Count(string(document), tt.old), "%s", document)
				changed := []byte(strings.Replace(string(document), tt.old, tt.new, 1))
				require.ErrorContains(t, refusals(t, object(t, changed)).ToAggregate(), tt.want)
				return
			}
			require.FailNow(t, "no such document")
		})
	}
}

// refusals are what an API server with the vendor's definitions has against a resource.
func refusals(t *testing.T, o *unstructured.Unstructured) field.ErrorList {
	t.Helper()
	schema := schemaOf(t, o)
	validator, _, err := validation.NewSchemaValidator(schema)
	require.NoError(t, err)
	structural, err := structuralschema.NewStructural(schema)
	require.NoError(t, err)

	defaulting.Default(o.Object, structural)
	found := validation.ValidateCustomResource(nil, o.Object, validator)
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	broken, _ := rules.Validate(t.Context(), nil, structural, o.Object, nil, celconfig.RuntimeCELCostBudget)
	return append(found, broken...)
}

// schemaOf is the schema for the version of o in the vendor's definition of its kind.
func schemaOf(t *testing.T, o *unstructured.Unstructured) *apiextensions.JSONSchemaProps {
	t.Helper()
	kind := o.GroupVersionKind()
	from := definitions[kind.Group]
	paths, err := filepath.Glob(filepath.Join(moduleDir(t, from.module), from.files))
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for document := range strings.SplitSeq("\n"+string(text), "\n---") {
			definition := &apiextensionsv1.CustomResourceDefinition{}
			require.NoError(t, yaml.Unmarshal([]byte(document), definition))
			if definition.Spec.Group != kind.Group || definition.Spec.Names.Kind != kind.Kind {
				continue
			}
			for _, version := range definition.Spec.Versions {
				if version.Name == kind.Version {
					schema := &apiextensions.JSONSchemaProps{}
					require.NoError(t, apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
						version.Schema.OpenAPIV3Schema, schema, nil,
					))
					return schema
				}
			}
		}
	}
	require.FailNow(t, "no definition", "%s in %v", kind, paths)
	return nil
}

// moduleDir is where the sources of a module are, in the version that go.mod names.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	require.NoError(t, err)
	var found struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &found))
	require.NotEmpty(t, found.Dir)
	return found.Dir
}
