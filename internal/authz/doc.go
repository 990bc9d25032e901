// Package authz is what Envoy hears: it answers envoy.service.auth.v3.Authorization/Check from memory.
//
// A check passes through three small places. A request is what is read of the bytes of a CheckRequest: the few fields
// that matter, scanned from the wire format, because strings in it may hold any bytes and because it is what makes a
// check cheap. A [state.Snapshot] decides. An answer is the bytes of a CheckResponse, most of them ready-made.
//
// [Server.Check] is total: whatever the bytes, there is a verdict, never a panic and never a gRPC error, since an error
// is what a gateway that fails open turns into "open". Around it stand grpc-go with a codec of its own, health for
// gateways and orchestrators, counters that cost a few nanoseconds, and a [Reporter] that tells the fleet what this
// instance enforces and which routes it sees.
package authz
