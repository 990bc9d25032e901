package authz

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestTemplates(t *testing.T) {
	tests := []struct {
		name, method, target, service string
		want                          string // empty: not counted
	}{
		{name: "root", method: "GET", target: "/", want: "GET:/"},
		{name: "literal", method: "POST", target: "/v1/orders?x=1", want: "POST:/v1/orders"},
		{name: "service", method: "GET", target: "/a", service: "pay", want: "pay:GET:/a"},
		{name: "slash at the end", method: "GET", target: "/a/b/", want: "GET:/a/b"},
		{name: "number", method: "GET", target: "/users/42/posts/7", want: "GET:/users/{id}/posts/{id}"},
		{name: "uuid", method: "GET", target: "/o/4af4a20e-b971-4650-abd3-0e8c29a244c8", want: "GET:/o/{id}"},
		{name: "hash", method: "GET", target: "/o/0B23E59F", want: "GET:/o/{id}"},
		{name: "a word of hex letters", method: "GET", target: "/o/facade", want: "GET:/o/facade"},
		{name: "token", method: "GET", target: "/o/cus_Nf1f2n3C9x0z77", want: "GET:/o/{id}"},
		{name: "version", method: "GET", target: "/v2/oauth2/md5", want: "GET:/v2/oauth2/md5"},
		{name: "order number", method: "GET", target: "/o/A10293", want: "GET:/o/{id}"},
		{name: "long", method: "GET", target: "/o/" + strings.Repeat("a", 60), want: "GET:/o/{id}"},
		{name: "verb", method: "POST", target: "/v1/jobs:run", want: "POST:/v1/jobs:run"},
		{name: "colon first", method: "GET", target: "/v1/:id", want: "GET:/v1/{id}"},
		{name: "address", method: "GET", target: "/users/a@b.test", want: "GET:/users/{id}"},
		{name: "escaped", method: "GET", target: "/files/a%20b", want: "GET:/files/{id}"},
		{name: "dots", method: "GET", target: "/a/../b"},
		{name: "empty segment", method: "GET", target: "/a//b"},
		{name: "too deep", method: "GET", target: strings.Repeat("/a", 17)},
		{name: "too long", method: "GET", target: "/" + strings.Repeat("a", 300)},
		{name: "HEAD", method: "HEAD", target: "/a"},
		{name: "TRACE", method: "TRACE", target: "/a"},
		{name: "no path", method: "GET", target: ""},
		{name: "address as target", method: "GET", target: "http://a/b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := appendTemplate(nil, &state.Request{Method: tt.method, Target: tt.target, Service: tt.service})
			require.Equal(t, tt.want != "", ok)
			if !ok {
				return
			}
			require.Equal(t, tt.want, string(got))
			_, shown, err := state.ParseKey(tt.want)
			require.NoError(t, err)
			require.Equal(t, tt.want, shown)
		})
	}
}

func TestChecksAreCountedByRoute(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	ask := func(n int, path string) {
		for range n {
			s.Check(wire(t, asked("GET", path, nil)), noon)
		}
	}
	ask(3, "/payments")
	ask(2, "/v1/users/7")
	ask(4, "/known/1")
	ask(1, "/known/22?x")
	ask(5, "/orders/7")
	ask(1, "/a#b")
	hits, unseen := s.seen.counts(s.opt.Cache.Load().Document())
	require.Equal(t, map[string]uint64{"GET:/payments": 3, "/v1/users/{id}": 2, "/known/{id}": 5}, hits)
	require.Equal(t, map[string]uint64{"orders:GET:/orders/{id}": 5}, unseen)

	// Behind a switch that is on, what is asked for is seen all the same.
	shut := newTestServer(t, gate(t), Options{Service: "shut"})
	shut.Check(wire(t, asked("GET", "/orders/7", nil)), noon)
	_, unseen = shut.seen.counts(shut.opt.Cache.Load().Document())
	require.Equal(t, map[string]uint64{"shut:GET:/orders/{id}": 1}, unseen)
}

func TestSightingsAreBounded(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	doc := s.opt.Cache.Load().Document()
	for i := range 10 * maxSightings {
		for range 1 + i%2 {
			s.Check(wire(t, asked("GET", fmt.Sprintf("/scan-%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), nil)), noon)
		}
	}
	for range 100 {
		s.Check(wire(t, asked("GET", "/often", nil)), noon)
	}
	_, unseen := s.seen.counts(doc)
	require.Len(t, unseen, maxSightings)
	require.NotContains(t, unseen, "orders:GET:/often", "there was no room")

	// Those seen least have made room, and what is seen often stays.
	for range 100 {
		s.Check(wire(t, asked("GET", "/often", nil)), noon)
	}
	for i := range maxSightings {
		s.Check(wire(t, asked("GET", fmt.Sprintf("/again-%c%c", 'a'+i%26, 'a'+i/26), nil)), noon)
	}
	for range 3 {
		_, unseen = s.seen.counts(doc)
	}
	require.Equal(t, uint64(100), unseen["orders:GET:/often"])
	require.LessOrEqual(t, len(unseen), maxSightings)
}
