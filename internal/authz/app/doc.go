// Package app is waygate-authz as a whole: what it is told, how its parts are put together, and in which order they
// stop.
//
// [Main] is the program, [Run] the server inside a test. A start opens the source of truth, follows it, and binds the
// addresses of checks only once there is a snapshot, from the source or from disk: until then gateways find nobody, and
// what they do then is one setting of theirs. A stop says goodbye to the fleet and closes the source while checks are
// still answered; then the gRPC server takes no new ones, answers those under way, and the process ends at once.
package app
