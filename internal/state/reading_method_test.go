package state

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMethods(t *testing.T) {
	tests := []struct {
		name       string
		method     string
		overrides  []string
		query      string
		want       methodSet
		overridden bool
	}{
		{name: "own", method: "GET", want: methodGET},
		{name: "one that no key can name", method: "PROPFIND", want: methodGET | otherMethod},
		{name: "one with a hyphen", method: "VERSION-CONTROL", want: methodGET | otherMethod},
		{name: "one that no key can name, overridden", method: "PROPFIND", overrides: []string{"PUT"}, want: methodGET | methodPUT | otherMethod, overridden: true},
		{name: "other query", method: "POST", query: "method=DELETE&x_method=PUT&_methods=GET", want: methodPOST},
		{name: "header", method: "POST", overrides: []string{"DELETE"}, want: methodPOST | methodDELETE, overridden: true},
		{name: "lower case, blanks", method: "POST", overrides: []string{" \tdelete\u00a0"}, want: methodPOST | methodDELETE, overridden: true},
		{name: "letters that upper-case to ASCII", method: "GET", overrides: []string{"poſt"}, want: methodGET | methodPOST, overridden: true},
		{name: "list", method: "POST", overrides: []string{"put, ,patch"}, want: methodPOST | methodPUT | methodPATCH, overridden: true},
		{name: "several headers", method: "POST", overrides: []string{"PUT", "GET"}, want: methodPOST | methodPUT | methodGET, overridden: true},
		{name: "empty header", method: "OPTIONS", overrides: []string{""}, want: methodOPTIONS, overridden: true},
		{name: "unknown", method: "GET", overrides: []string{"PURGE"}, want: methodGET | otherMethod, overridden: true},
		{name: "trace", method: "GET", overrides: []string{"TRACE"}, want: methodGET | otherMethod, overridden: true},
		{name: "the word for the rest", method: "GET", overrides: []string{"OTHER"}, want: methodGET | otherMethod, overridden: true},
		{name: "query", method: "POST", query: "a=1&_method=DELETE", want: methodPOST | methodDELETE, overridden: true},
		{name: "query, semicolon", method: "POST", query: "a=1;_method=delete;b", want: methodPOST | methodDELETE, overridden: true},
		{name: "query, encoded name", method: "POST", query: "%5Fm%65thod=PUT", want: methodPOST | methodPUT, overridden: true},
		{name: "query, encoded twice", method: "POST", query: "%255Fmethod=%2550UT", want: methodPOST | methodPUT, overridden: true},
		{name: "query, encoded separators", method: "POST", query: "a%26_method%3DPUT", want: methodPOST | methodPUT, overridden: true},
		{name: "query, encoded value", method: "POST", query: "_method=%50%55%54", want: methodPOST | methodPUT | otherMethod, overridden: true},
		{name: "query, plus and blanks", method: "POST", query: "+_method=+put+", want: methodPOST | methodPUT, overridden: true},
		{name: "query, index", method: "POST", query: "_METHOD[]=PUT", want: methodPOST | methodPUT, overridden: true},
		{name: "query, names PHP rewrites", method: "POST", query: ".method=PUT&[method=DELETE", want: methodPOST | methodPUT | methodDELETE, overridden: true},
		{name: "query, twice", method: "POST", query: "_method=PUT&_method=GET", want: methodPOST | methodPUT | methodGET, overridden: true},
		{name: "query, no value", method: "POST", query: "_method", want: methodPOST, overridden: true},
		{name: "query, bad escape", method: "POST", query: "%zz&%_method=1&_method=PUT%", want: methodPOST | otherMethod, overridden: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, overridden, err := methodReadings(test.method, test.overrides, test.query)
			require.NoError(t, err)
			require.Equal(t, test.want, set)
			require.Equal(t, test.overridden, overridden)
		})
	}
}

func TestMethodsRefuses(t *testing.T) {
	for _, method := range []string{"", "get", "Get", "TRACE", "CONNECT", "GET ", " GET", "Propfind", "PROP\tFIND", "-", "M_SEARCH", "P\u00c4"} {
		_, _, err := methodReadings(method, []string{"GET"}, "_method=GET")
		require.ErrorIs(t, err, errUnreadable, method)
	}
}

func TestConnectGet(t *testing.T) {
	for _, query := range []string{
		"connect=v1", "a=b&connect=v1&c", "%63onnect=v1", "connect=%76%31", "%2563onnect=v1", "connect%3dv1", "Connect=V1",
		"message=%7B%7D&encoding=json", "encoding=proto&base64=1&message=",
	} {
		require.True(t, isConnectGet(query), query)
	}
	for _, query := range []string{"", "connect=v2", "connect", "connected=v1", "xconnect=v1", "message=hi", "encoding=json", "a=connect=v1"} {
		require.False(t, isConnectGet(query), query)
	}
}

func TestQuery(t *testing.T) {
	require.Equal(t, "a=b?c", queryOf("/x?a=b?c"))
	require.Empty(t, queryOf("/x"))
}

func FuzzMethods(f *testing.F) {
	f.Add("GET", "DELETE, put", "_method=%50UT&connect=v1")
	f.Add("get", "", "%25255Fmethod=x;+_method")
	f.Add("POST", "\x00,ſ", "%")
	f.Add("PROPFIND", "", "_method=PUT")
	f.Fuzz(func(t *testing.T, method, override, query string) {
		own, known := sentMethods(method)
		set, overridden, err := methodReadings(method, []string{override}, query)
		require.Equal(t, known, err == nil)
		if err != nil {
			require.ErrorIs(t, err, errUnreadable)
			return
		}
		require.True(t, overridden)
		require.Equal(t, own, set&own)
		// Without header the query alone decides.
		fromQuery, overridden, err := methodReadings(method, nil, query)
		require.NoError(t, err)
		require.Equal(t, fromQuery, set&fromQuery)
		if !overridden {
			require.Equal(t, own, fromQuery)
		}
		// Encoding a query once more hides nothing.
		if len(query) < 200 && strings.Contains(query, "_method=") && !strings.Contains(query, "%") {
			again, _, err := methodReadings(method, nil, strings.NewReplacer("_", "%5f", "m", "%6D", "=", "%3d").Replace(query))
			require.NoError(t, err)
			require.Zero(t, fromQuery&^otherMethod&^again, query)
		}
	})
}
