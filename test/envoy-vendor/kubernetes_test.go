package vendors

import (
	"bytes"
	"encoding/json"
	"testing"

	egv1alpha1 "github.com/envoyproxy/gateway/api/v1alpha1"
	contourv1 "github.com/projectcontour/contour/apis/projectcontour/v1"
	contourv1alpha1 "github.com/projectcontour/contour/apis/projectcontour/v1alpha1"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	meshv1alpha1 "istio.io/api/mesh/v1alpha1"
	networkingv1alpha3 "istio.io/api/networking/v1alpha3"
	securityv1beta1 "istio.io/api/security/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	kjson "sigs.k8s.io/json"
)

// goTypes makes the vendor's type for an apiVersion and kind.
var goTypes = map[string]func() any{
	"v1/Namespace":                  func() any { return &corev1.Namespace{} },
	"v1/Service":                    func() any { return &corev1.Service{} },
	"apps/v1/Deployment":            func() any { return &appsv1.Deployment{} },
	"policy/v1/PodDisruptionBudget": func() any { return &policyv1.PodDisruptionBudget{} },

	"gateway.networking.k8s.io/v1/HTTPRoute":           func() any { return &gatewayv1.HTTPRoute{} },
	"gateway.networking.k8s.io/v1beta1/ReferenceGrant": func() any { return &gatewayv1beta1.ReferenceGrant{} },

	"gateway.envoyproxy.io/v1alpha1/SecurityPolicy":      func() any { return &egv1alpha1.SecurityPolicy{} },
	"gateway.envoyproxy.io/v1alpha1/ClientTrafficPolicy": func() any { return &egv1alpha1.ClientTrafficPolicy{} },

	"projectcontour.io/v1alpha1/ExtensionService": func() any { return &contourv1alpha1.ExtensionService{} },
	"projectcontour.io/v1/HTTPProxy":              func() any { return &contourv1.HTTPProxy{} },

	"security.istio.io/v1/AuthorizationPolicy": func() any { return &istio{Spec: &securityv1beta1.AuthorizationPolicy{}} },
	"networking.istio.io/v1alpha3/EnvoyFilter": func() any { return &istio{Spec: &networkingv1alpha3.EnvoyFilter{}} },
}

// istio is a resource of Istio, whose specification is a protobuf message. Its own client types cannot be used to
// find mistakes: they ignore fields they do not know.
type istio struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec proto.Message `json:"-"`
}

func TestManifestsDecodeIntoTheVendorsTypes(t *testing.T) {
	for name := range manifests {
		t.Run(name, func(t *testing.T) {
			for _, document := range documents(t, name) {
				decode(t, document)
			}
		})
	}
}

func TestMeshConfigurationDecodes(t *testing.T) {
	mesh := meshConfig(t)
	require.Len(t, mesh.GetExtensionProviders(), 1)
	require.Equal(t, "waygate", mesh.GetExtensionProviders()[0].GetName())
}

// TestDecodingIsStrict sees that a field nobody knows is refused, wherever the type comes from.
func TestDecodingIsStrict(t *testing.T) {
	for name := range manifests {
		t.Run(name, func(t *testing.T) {
			for _, document := range documents(t, name) {
				o := object(t, document)
				part, found := o.Object["spec"].(map[string]any)
				if !found {
					part = o.Object
				}
				part["noSuchField"] = "x"
				changed, err := json.Marshal(o.Object)
				require.NoError(t, err)
				_, err = strictly(t, changed)
				require.ErrorContains(t, err, "noSuchField", o.GetKind())
			}
		})
	}
}

// meshConfig is what the values of the chart istiod say about the mesh.
func meshConfig(t *testing.T) *meshv1alpha1.MeshConfig {
	t.Helper()
	var values struct {
		MeshConfig json.RawMessage `json:"meshConfig"`
	}
	decoder := json.NewDecoder(bytes.NewReader(documents(t, meshValues)[0]))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&values))
	mesh := &meshv1alpha1.MeshConfig{}
	require.NoError(t, protojson.Unmarshal(values.MeshConfig, mesh))
	return mesh
}

// decode is the document in its vendor's type.
func decode(t *testing.T, document []byte) any {
	t.Helper()
	decoded, err := strictly(t, document)
	require.NoError(t, err)
	return decoded
}

// find decodes the first document of that kind in a file.
func find[T any](t *testing.T, name string) T {
	t.Helper()
	for _, document := range documents(t, name) {
		if decoded, ok := decode(t, document).(T); ok {
			return decoded
		}
	}
	require.FailNow(t, "not found", "%s holds no %T", name, *new(T))
	return *new(T)
}

// strictly decodes a document; fields that its type does not have are an error.
func strictly(t *testing.T, document []byte) (any, error) {
	t.Helper()
	o := object(t, document)
	make, known := goTypes[o.GetAPIVersion()+"/"+o.GetKind()]
	require.True(t, known, "no Go type for %s %s", o.GetAPIVersion(), o.GetKind())
	into := make()
	if resource, ok := into.(*istio); ok {
		return resource, resource.decode(document)
	}
	strict, err := kjson.UnmarshalStrict(document, into)
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	return into, err
}

// decode reads the document with its specification as protobuf.
func (i *istio) decode(document []byte) error {
	var parts struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`

		Spec json.RawMessage `json:"spec"`
	}
	strict, err := kjson.UnmarshalStrict(document, &parts)
	if err != nil {
		return err
	}
	if len(strict) > 0 {
		return strict[0]
	}
	i.TypeMeta, i.ObjectMeta = parts.TypeMeta, parts.ObjectMeta
	return protojson.Unmarshal(parts.Spec, i.Spec)
}
