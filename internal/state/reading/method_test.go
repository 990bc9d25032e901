package reading_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state/reading"
)

func TestMethods(t *testing.T) {
	tests := []struct {
		name       string
		method     string
		overrides  []string
		query      string
		want       reading.MethodSet
		overridden bool
	}{
		{name: "own", method: "GET", want: reading.GET},
		{name: "other query", method: "POST", query: "method=DELETE&x_method=PUT&_methods=GET", want: reading.POST},
		{name: "header", method: "POST", overrides: []string{"DELETE"}, want: reading.POST | reading.DELETE, overridden: true},
		{name: "lower case, blanks", method: "POST", overrides: []string{" \tdelete\u00a0"}, want: reading.POST | reading.DELETE, overridden: true},
		{name: "letters that upper-case to ASCII", method: "GET", overrides: []string{"poſt"}, want: reading.GET | reading.POST, overridden: true},
		{name: "list", method: "POST", overrides: []string{"put, ,patch"}, want: reading.POST | reading.PUT | reading.PATCH, overridden: true},
		{name: "several headers", method: "POST", overrides: []string{"PUT", "GET"}, want: reading.POST | reading.PUT | reading.GET, overridden: true},
		{name: "empty header", method: "OPTIONS", overrides: []string{""}, want: reading.OPTIONS, overridden: true},
		{name: "unknown", method: "GET", overrides: []string{"PURGE"}, want: reading.GET | reading.Other, overridden: true},
		{name: "trace", method: "GET", overrides: []string{"TRACE"}, want: reading.GET | reading.Other, overridden: true},
		{name: "the word for the rest", method: "GET", overrides: []string{"OTHER"}, want: reading.GET | reading.Other, overridden: true},
		{name: "query", method: "POST", query: "a=1&_method=DELETE", want: reading.POST | reading.DELETE, overridden: true},
		{name: "query, semicolon", method: "POST", query: "a=1;_method=delete;b", want: reading.POST | reading.DELETE, overridden: true},
		{name: "query, encoded name", method: "POST", query: "%5Fm%65thod=PUT", want: reading.POST | reading.PUT, overridden: true},
		{name: "query, encoded twice", method: "POST", query: "%255Fmethod=%2550UT", want: reading.POST | reading.PUT, overridden: true},
		{name: "query, encoded separators", method: "POST", query: "a%26_method%3DPUT", want: reading.POST | reading.PUT, overridden: true},
		{name: "query, encoded value", method: "POST", query: "_method=%50%55%54", want: reading.POST | reading.PUT | reading.Other, overridden: true},
		{name: "query, plus and blanks", method: "POST", query: "+_method=+put+", want: reading.POST | reading.PUT, overridden: true},
		{name: "query, index", method: "POST", query: "_METHOD[]=PUT", want: reading.POST | reading.PUT, overridden: true},
		{name: "query, names PHP rewrites", method: "POST", query: ".method=PUT&[method=DELETE", want: reading.POST | reading.PUT | reading.DELETE, overridden: true},
		{name: "query, twice", method: "POST", query: "_method=PUT&_method=GET", want: reading.POST | reading.PUT | reading.GET, overridden: true},
		{name: "query, no value", method: "POST", query: "_method", want: reading.POST, overridden: true},
		{name: "query, bad escape", method: "POST", query: "%zz&%_method=1&_method=PUT%", want: reading.POST | reading.Other, overridden: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, overridden, err := reading.Methods(test.method, test.overrides, test.query)
			require.NoError(t, err)
			require.Equal(t, test.want.String(), set.String())
			require.Equal(t, test.overridden, overridden)
		})
	}
}

func TestMethodsRefuses(t *testing.T) {
	for _, method := range []string{"", "get", "Get", "TRACE", "CONNECT", "FOO", "OTHER", "GET ", "PROPFIND"} {
		_, _, err := reading.Methods(method, []string{"GET"}, "_method=GET")
		require.ErrorIs(t, err, reading.ErrUnreadable, method)
	}
}

func TestMethodSet(t *testing.T) {
	set := reading.GET | reading.PATCH | reading.Other
	require.Equal(t, "GET|PATCH|OTHER", set.String())
	require.Equal(t, "none", reading.MethodSet(0).String())
	require.Equal(t, "?", reading.MethodSet(1<<15).String())
	require.Equal(t, []reading.MethodSet{reading.GET, reading.PATCH, reading.Other}, slices.Collect(set.All()))
	require.True(t, set.Has(reading.GET|reading.PATCH))
	require.False(t, set.Has(reading.GET|reading.PUT))
	for method := range (reading.Other - 1).All() {
		parsed, ok := reading.Parse(method.String())
		require.True(t, ok)
		require.Equal(t, method, parsed)
	}
}

func TestIsOverrideHeader(t *testing.T) {
	for _, name := range []string{
		"x-http-method-override", "X-HTTP-Method-Override", "x_http_method_override", "x-http-method", "X_HTTP-METHOD", "x-method-override", "x_method_override",
	} {
		require.True(t, reading.IsOverrideHeader(name), name)
	}
	for _, name := range []string{"", "x-http-method-overrid", "x-http-methods", "x.http.method", "method", "x-method"} {
		require.False(t, reading.IsOverrideHeader(name), name)
	}
}

func TestConnectGet(t *testing.T) {
	for _, query := range []string{
		"connect=v1", "a=b&connect=v1&c", "%63onnect=v1", "connect=%76%31", "%2563onnect=v1", "connect%3dv1", "Connect=V1",
		"message=%7B%7D&encoding=json", "encoding=proto&base64=1&message=",
	} {
		require.True(t, reading.ConnectGet(query), query)
		require.True(t, reading.HasMethodParam(query), query)
	}
	for _, query := range []string{"", "connect=v2", "connect", "connected=v1", "xconnect=v1", "message=hi", "encoding=json", "a=connect=v1"} {
		require.False(t, reading.ConnectGet(query), query)
		require.False(t, reading.HasMethodParam(query), query)
	}
}

func TestQuery(t *testing.T) {
	require.Equal(t, "a=b?c", reading.Query("/x?a=b?c"))
	require.Empty(t, reading.Query("/x"))
}

func FuzzMethods(f *testing.F) {
	f.Add("GET", "DELETE, put", "_method=%50UT&connect=v1")
	f.Add("get", "", "%25255Fmethod=x;+_method")
	f.Add("POST", "\x00,ſ", "%")
	f.Fuzz(func(t *testing.T, method, override, query string) {
		_, known := reading.Parse(method)
		set, overridden, err := reading.Methods(method, []string{override}, query)
		require.Equal(t, known, err == nil)
		if err != nil {
			require.ErrorIs(t, err, reading.ErrUnreadable)
			return
		}
		require.True(t, overridden)
		own, _ := reading.Parse(method)
		require.True(t, set.Has(own))
		// Without header the query alone decides, and the fast look agrees.
		fromQuery, overridden, err := reading.Methods(method, nil, query)
		require.NoError(t, err)
		require.True(t, set.Has(fromQuery))
		if !reading.HasMethodParam(query) {
			require.False(t, overridden)
			require.Equal(t, own, fromQuery)
		}
		// Encoding a query once more hides nothing.
		if len(query) < 200 && strings.Contains(query, "_method=") && !strings.Contains(query, "%") {
			again, _, err := reading.Methods(method, nil, strings.NewReplacer("_", "%5f", "m", "%6D", "=", "%3d").Replace(query))
			require.NoError(t, err)
			require.True(t, again.Has(fromQuery&^reading.Other), query)
		}
	})
}
