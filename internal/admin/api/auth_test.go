package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

func TestEveryAddressNeedsAToken(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	for _, path := range []string{
		"/api/routes", "/api/routes/" + wire.Segment("GET:/a"), "/api/global", "/api/services", "/api/audit", "/api/instances",
		"/api/auth/me", "/api/tokens", "/api/export", "/api/doctor", "/api/stream", "/api/rate-limits", "/api/flags", "/api/nothing",
		"/static/app.css", "/static/", "/api/static/routes", "/api/routes/static/", "/x/login", "/api/routes/login", "/api/routes/x/login",
		"/login/", "/login/x", "//login", "/api/../login", "/static/../api/routes", "/api/docs/", "/api/docs/x", "/api/openapi.json/x",
		"/api/openapi.yaml", "/favicon.ico", "/api", "/api/",
	} {
		t.Run(path, func(t *testing.T) {
			a := a.in(t)
			r := a.get(path)
			r.problem(http.StatusUnauthorized)
			require.Contains(t, r.header.Get("WWW-Authenticate"), "Bearer")
			a.post(path, "").problem(http.StatusUnauthorized)
		})
	}
	for _, key := range []string{"GET:/static/x", "GET:/login", "/api/auth/login"} {
		t.Run("a key like "+key, func(t *testing.T) {
			a.in(t).post(on(key, "disable"), "").problem(http.StatusUnauthorized)
		})
	}
}

func TestATokenIsTakenInEachForm(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	token := a.token
	a.token = ""
	good := [][]string{
		{"X-Waygate-Token", token},
		{"Authorization", "Bearer " + token},
		{"Authorization", "bearer  " + token},
		{"Cookie", "waygate_session=" + token},
		{"X-Waygate-Token", "", "Authorization", "Bearer " + token},
	}
	for _, headers := range good {
		var me wire.Me
		a.call(http.MethodGet, "/api/auth/me", "", headers...).into(&me)
		require.Equal(t, "alice", me.Username)
		require.Equal(t, "cli", me.Platform)
		require.Equal(t, "admin", me.Role)
		require.Contains(t, me.Scopes, "change")
	}
	bad := [][]string{
		{"X-Waygate-Token", "x"},
		{"X-Waygate-Token", "x", "Authorization", "Bearer " + token},
		{"Authorization", token},
		{"Authorization", "Basic " + token},
		{"Cookie", "session=" + token},
		{"Authorization", "Bearer"},
	}
	for _, headers := range bad {
		a.call(http.MethodGet, "/api/auth/me", "", headers...).problem(http.StatusUnauthorized)
	}
}

func TestLogin(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	var in wire.Login
	a.post("/api/auth/login", `{"username":"alice","password":"sesame","platform":"sdk"}`).into(&in)
	require.Equal(t, "alice", in.Username)
	require.WithinDuration(t, time.Now().Add(365*24*time.Hour), in.ExpiresAt, 10*time.Second)
	var me wire.Me
	a.call(http.MethodGet, "/api/auth/me", "", "X-Waygate-Token", in.Token).into(&me)
	require.Equal(t, "sdk", me.Platform)

	for _, body := range []string{"", "{}", "[]", "{", `{"username":"alice"}`, `{"username":5,"password":"x"}`, `{"username":"alice","password":"x","more":1}`} {
		a.post("/api/auth/login", body).problem(http.StatusBadRequest)
	}
	a.post("/api/auth/login", `{"username":"alice","password":"wrong"}`).problem(http.StatusUnauthorized)
	a.post("/api/auth/login", `{"username":"nobody","password":"wrong"}`).problem(http.StatusUnauthorized)
}

func TestTooManyTriesAre429(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame", usersFile: usersFile(t, "bob", "hello", "operator")})
	var last *reply
	for range 8 {
		last = a.post("/api/auth/login", `{"username":"alice","password":"wrong"}`)
	}
	last.problem(http.StatusTooManyRequests)
	require.Regexp(t, `^[1-9]\d*$`, last.header.Get("Retry-After"))
	a.post("/api/auth/login", `{"username":"bob","password":"hello"}`).is(http.StatusOK)
	a.get("/api/auth/me").is(http.StatusOK)
}

func TestLogoutRevokesAtEveryAdmin(t *testing.T) {
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	one := newAdmin(t, setup{store: store, password: "sesame"})
	two := newAdmin(t, setup{store: store, password: "sesame"})
	two.token = one.token
	two.get("/api/auth/me").is(http.StatusOK)
	require.Equal(t, true, one.post("/api/auth/logout", "").is(http.StatusOK)["ok"])
	one.get("/api/auth/me").problem(http.StatusUnauthorized)
	require.Eventually(t, func() bool { return two.get("/api/auth/me").status == http.StatusUnauthorized }, waitLong, 5*time.Millisecond)
	three := newAdmin(t, setup{store: store, password: "sesame"})
	three.token = one.token
	three.get("/api/auth/me").problem(http.StatusUnauthorized)
}

func TestMachineTokensOverTheAPI(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	var made wire.NewToken
	a.post("/api/tokens", `{"name":"deploy-bot","role":"operator","ttl":"90d"}`).into(&made)
	require.NotEmpty(t, made.Text)
	require.NotZero(t, made.Revision)
	var list []wire.Token
	r := a.get("/api/tokens")
	r.into(&list)
	require.Equal(t, made.Token, list[0])
	require.NotContains(t, string(r.body), made.Text)

	bot := *a
	bot.token = made.Text
	bot.do("GET:/a", "disable", "")
	entry := a.audit("")[0]
	require.Equal(t, "deploy-bot", entry.Actor)
	require.Equal(t, "api", entry.Platform)
	bot.get("/api/tokens").problem(http.StatusForbidden)

	a.delete("/api/tokens/" + made.ID).is(http.StatusOK)
	bot.get("/api/routes").problem(http.StatusUnauthorized)
	a.delete("/api/tokens/" + made.ID).is(http.StatusOK)
	a.delete("/api/tokens/nobody").problem(http.StatusNotFound)
	a.post("/api/tokens", `{"role":"root"}`).problem(http.StatusBadRequest)
	a.post("/api/tokens", `{"role":"viewer","ttl":"forever"}`).problem(http.StatusBadRequest)
}

// Whoever lost the answer asks again and needs an answer that says where the change stands, as every other one does.
func TestATokenThatIsAskedForAgainSaysWhereItStands(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	var first, again wire.NewToken
	a.call(http.MethodPost, "/api/tokens", `{"role":"viewer"}`, "Idempotency-Key", "k1").into(&first)
	a.call(http.MethodPost, "/api/tokens", `{"role":"viewer"}`, "Idempotency-Key", "k1").into(&again)
	require.Equal(t, first.Text, again.Text)
	require.Equal(t, first.Epoch, again.Epoch)
}

func TestRolesOverTheAPI(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	as := map[string]*adminServer{}
	for _, role := range []string{"viewer", "operator", "admin", "instance"} {
		var made wire.NewToken
		a.post("/api/tokens", fmt.Sprintf(`{"role":%q}`, role)).into(&made)
		other := *a
		other.token = made.Text
		as[role] = &other
	}
	tests := []struct {
		name, method, path, body          string
		viewer, operator, admin, instance int
	}{
		{"reading", http.MethodGet, "/api/routes", "", 200, 200, 200, 403},
		{"the audit", http.MethodGet, "/api/audit", "", 200, 200, 200, 403},
		{"changing", http.MethodPost, on("GET:/a", "disable"), "", 403, 200, 200, 403},
		{"several changes", http.MethodPost, "/api/changes", `{"changes":[{"action":"enable","path":"GET:/a"}]}`, 403, 200, 200, 403},
		{"a switch", http.MethodPost, "/api/global/disable", "", 403, 200, 200, 403},
		{"reporting", http.MethodPut, "/api/instances/x", "{}", 403, 200, 200, 200},
		{"forgetting an instance", http.MethodDelete, "/api/instances/x", "", 403, 200, 404, 403},
		{"importing", http.MethodPost, "/api/import", `{"format":"waygate/1"}`, 403, 200, 200, 403},
		{"replacing", http.MethodPost, "/api/import?replace=true&dry_run=true", `{"format":"waygate/1"}`, 403, 403, 200, 403},
		{"tokens", http.MethodGet, "/api/tokens", "", 403, 403, 200, 403},
		{"oneself", http.MethodGet, "/api/auth/me", "", 200, 200, 200, 200},
		{"rate limits", http.MethodGet, "/api/rate-limits", "", 200, 200, 200, 403},
		{"explaining", http.MethodGet, "/api/explain?target=/a", "", 200, 200, 200, 403},
		{"windows", http.MethodGet, "/api/windows", "", 200, 200, 200, 403},
		{"the calendar", http.MethodGet, "/api/calendar", "", 200, 200, 200, 403},
		{"the calendar feed", http.MethodGet, "/api/calendar.ics", "", 200, 200, 200, 403},
		{"adding a window", http.MethodPost, "/api/windows", `{"path":"GET:/b","for":"1h"}`, 403, 200, 200, 403},
		{"cancelling a window", http.MethodDelete, "/api/windows/x", "", 403, 404, 404, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for role, want := range map[string]int{"viewer": tt.viewer, "instance": tt.instance} {
				require.Equal(t, want, as[role].in(t).call(tt.method, tt.path, tt.body).status, role)
			}
			require.Equal(t, tt.operator, as["operator"].in(t).call(tt.method, tt.path, tt.body).status, "operator")
			require.Equal(t, tt.admin, as["admin"].in(t).call(tt.method, tt.path, tt.body).status, "admin")
		})
	}
}

func TestWithUsersTheTokenAloneSaysWhoItIs(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.call(http.MethodPost, on("GET:/a", "disable"), "", "X-Waygate-Actor", "mallory", "X-Waygate-Platform", "sdk").is(http.StatusOK)
	entry := a.audit("")[0]
	require.Equal(t, "alice", entry.Actor)
	require.Equal(t, "cli", entry.Platform)
}

func TestWithoutUsersTheHeadersSay(t *testing.T) {
	a := newAdmin(t, setup{localOnly: true})
	tests := []struct{ name, actor, platform, wantActor, wantPlatform string }{
		{"nothing", "", "", "anonymous", "api"},
		{"both", "deploy-bot", "cli", "deploy-bot", "cli"},
		{"nobody is the system", "system", "system", "anonymous", "api"},
		{"an unknown platform", "bob", "toaster", "bob", "api"},
		{"too long", strings.Repeat("é", 100), "sdk", strings.Repeat("é", 64), "sdk"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := a.in(t)
			a.call(http.MethodPost, on("GET:/a", "disable"), fmt.Sprintf(`{"reason":"%d"}`, i),
				"X-Waygate-Actor", tt.actor, "X-Waygate-Platform", tt.platform).is(http.StatusOK)
			entry := a.audit("")[0]
			require.Equal(t, tt.wantActor, entry.Actor)
			require.Equal(t, tt.wantPlatform, entry.Platform)
		})
	}
	require.Equal(t, "anonymous", a.get("/api/auth/me").is(http.StatusOK)["username"])
	a.post("/api/auth/login", `{"username":"a","password":"b"}`).problem(http.StatusNotImplemented)
	require.Equal(t, true, a.post("/api/auth/logout", "").is(http.StatusOK)["ok"])
}

func TestWithoutUsersOnlyThisMachineIsAnswered(t *testing.T) {
	a := newAdmin(t, setup{localOnly: true})
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8000": 200, "LOCALHOST:1": 200, "127.0.0.1": 200, "127.3.2.1:80": 200, "[::1]:80": 200,
		"waygate.localhost": 200, "evil.example": 403, "evil.example:8000": 403, "localhost.evil.example": 403,
		"127.0.0.1.evil.example": 403, "10.0.0.1:8000": 403, "0.0.0.0:8000": 403,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+"/api/routes", nil)
		require.NoError(t, err)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, host)
	}
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	for _, s := range []setup{{}, {password: "sesame"}} {
		a := newAdmin(t, s)
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			a.call(http.MethodPost, on("GET:/a", "disable"), "", headers...).problem(http.StatusForbidden)
			a.call(http.MethodPost, "/login", "username=a&password=b", append(headers, "Content-Type", "application/x-www-form-urlencoded")...).problem(http.StatusForbidden)
			a.call(http.MethodGet, "/api/routes", "", headers...)
		}
		require.Equal(t, "active", a.route("GET:/a").Status)
		a.call(http.MethodPost, on("GET:/a", "disable"), "", "Sec-Fetch-Site", "same-origin").is(http.StatusOK)
		require.Empty(t, a.get("/api/routes").header.Get("Access-Control-Allow-Origin"))
	}
}

func TestTheFormLogsABrowserIn(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	form := func(password string) *reply {
		body := url.Values{"username": {"alice"}, "password": {password}}.Encode()
		return a.call(http.MethodPost, "/login", body, "Content-Type", "application/x-www-form-urlencoded")
	}
	r := form("sesame")
	require.Equal(t, http.StatusSeeOther, r.status)
	require.Equal(t, "/waygate/", r.header.Get("Location"))
	cookie, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.Equal(t, "waygate_session", cookie.Name)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, "/waygate/", cookie.Path)
	require.Equal(t, "dashboard", a.call(http.MethodGet, "/api/auth/me", "", "Cookie", "waygate_session="+cookie.Value).is(200)["platform"])

	r = form("wrong")
	require.Equal(t, http.StatusUnauthorized, r.status)
	require.Empty(t, r.header.Get("Set-Cookie"))
	require.Contains(t, string(r.body), people.ErrCredentials.Error())
	require.NotContains(t, string(r.body), "<script")
}
