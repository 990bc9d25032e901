// Package e2e tests the whole line with nothing faked: the product's own programs as processes, a real Envoy with the
// shipped configuration, a real Redis, and real requests through it all. It is the one place that knows every part.
//
// Tests with the build tag "soak" are the long forms of what the others do briefly.
package e2e
