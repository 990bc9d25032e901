package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestALoginStaysWithItsServer sees that a file that came with a directory cannot have a stored token sent elsewhere.
func TestALoginStaysWithItsServer(t *testing.T) {
	sent := map[string][]string{}
	server := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/waygate/api/auth/login" {
				_, _ = w.Write([]byte(`{"token":"wg_secret","username":"ada","expires_at":"2037-01-01T00:00:00Z"}`))
				return
			}
			sent[name] = append(sent[name], r.Header.Get("X-Waygate-Token")+r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"a token is needed"}`))
		}))
		t.Cleanup(s.Close)
		return s.URL + "/waygate"
	}
	ours, theirs := server("ours"), server("theirs")
	home, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".waygate"), []byte("WAYGATE_SERVER_URL="+theirs+"\n"), 0o600))
	run := func(env map[string]string, words ...string) string {
		var o, e strings.Builder
		tool := &tool{in: strings.NewReader(""), out: &o, err: &e, env: func(name string) string { return env[name] }, home: home, dir: dir}
		root := newRoot(tool)
		root.SetArgs(words)
		tool.exit(root.ExecuteContext(t.Context()))
		return o.String() + e.String()
	}
	require.Contains(t, run(map[string]string{"WAYGATE_SERVER_URL": ours}, "login", "ada", "-p", "x"), "logged in as ada")

	require.Contains(t, run(nil, "status"), "a token is needed (the login of ada is one at "+ours+", and not at "+theirs)
	require.NotEmpty(t, sent["theirs"])
	for _, token := range sent["theirs"] {
		require.Empty(t, token)
	}
	require.Contains(t, run(nil, "config", "show"), "is one at "+ours)

	run(map[string]string{"WAYGATE_SERVER_URL": ours}, "status")
	require.Contains(t, strings.Join(sent["ours"], " "), "wg_secret")
	sent["ours"] = nil
	require.Contains(t, run(nil, "logout"), "logged out")
	require.Contains(t, strings.Join(sent["ours"], " "), "wg_secret", "it is revoked where it is good")
	require.NotContains(t, strings.Join(sent["theirs"], " "), "wg_secret")
}
