package authz

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// serviceName is what gateways ask the health of.
const serviceName = "envoy.service.auth.v3.Authorization"

// health answers grpc.health.v1.Health for the server as a whole ("") and for the Authorization service.
//
// Not serving is an outage where there is one endpoint: gateways stop asking at once, and then it is they who decide.
// So the Authorization service is not serving only while the instance is told to drain. The server as a whole, which
// orchestrators look at, is not serving either while the snapshot was taken away for being too old: checks are
// answered as the operator chose for that, and where there are other instances they should get the traffic.
type health struct {
	healthpb.UnimplementedHealthServer

	mu       sync.Mutex
	taken    bool
	draining bool
	changed  chan struct{} // closed, and replaced, with each change
	ended    chan struct{}
}

func newHealth() *health { return &health{changed: make(chan struct{}), ended: make(chan struct{})} }

// set notes what is the matter.
func (h *health) set(taken, draining bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken == taken && h.draining == draining {
		return
	}
	h.taken, h.draining = taken, draining
	close(h.changed)
	h.changed = make(chan struct{})
}

// end ends the watches, which would otherwise hold up the end of the server. It is called once.
func (h *health) end() { close(h.ended) }

// state is how a service is, and what is closed when that may have changed.
func (h *health) state(service string) (healthpb.HealthCheckResponse_ServingStatus, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case service != "" && service != serviceName:
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN, h.changed
	case h.draining || service == "" && h.taken:
		return healthpb.HealthCheckResponse_NOT_SERVING, h.changed
	default:
		return healthpb.HealthCheckResponse_SERVING, h.changed
	}
}

// Check tells how a service is.
func (h *health) Check(_ context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	is, _ := h.state(req.GetService())
	if is == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &healthpb.HealthCheckResponse{Status: is}, nil
}

// List tells how all services are.
func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{}
	for _, service := range []string{"", serviceName} {
		is, _ := h.state(service)
		all[service] = &healthpb.HealthCheckResponse{Status: is}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch tells how a service is, now and whenever it changes, until the client or the server ends it.
func (h *health) Watch(req *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	last := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		is, changed := h.state(req.GetService())
		if is != last {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: is}); err != nil {
				return err //nolint:wrapcheck // it is a status already
			}
			last = is
		}
		select {
		case <-changed:
		case <-h.ended:
			return status.Error(codes.Unavailable, "the server is stopping")
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}
