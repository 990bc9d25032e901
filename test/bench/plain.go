package main

import (
	"context"
	"net"

	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

// plain is the plainest ext_authz server there is: everybody's first one.
type plain struct {
	envoy_service_auth_v3.UnimplementedAuthorizationServer
}

// Check lets everything pass.
func (plain) Check(context.Context, *envoy_service_auth_v3.CheckRequest) (*envoy_service_auth_v3.CheckResponse, error) {
	return &envoy_service_auth_v3.CheckResponse{Status: &status.Status{}}, nil
}

// servePlain serves until the process is ended.
func servePlain(socket string) error {
	listener, err := net.Listen("unix", socket) //nolint:noctx // the plainest
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	envoy_service_auth_v3.RegisterAuthorizationServer(server, plain{})
	return server.Serve(listener)
}
