package state

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile are targets made to cost as much as a target can.
func hostile() map[string]string {
	long := func(s string) string { return "/" + strings.Repeat(s, 64<<10/len(s)) }
	return map[string]string{
		"many tricks":     "/%2e%2e/admin/.%20/a%5cb//..;x=1//..%3b/%252f?x=/../..//",
		"more tricks":     "/%25//.%2E//.%2e%2f//\\%2e%2e;x\\sale%EF%BC%8F50%25%EF%BC%BC;a\\;b%3f%23/(S(x))/.%20%253b/x%255c..%252f",
		"long mix":        long("/%2e%2e;x\\a%2F%5c. /(S(x))%EF%BC%8F%3f%23%253b"),
		"long dots":       long("../"),
		"long parameters": long(";/"),
		"long authority":  long("//a"),
		"long escapes":    long("%2525"),
		"long blanks":     long("%20./"),
		"long cookieless": long("/(a(x)"),
		"long slashes":    long("%2F"),
		"long plain":      long("abcdefg/"),
		"long wide":       long("%EF%BC%8F"),
		"long percent":    long("%25u"),
	}
}

func BenchmarkPlain(b *testing.B) {
	for name, target := range map[string]string{
		"short": "/payments",
		"long":  "/api/v1/organisations/0f8fad5b-d9cb-469f-a165-70867728950e/members/42",
		"query": "/api/v1/search?q=shoes&page=2&sort=price",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, ok := plainPath(target)
				if !ok {
					b.Fatal("not plain")
				}
			}
		})
	}
}

func BenchmarkPaths(b *testing.B) {
	for name, target := range map[string]string{
		"name":    "/users/J%C3%BCrgen/orders",
		"mail":    "/users/ann@example.test/orders?page=2",
		"slash":   "/projects/group%2Fsub/issues",
		"url":     "/proxy/https%3A%2F%2Fexample.test%2Fa%3Fb%3Dc%23d",
		"percent": "/sale/50%25",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pathReadings(target); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPathsHostile(b *testing.B) {
	for name, target := range hostile() {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = pathReadings(target)
			}
		})
	}
}

func BenchmarkAppendFold(b *testing.B) {
	for name, path := range map[string]string{"ascii": "/API/v1/Users/42", "wide": "/users/Jürgen", "han": "/文档/北京市"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			scratch := make([]byte, 0, 64)
			for b.Loop() {
				scratch = appendFolded(scratch[:0], path)
			}
		})
	}
}

func TestFastPathDoesNotAllocate(t *testing.T) {
	scratch := make([]byte, 0, 64)
	allocs := testing.AllocsPerRun(100, func() {
		_, _, _ = plainPath("/API/v1/users/42?page=2")
		scratch = appendFolded(scratch[:0], "/API/v1/users/42")
		_ = foldPath("/api/v1/users/42")
		_ = isConnectGet("page=2&sort=price")
		_, _, _ = methodReadings("GET", nil, "page=2")
	})
	require.Zero(t, allocs)
}
