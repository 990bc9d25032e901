package authz

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // a gateway may compress
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

// What gateways can rely on. That the windows are fixed spares the estimator of bandwidth, and with it a ping for nearly
// every check; workers live on, with stacks that have grown to what a check needs.
const (
	maxMessage       = 64 << 20         // bytes of a CheckRequest, body included; a larger one is an error
	streamWindow     = 1 << 20          // bytes on their way in one stream
	connectionWindow = 16 << 20         // bytes on their way in all of them
	workers          = 64               // goroutines that answer
	minPing          = 10 * time.Second // between two questions whether the connection lives
	greeting         = 10 * time.Second // for what HTTP/2 and TLS want said first
)

// Edge is the gRPC server that gateways connect to: checks and health.
type Edge struct {
	grpc   *grpc.Server
	health *health
	server *Server

	mu    sync.Mutex
	doors []*door
}

// NewEdge makes the gRPC server for the checks of s. It has no interceptors and no stats handlers: they would cost more
// than the checks.
func NewEdge(s *Server) *Edge {
	e := &Edge{health: newHealth(), server: s}
	e.grpc = grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()),
		grpc.NumStreamWorkers(workers),
		grpc.StaticStreamWindowSize(streamWindow), grpc.StaticConnWindowSize(connectionWindow),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.ConnectionTimeout(greeting),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
	)
	e.grpc.RegisterService(&grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*any)(nil),
		Streams:     []grpc.StreamDesc{{StreamName: "Check", Handler: e.check, ClientStreams: true}},
		Metadata:    "envoy/service/auth/v3/external_auth.proto",
	}, s)
	healthpb.RegisterHealthServer(e.grpc, e.health)
	return e
}

// check answers one check: on the wire it is a call with one message each way. It is read as a stream so that a call
// without a message, too, can be given a verdict: an error would be for the gateway to decide on.
func (e *Edge) check(_ any, stream grpc.ServerStream) error {
	v := &verdict{server: e.server}
	err := stream.RecvMsg(v)
	if err == nil {
		// The codec has given the verdict. This waits for the end of the call.
		err = stream.RecvMsg(surplus{})
	}
	switch {
	case errors.Is(err, io.EOF) && v.response != nil:
	case errors.Is(err, io.EOF), err == nil: // no message, or several
		v.response = e.server.Check(unreadable(), e.server.Now())
	default: // the client is gone, or never spoke gRPC
		return err //nolint:wrapcheck // it is a status already
	}
	return stream.SendMsg(v) //nolint:wrapcheck // it is a status already
}

// unreadable is a message that no reading makes sense of.
func unreadable() []byte { return []byte{0xff} }

// Serve answers on l until the edge is stopped; with a configuration, over TLS. The error after a stop is nil.
func (e *Edge) Serve(l Listener, secure *tls.Config) error {
	d := newDoor(l)
	e.mu.Lock()
	e.doors = append(e.doors, d)
	e.mu.Unlock()
	var in net.Listener = d
	if secure != nil {
		in = tls.NewListener(d, secure)
	}
	if err := e.grpc.Serve(in); err != nil {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Refresh tells the watchers of health what is the matter: whether the instance is to get no more traffic, and whether
// its snapshot was taken away.
func (e *Edge) Refresh(draining bool) { e.health.set(e.server.TakenAway(), draining) }

// Stop lets in who has come, lets the checks under way be answered and takes no new ones; when ctx ends it cuts what is
// left, and who has said nothing yet. It is called once.
func (e *Edge) Stop(ctx context.Context) {
	e.health.end()
	done := make(chan struct{})
	go func() {
		e.shutDoors(ctx)
		e.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		e.barDoors()
		e.grpc.Stop()
		<-done
	}
}

// shutDoors waits until nobody stands before a listener any more.
func (e *Edge) shutDoors(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var shutting sync.WaitGroup
	for _, d := range e.doors {
		shutting.Go(func() { d.shut(ctx.Done()) })
	}
	shutting.Wait()
}

func (e *Edge) barDoors() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.doors {
		d.bar()
	}
}
