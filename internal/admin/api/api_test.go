package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// setup is how a test's admin differs from the plain one: no users, nothing required.
type setup struct {
	store         state.Backend
	password      string
	usersFile     string
	strict        bool
	requireReason bool
	localOnly     bool
	basePath      string
	fixed         []admin.Endpoint
}

// adminServer is one admin, over real HTTP on loopback.
type adminServer struct {
	t         *testing.T
	base      string
	people    *people.People
	store     state.Backend
	sender    *webhook.Dispatcher
	token     string
	endpoints *admin.Endpoints
}

func newAdmin(t *testing.T, s setup) *adminServer {
	t.Helper()
	log := zaptest.NewLogger(t)
	if s.store == nil {
		store := memstore.New()
		require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
		s.store = store
	}
	if s.basePath == "" {
		s.basePath = "/waygate"
	}
	roster, err := people.NewRoster("alice", s.password, s.usersFile, log)
	require.NoError(t, err)
	known := people.New(people.Config{Roster: roster, Store: s.store, Secret: "a secret of this test", Log: log})
	require.NoError(t, known.Refresh(t.Context()))

	var cache state.Cache
	var service *admin.Service
	var endpoints *admin.Endpoints
	follower := state.NewFollower(s.store, &cache, state.FollowerOptions{OnApply: func(snap *state.Snapshot, frames []state.Frame) {
		service.Applied(snap, frames)
		endpoints.Applied(frames)
		known.Changed()
	}})
	service = admin.New(admin.Config{
		Store: s.store, Fleet: s.store, Trimmer: s.store, Cache: &cache, Follower: follower, Strict: s.strict, RequireReason: s.requireReason, Log: log,
	})
	endpoints = admin.NewEndpoints(service, admin.EndpointsConfig{Fixed: func() []admin.Endpoint { return s.fixed }})
	sender := webhook.New(webhook.Config{Log: s.store, Desk: s.store, Endpoints: endpoints, Owner: t.Name(), Logger: log})
	endpoints.Through(sender, sender)
	t.Cleanup(endpoints.Close)
	go follower.Run(t.Context())
	go known.Run(t.Context())
	select {
	case <-follower.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("the follower never got ready")
	}
	handler, err := api.New(api.Config{
		Service: service, People: known, Endpoints: endpoints, BasePath: strings.TrimSuffix(s.basePath, "-"), LocalOnly: s.localOnly, Version: "test", Log: log,
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	a := &adminServer{t: t, base: server.URL + strings.TrimSuffix(s.basePath, "-"), people: known, store: s.store, sender: sender, endpoints: endpoints}
	if s.password != "" {
		session, err := known.Login(t.Context(), "alice", s.password, state.PlatformCLI, "192.0.2.9:1")
		require.NoError(t, err)
		a.token = session.Token
	}
	return a
}

// in is the same admin for a subtest.
func (a *adminServer) in(t *testing.T) *adminServer {
	t.Helper()
	sub := *a
	sub.t = t
	return &sub
}

// reply is an answer, read to its end.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// call sends a request to a path below the base path; header pairs follow the body.
func (a *adminServer) call(method, path, body string, headers ...string) *reply {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	require.NoError(a.t, err)
	if a.token != "" {
		req.Header.Set("X-Waygate-Token", a.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return &reply{t: a.t, status: resp.StatusCode, header: resp.Header, body: text}
}

func (a *adminServer) get(path string) *reply { a.t.Helper(); return a.call(http.MethodGet, path, "") }

func (a *adminServer) post(path, body string) *reply {
	a.t.Helper()
	return a.call(http.MethodPost, path, body)
}

func (a *adminServer) delete(path string) *reply {
	a.t.Helper()
	return a.call(http.MethodDelete, path, "")
}

// on is the address of a call on a route key.
func on(key, action string) string {
	if action != "" {
		action = "/" + action
	}
	return "/api/routes/" + wire.Segment(key) + action
}

// is checks the status and gives the body's members.
func (r *reply) is(status int) map[string]any {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s", r.body)
	require.Equal(r.t, "application/json", r.header.Get("Content-Type"))
	var members map[string]any
	require.NoError(r.t, json.Unmarshal(r.body, &members), "%s", r.body)
	return members
}

// into checks for 200 and decodes the body strictly.
func (r *reply) into(v any) {
	r.t.Helper()
	require.Equal(r.t, http.StatusOK, r.status, "%s", r.body)
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	require.NoError(r.t, d.Decode(v), "%s", r.body)
}

// problem checks that the answer is an error of this status with all its members, and gives it.
func (r *reply) problem(status int) wire.Problem {
	r.t.Helper()
	members := r.is(status)
	for _, name := range []string{"error", "type", "title", "status", "detail"} {
		require.Contains(r.t, members, name)
	}
	var p wire.Problem
	require.NoError(r.t, json.Unmarshal(r.body, &p))
	require.NotEmpty(r.t, p.Message)
	require.Equal(r.t, status, p.Status)
	return p
}

func (a *adminServer) route(key string) wire.Route {
	a.t.Helper()
	var r wire.Route
	a.get(on(key, "")).into(&r)
	return r
}

func (a *adminServer) do(key, action, body string) wire.ChangedRoute {
	a.t.Helper()
	var r wire.ChangedRoute
	a.post(on(key, action), body).into(&r)
	return r
}

func (a *adminServer) audit(query string) []wire.AuditEntry {
	a.t.Helper()
	var list []wire.AuditEntry
	a.get("/api/audit" + query).into(&list)
	return list
}

// ahead is a time from now as clients send it.
func ahead(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

// usersFile is a users file with one user.
func usersFile(t *testing.T, name, password, role string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	require.NoError(t, os.WriteFile(path, []byte(name+":"+people.HashPassword(password)+":"+role+"\n"), 0o600))
	return path
}
