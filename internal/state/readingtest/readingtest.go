// Package readingtest attacks the reading of requests: small models of how real
// backends turn a request target into the path they route on (Models, Chain),
// mutations of a path as an attacker would try them (Mutate), ordinary targets
// that nobody may refuse (Ordinary), and routes with a request of each (Routes).
//
// The law a test checks with them: whenever a model, given a mutated target, routes
// to a blocked route, the gate refuses that target, because it cannot read it or
// because some reading of it is blocked. The models are written from what the
// servers do and share no code with what they test.
package readingtest

import "strings"

// Route is a route of a backend and the path of a request that it serves.
type Route struct {
	Pattern string // segments: literal, {name}, or a last **.
	Path    string
}

// Routes returns routes of every shape, all in lower case so that the models that
// fold case compare equal.
func Routes() []Route {
	return []Route{
		{Pattern: "/payments", Path: "/payments"},
		{Pattern: "/payments/refund", Path: "/payments/refund"},
		{Pattern: "/users/{id}", Path: "/users/42"},
		{Pattern: "/users/{id}/settings", Path: "/users/ann.lee/settings"},
		{Pattern: "/admin/**", Path: "/admin/keys/list"},
		{Pattern: "/admin/**", Path: "/admin"},
		{Pattern: "/users/{id}/settings", Path: "/users/;v=1/settings"},
		{Pattern: "/users/{id}/settings", Path: "/users/.../settings"},
		{Pattern: "/v1/files/{name}/raw", Path: "/v1/files/report.pdf/raw"},
		{Pattern: "/straße/münchen", Path: "/stra%C3%9Fe/m%C3%BCnchen"},
		{Pattern: "/sale/50%", Path: "/sale/50%25"},
		{Pattern: "/{tenant}/export", Path: "/acme/export"},
		{Pattern: "/pay.orders/create", Path: "/pay.orders/create"},
	}
}

// Covers reports whether pattern matches path by shape, in the plainest way: segment
// by segment, {name} for one segment that is not empty, a last ** for any rest. One
// trailing slash of path is not significant.
func Covers(pattern, path string) bool {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	want := strings.Split(pattern, "/")
	have := strings.Split(path, "/")
	for i, segment := range want {
		if segment == "**" {
			return true
		}
		if i >= len(have) {
			return false
		}
		if strings.HasPrefix(segment, "{") && have[i] != "" {
			continue
		}
		if segment != have[i] {
			return false
		}
	}
	return len(want) == len(have)
}
