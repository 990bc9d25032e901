package api_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/api"
)

// update returns whether golden files are to be written anew: go test ./internal/admin/api -update.
func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if update() {
		require.NoError(t, os.WriteFile(path, got, 0o644)) //nolint:gosec // a file of the repository
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s is stale: run go test ./internal/admin/api -update", path)
}

func TestTheDescriptionIsTheOneInDocs(t *testing.T) {
	text, err := api.Description()
	require.NoError(t, err)
	golden(t, "../../../docs/openapi.yaml", text)
}

func TestDescriptionAndDocsPageNeedNoToken(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	a.token = ""
	r := a.get("/api/openapi.json")
	require.Equal(t, 200, r.status)
	require.Contains(t, string(r.body), `"/api/routes/{key}/disable"`)
	require.Contains(t, string(r.body), `"url":"/waygate/"`)

	r = a.get("/api/docs")
	require.Equal(t, 200, r.status)
	page := string(r.body)
	require.Contains(t, page, "/routes/{key}/disable")
	require.NotContains(t, page, "<script")
	for _, outside := range []string{"http://", "https://", "//unpkg", "cdn"} {
		require.NotContains(t, strings.ToLower(page), outside)
	}
	policy := r.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; style-src 'sha256-")
	require.NotContains(t, policy, "unsafe")
}
