// Command bench measures what a check costs, side by side with the plainest server there is.
//
//	go run ./test/bench
//
// It starts both servers as processes of their own: the plainest ext_authz server that Go and the generated types make,
// which lets everything pass, and waygate-authz as it ships, following a real Redis. Both answer the same checks, as a
// real Envoy sent them, over a Unix socket and from the same client, in rounds that take turns; the processor time is
// what the kernel counted for the server's process. Once the client keeps a number of checks under way all the time
// (saturation), once it sends them at random instants at an everyday rate, where each check wakes a server that sleeps.
//
// Then comes the whole price: a real Envoy in front of a small service, without ext_authz, with the plainest server, and
// with waygate-authz, and what Envoy and the server use for a request.
//
// Flags choose the number and the length of the rounds, the load, and the parts: see -h.
package main
