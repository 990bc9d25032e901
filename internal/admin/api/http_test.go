package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

func TestNothingBelowTheAPIRedirectsOrIsNotJSON(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct {
		name, method, path string
		status             int
	}{
		{"unknown", http.MethodGet, "/api/nothing", 404},
		{"the root of the API", http.MethodGet, "/api", 404},
		{"with a slash", http.MethodGet, "/api/", 404},
		{"a slash at the end", http.MethodGet, "/api/routes/", 404},
		{"two slashes", http.MethodGet, "/api//routes", 404},
		{"dots", http.MethodGet, "/api/./routes", 404},
		{"more dots", http.MethodGet, "/api/x/../routes", 404},
		{"a raw key", http.MethodGet, "/api/routes/GET:/payments", 404},
		{"an unknown action", http.MethodPost, "/api/routes/L2E/explode", 404},
		{"a method that is not there", http.MethodPatch, "/api/routes/L2E", 405},
		{"reading an action", http.MethodGet, "/api/routes/L2E/disable", 405},
		{"changing a list", http.MethodPost, "/api/routes", 405},
		{"options", http.MethodOptions, "/api/routes", 405},
		{"upper case", http.MethodGet, "/API/routes", 404},
		{"other formats", http.MethodGet, "/api/openapi.yaml", 200},
		{"outside", http.MethodGet, "/../elsewhere", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.in(t).call(tt.method, tt.path, "")
			require.Equal(t, tt.status, r.status, "%s", r.body)
			if tt.status >= 400 {
				r.problem(tt.status)
			}
		})
	}
	require.Contains(t, a.get("/api/routes/GET:/payments").problem(404).Message, "GET%3A%2Fpayments")
	require.Equal(t, "GET, HEAD", a.post("/api/routes", "").header.Get("Allow"))
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	a := newAdmin(t, setup{})
	r := a.call(http.MethodHead, "/api/routes", "")
	require.Equal(t, 200, r.status)
	require.Empty(t, r.body)
}

func TestBasePaths(t *testing.T) {
	root := newAdmin(t, setup{basePath: "-"})
	root.get("/api/routes").is2xx()
	require.Equal(t, 200, root.get("/").status)
	require.Contains(t, string(root.get("/api/openapi.json").body), `"url":"/"`)
	deep := newAdmin(t, setup{basePath: "/a/b"})
	deep.get("/api/routes").is2xx()
	require.Equal(t, http.StatusFound, deep.get("").status)
	require.Equal(t, "/a/b/", deep.get("").header.Get("Location"))
	require.Contains(t, string(deep.get("/").body), "api/docs")
}

func (r *reply) is2xx() {
	r.t.Helper()
	require.Equal(r.t, http.StatusOK, r.status, "%s", r.body)
	require.True(r.t, json.Valid(r.body))
}

func TestACompressedBodyIsRefusedAsThat(t *testing.T) {
	a := newAdmin(t, setup{})
	p := a.call(http.MethodPost, on("/a", "disable"), "\x1f\x8b\x08\x00rest", "Content-Encoding", "gzip").problem(http.StatusUnsupportedMediaType)
	require.Contains(t, p.Message, "send it as it is")
	a.call(http.MethodPost, on("/a", "disable"), `{"reason":"x"}`, "Content-Encoding", "utf-8").is(http.StatusOK)
}

func TestABodyIsBounded(t *testing.T) {
	a := newAdmin(t, setup{})
	a.post(on("GET:/a", "disable"), `{"reason":"`+strings.Repeat("x", 1<<20)+`"}`).problem(http.StatusRequestEntityTooLarge)
	a.post(on("GET:/a", "disable"), `{"reason":"`+strings.Repeat("x", 1001)+`"}`).problem(http.StatusBadRequest)
	a.post(on("GET:/a", "disable"), strings.Repeat(`{"a":`, 20000)).problem(http.StatusBadRequest)
	a.get(on("GET:/"+strings.Repeat("x", 3000), "")).problem(http.StatusBadRequest)
}

func TestALargeBodyIsNotReadForWhoMayNotSendIt(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	var made wire.NewToken
	a.post("/api/tokens", `{"role":"instance"}`).into(&made)
	u, err := url.Parse(a.base)
	require.NoError(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /waygate/api/import HTTP/1.1\r\nHost: localhost\r\nX-Waygate-Token: %s\r\nContent-Length: 30000000\r\n\r\n{", made.Text)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(waitLong)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestALoginIsSmall(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	a.post("/api/auth/login", `{"username":"alice","password":"`+strings.Repeat("x", 64<<10)+`"}`).problem(http.StatusRequestEntityTooLarge)
	form := url.Values{"username": {strings.Repeat("x", 64<<10)}, "password": {"x"}}.Encode()
	require.Equal(t, http.StatusRequestEntityTooLarge, a.call(http.MethodPost, "/login", form, "Content-Type", "application/x-www-form-urlencoded").status)
}

func TestAClientThatHangsHangsNobodyElse(t *testing.T) {
	a := newAdmin(t, setup{})
	u, err := url.Parse(a.base)
	require.NoError(t, err)
	var dialer net.Dialer
	for range 300 { // more than calls are worked on at once
		conn, err := dialer.DialContext(t.Context(), "tcp", u.Host)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST /waygate%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", on("GET:/a", "disable"))
		require.NoError(t, err)
	}
	began := time.Now()
	a.do("GET:/b", "disable", "")
	require.Less(t, time.Since(began), waitLong)
	require.Equal(t, "active", a.route("GET:/a").Status)
}

func TestHalfABodyChangesNothing(t *testing.T) {
	a := newAdmin(t, setup{})
	u, err := url.Parse(a.base)
	require.NoError(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /waygate%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{}", on("GET:/a", "disable"))
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Empty(t, a.audit(""))
}

func TestWhatIsNotServedSaysSo(t *testing.T) {
	a := newAdmin(t, setup{})
	require.JSONEq(t, "[]", string(a.get("/api/rate-limits").body))
	for _, call := range [][2]string{
		{"POST", "/api/rate-limits"},
		{"DELETE", "/api/rate-limits/L2E"},
		{"DELETE", "/api/rate-limits/L2E/reset"},
		{"GET", "/api/rate-limits/hits"},
		{"GET", "/api/global-rate-limit"},
		{"POST", "/api/global-rate-limit"},
		{"POST", "/api/global-rate-limit/enable"},
		{"GET", "/api/services/orders/rate-limit"},
		{"POST", "/api/services/orders/rate-limit/disable"},
		{"GET", "/api/flags"},
		{"POST", "/api/flags"},
		{"GET", "/api/flags/x"},
		{"POST", "/api/flags/x/enable"},
		{"GET", "/api/segments"},
		{"DELETE", "/api/segments/x"},
	} {
		a.call(call[0], call[1], "").problem(http.StatusNotImplemented)
	}
	began := time.Now()
	a.get("/api/sdk/events").problem(http.StatusNotFound)
	require.GreaterOrEqual(t, time.Since(began), time.Second, "the older SDK asks again at once")
	a.post("/api/sdk/register", "{}").problem(http.StatusNotFound)
}

func TestARefusedEventStreamIsAnsweredSlowly(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	began := time.Now()
	a.get("/api/sdk/events").problem(http.StatusUnauthorized)
	require.GreaterOrEqual(t, time.Since(began), time.Second)
}
