package vendors

import (
	"strings"
	"testing"

	egv1alpha1 "github.com/envoyproxy/gateway/api/v1alpha1"
	contourv1 "github.com/projectcontour/contour/apis/projectcontour/v1"
	contourv1alpha1 "github.com/projectcontour/contour/apis/projectcontour/v1alpha1"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
)

// place is a service of the cluster and its port.
type place struct {
	namespace, name string
	port            int
}

// TestEverybodyAsksTheServiceThatRuns compares the address of waygate-authz in each file with the manifest that runs it.
func TestEverybodyAsksTheServiceThatRuns(t *testing.T) {
	service := find[*corev1.Service](t, "kubernetes-authz.yaml")
	require.Len(t, service.Spec.Ports, 1)
	want := place{service.Namespace, service.Name, int(service.Spec.Ports[0].Port)}

	provider := meshConfig(t).GetExtensionProviders()[0].GetEnvoyExtAuthzGrpc()
	host := strings.Split(provider.GetService(), ".")
	require.Equal(t, want, place{host[1], host[0], int(provider.GetPort())}, "Istio")

	policy := find[*egv1alpha1.SecurityPolicy](t, "envoy-gateway.yaml")
	backend := policy.Spec.ExtAuth.GRPC.BackendRefs[0]
	require.Equal(t, want, place{string(*backend.Namespace), string(backend.Name), int(*backend.Port)}, "Envoy Gateway")

	route := find[*gatewayv1.HTTPRoute](t, "gateway-api.yaml")
	var asked int
	for _, rule := range route.Spec.Rules {
		for _, filter := range rule.Filters {
			if filter.ExternalAuth != nil {
				ref := filter.ExternalAuth.BackendRef
				require.Equal(t, want, place{string(*ref.Namespace), string(ref.Name), int(*ref.Port)}, "Gateway API")
				asked++
			}
		}
	}
	require.Equal(t, 1, asked)

	extension := find[*contourv1alpha1.ExtensionService](t, "contour.yaml")
	target := extension.Spec.Services[0]
	require.Equal(t, want, place{extension.Namespace, target.Name, target.Port}, "Contour")
	proxy := find[*contourv1.HTTPProxy](t, "contour.yaml")
	ref := proxy.Spec.VirtualHost.Authorization.ExtensionServiceRef
	require.Equal(t, extension.Namespace+"/"+extension.Name, ref.Namespace+"/"+ref.Name)
}

// TestGrantsLetTheOtherNamespaceIn compares the grants with what refers across namespaces.
func TestGrantsLetTheOtherNamespaceIn(t *testing.T) {
	service := find[*corev1.Service](t, "kubernetes-authz.yaml")
	policy := find[*egv1alpha1.SecurityPolicy](t, "envoy-gateway.yaml")
	route := find[*gatewayv1.HTTPRoute](t, "gateway-api.yaml")
	tests := []struct{ file, kind, namespace string }{
		{file: "envoy-gateway.yaml", kind: policy.Kind, namespace: policy.Namespace},
		{file: "gateway-api.yaml", kind: route.Kind, namespace: route.Namespace},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			grant := find[*gatewayv1beta1.ReferenceGrant](t, tt.file)
			require.Equal(t, service.Namespace, grant.Namespace)
			require.Equal(t, service.Name, string(*grant.Spec.To[0].Name))
			require.Equal(t, tt.kind, string(grant.Spec.From[0].Kind))
			require.Equal(t, tt.namespace, string(grant.Spec.From[0].Namespace))
		})
	}
}

// TestManifestsAgreeWithThemselves sees that selectors, ports and volumes meet what they name.
func TestManifestsAgreeWithThemselves(t *testing.T) {
	for _, name := range []string{"kubernetes-authz.yaml", "kubernetes-sidecar.yaml"} {
		t.Run(name, func(t *testing.T) {
			deployment := find[*appsv1.Deployment](t, name)
			service := find[*corev1.Service](t, name)
			pod := deployment.Spec.Template
			require.Equal(t, deployment.Spec.Selector.MatchLabels, pod.Labels)
			require.Equal(t, service.Spec.Selector, pod.Labels)
			require.Equal(t, service.Namespace, deployment.Namespace)

			volumes := map[string]bool{}
			for _, volume := range pod.Spec.Volumes {
				volumes[volume.Name] = true
			}
			ports := map[string]bool{}
			for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				for _, port := range container.Ports {
					ports[port.Name] = true
				}
				for _, mount := range container.VolumeMounts {
					require.True(t, volumes[mount.Name], "%s mounts %s", container.Name, mount.Name)
				}
				for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
					if probe != nil && probe.HTTPGet != nil && probe.HTTPGet.Port.StrVal != "" {
						require.True(t, ports[probe.HTTPGet.Port.StrVal], "%s is probed on %s", container.Name, probe.HTTPGet.Port.StrVal)
					}
				}
			}
			require.True(t, ports[service.Spec.Ports[0].TargetPort.StrVal])
		})
	}
}

// TestSidecarListensWhereItsEnvoyAsks compares the socket in the manifest with the one in Envoy's bootstrap, and the
// port of the pod with Envoy's.
func TestSidecarListensWhereItsEnvoyAsks(t *testing.T) {
	pod := find[*appsv1.Deployment](t, "kubernetes-sidecar.yaml").Spec.Template.Spec
	require.Len(t, pod.InitContainers, 2)
	authz, envoy := pod.InitContainers[0], pod.InitContainers[1]
	require.Contains(t, authz.Args, "--listen=unix://"+socketPath(t))
	for _, bootstrap := range bootstraps {
		listener := bootstrapOf(t, bootstrap).GetStaticResources().GetListeners()[0]
		require.Equal(t, int(envoy.Ports[0].ContainerPort), int(listener.GetAddress().GetSocketAddress().GetPortValue()))
	}
	for _, sidecar := range pod.InitContainers {
		require.NotNil(t, sidecar.RestartPolicy)
		require.Equal(t, corev1.ContainerRestartPolicyAlways, *sidecar.RestartPolicy)
	}
}

// socketPath is where Envoy's bootstraps look for waygate-authz.
func socketPath(t *testing.T) string {
	t.Helper()
	var path string
	for _, name := range bootstraps {
		for _, cluster := range bootstrapOf(t, name).GetStaticResources().GetClusters() {
			if cluster.GetName() != "waygate" {
				continue
			}
			endpoint := cluster.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint()
			require.True(t, path == "" || path == endpoint.GetAddress().GetPipe().GetPath())
			path = endpoint.GetAddress().GetPipe().GetPath()
		}
	}
	require.NotEmpty(t, path)
	return path
}
