// Package api is the admin's HTTP face: the REST calls, their OpenAPI description, and the few pages around them.
//
// A request passes, from the outside in: the recovery of panics and the headers every answer has; a check of Host
// where the server is open to this machine alone; the operations' own addresses (/livez, /readyz, /metrics); and below
// the base path the gate: cross-origin writes are refused, everything but the few addresses that gate.go lists needs a
// token, bodies are bounded and read before anything is worked on, and a call has a deadline. Then huma parses and
// validates, and a handler translates to one use case of package admin and back.
//
// What clients in the field rely on holds everywhere below /api: the content type of a request is not looked at, an
// empty body is {}, nothing redirects, every answer is JSON, and every error is a wire.Problem.
package api
