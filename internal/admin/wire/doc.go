// Package wire is the vocabulary of the REST API: the JSON bodies that travel between waygate-admin and its clients.
//
// The server renders these types and its clients read them; neither has to import the other. Members keep the names
// that clients in the field know (force_active, exempt_paths, allowed_envs) and are always present where those clients
// index them without looking. Times are RFC 3339 in UTC with at most six fractional digits, which is what Python's
// datetime.fromisoformat reads; in requests they are text, because ParseTime also accepts times without seconds or zone.
//
// A route key stands in a URL as one segment: Segment writes it, ParseSegment reads it.
package wire
