package vendors

import (
	"strings"
	"testing"

	envoy_config_bootstrap_v3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	envoy_config_cluster_v3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	envoy_config_listener_v3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	envoy_config_route_v3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/grpc_web/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networkingv1alpha3 "istio.io/api/networking/v1alpha3"
	"sigs.k8s.io/yaml"
)

func TestBootstrapsDecode(t *testing.T) {
	for _, name := range bootstraps {
		t.Run(name, func(t *testing.T) {
			bootstrap := bootstrapOf(t, name)
			require.NoError(t, bootstrap.ValidateAll())
			manager := managerOf(t, bootstrap)
			require.NoError(t, manager.ValidateAll())
			require.NoError(t, extAuthzOf(t, manager).ValidateAll())
		})
	}
}

func TestBootstrapsDifferInTheFailureModeAlone(t *testing.T) {
	open := managerOf(t, bootstrapOf(t, "envoy.yaml"))
	closed := managerOf(t, bootstrapOf(t, "envoy-fail-closed.yaml"))
	require.True(t, extAuthzOf(t, open).GetFailureModeAllow())
	require.False(t, extAuthzOf(t, closed).GetFailureModeAllow())

	one := strings.Split(string(read(t, "envoy.yaml")), "\n")
	other := strings.Split(string(read(t, "envoy-fail-closed.yaml")), "\n")
	require.Len(t, other, len(one))
	var differing []string
	for i := range one {
		if one[i] != other[i] {
			differing = append(differing, strings.TrimSpace(one[i])+"\n"+strings.TrimSpace(other[i]))
		}
	}
	require.Len(t, differing, 1)
	was, is, _ := strings.Cut(differing[0], "\n")
	require.True(t, strings.HasPrefix(was, "failure_mode_allow: true # (*)"), was)
	require.Equal(t, strings.Replace(was, "true", "false", 1), is)
}

// TestBootstrapDecodingIsStrict sees that a field nobody knows is refused, also inside of an extension.
func TestBootstrapDecodingIsStrict(t *testing.T) {
	for _, place := range []string{"stat_prefix: ingress", "failure_mode_allow: true", "interval: 1s"} {
		t.Run(place, func(t *testing.T) {
			text := string(read(t, "envoy.yaml"))
			field, _, _ := strings.Cut(place, ":")
			require.Equal(t, 1, strings.Count(text, " "+place))
			changed, err := yaml.YAMLToJSONStrict([]byte(strings.Replace(text, " "+place, " no_such_"+place, 1)))
			require.NoError(t, err)
			require.ErrorContains(t, protojson.Unmarshal(changed, &envoy_config_bootstrap_v3.Bootstrap{}), "no_such_"+field)
		})
	}
}

// TestPatchesOfTheMeshDecode holds the parts of Envoy's configuration inside of Istio's EnvoyFilter, which are any
// structure to Istio itself, against Envoy's types.
func TestPatchesOfTheMeshDecode(t *testing.T) {
	into := map[networkingv1alpha3.EnvoyFilter_ApplyTo]func() proto.Message{
		networkingv1alpha3.EnvoyFilter_VIRTUAL_HOST:   func() proto.Message { return &envoy_config_route_v3.VirtualHost{} },
		networkingv1alpha3.EnvoyFilter_NETWORK_FILTER: func() proto.Message { return &envoy_config_listener_v3.Filter{} },
		networkingv1alpha3.EnvoyFilter_HTTP_FILTER:    func() proto.Message { return &hcmv3.HttpFilter{} },
		networkingv1alpha3.EnvoyFilter_CLUSTER:        func() proto.Message { return &envoy_config_cluster_v3.Cluster{} },
	}
	patches := envoyFilter(t).GetConfigPatches()
	require.Len(t, patches, 4)
	for _, patch := range patches {
		t.Run(patch.GetApplyTo().String()+" "+patch.GetPatch().GetOperation().String(), func(t *testing.T) {
			value, err := protojson.Marshal(patch.GetPatch().GetValue())
			require.NoError(t, err)
			require.NoError(t, protojson.Unmarshal(value, into[patch.GetApplyTo()]()))
		})
	}
}

// TestEverywhereTheSamePathHeadersAreTakenOff compares the headers that name another path, which must not reach the
// service whatever stands in front of it.
func TestEverywhereTheSamePathHeadersAreTakenOff(t *testing.T) {
	manager := managerOf(t, bootstrapOf(t, "envoy.yaml"))
	extensions := manager.GetEarlyHeaderMutationExtensions()
	require.Len(t, extensions, 1)
	mutations := &headermutationv3.HeaderMutation{}
	require.NoError(t, extensions[0].GetTypedConfig().UnmarshalTo(mutations))
	var removed []string
	for _, mutation := range mutations.GetMutations() {
		removed = append(removed, mutation.GetRemove())
	}
	require.Contains(t, removed, "x-original-url")

	const mark = "x-envoy-auth-failure-mode-allowed" // only where an Envoy is told to set it
	for name := range manifests {
		if strings.HasPrefix(name, "kubernetes-") {
			continue
		}
		for _, header := range removed {
			marks := name == "istio.yaml" || name == "envoy-gateway.yaml"
			if header != mark || marks {
				require.Contains(t, string(read(t, name)), header, name)
			}
		}
	}
}

// bootstrapOf decodes one of Envoy's bootstraps.
func bootstrapOf(t *testing.T, name string) *envoy_config_bootstrap_v3.Bootstrap {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict(read(t, name))
	require.NoError(t, err)
	bootstrap := &envoy_config_bootstrap_v3.Bootstrap{}
	require.NoError(t, protojson.Unmarshal(asJSON, bootstrap))
	return bootstrap
}

// managerOf is the one HTTP connection manager of a bootstrap.
func managerOf(t *testing.T, bootstrap *envoy_config_bootstrap_v3.Bootstrap) *hcmv3.HttpConnectionManager {
	t.Helper()
	listeners := bootstrap.GetStaticResources().GetListeners()
	require.Len(t, listeners, 1)
	filter := listeners[0].GetFilterChains()[0].GetFilters()[0]
	manager := &hcmv3.HttpConnectionManager{}
	require.NoError(t, filter.GetTypedConfig().UnmarshalTo(manager))
	return manager
}

// extAuthzOf is the filter that asks Waygate.
func extAuthzOf(t *testing.T, manager *hcmv3.HttpConnectionManager) *extauthzv3.ExtAuthz {
	t.Helper()
	for _, filter := range manager.GetHttpFilters() {
		if filter.GetName() == "envoy.filters.http.ext_authz" {
			extAuthz := &extauthzv3.ExtAuthz{}
			require.NoError(t, filter.GetTypedConfig().UnmarshalTo(extAuthz))
			return extAuthz
		}
	}
	require.FailNow(t, "no ext_authz filter")
	return nil
}

// envoyFilter is Istio's, with our patches.
func envoyFilter(t *testing.T) *networkingv1alpha3.EnvoyFilter {
	t.Helper()
	for _, document := range documents(t, "istio.yaml") {
		if resource, ok := decode(t, document).(*istio); ok {
			if filter, ok := resource.Spec.(*networkingv1alpha3.EnvoyFilter); ok {
				return filter
			}
		}
	}
	require.FailNow(t, "no EnvoyFilter")
	return nil
}
