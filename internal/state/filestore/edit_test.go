package filestore_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/filestore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// rewrite lets a person edit the document: text is replaced, which must be there.
func rewrite(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text := read(t, path)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestADocumentEditedByHandIsCommitted(t *testing.T) {
	path, before := stopped(t)
	rewrite(t, path,
		`"routes": {`, `"routes": {
			"orders:POST:/pay/{number}/": {"standing": {"effect": "disabled", "reason": "by hand"}},`,
		`"windows": {}`, `"windows": {"w-9": {"target": "__waygate:svc_global:orders__", "start": "2030-01-02T00:00:00Z",
			"end": "2030-01-03T00:00:00Z", "effect": "maintenance"}}`,
		`"services": {}`, `"services": {"orders": {"include_protected": true}}`)
	text := read(t, path)
	// A route is taken out as well.
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	delete(doc["routes"].(map[string]any), "GET:/0")
	edited, err := json.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, edited, 0o600))

	s := reopen(t, path)
	require.Equal(t, filestore.Opened{Imported: 4}, s.Opened())
	now := load(t, s)
	require.Equal(t, before.Rev+1, now.Rev)
	require.Equal(t, before.Epoch, now.Epoch)
	require.Equal(t, "by hand", statetest.Reason(t, now, "orders:POST:/pay/{id}"))
	route, _ := now.Route(statetest.Key(t, "orders:POST:/pay/{id}"))
	require.Equal(t, "orders:POST:/pay/{number}", route.Shown)
	_, there := now.Route(statetest.Key(t, "GET:/0"))
	require.False(t, there)
	window, there := now.Window("w-9")
	require.True(t, there)
	require.Equal(t, state.Target{Service: "orders"}, window.Target)
	require.True(t, window.Start.Equal(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)))
	require.True(t, now.Service("orders").IncludeProtected)

	frames, err := s.Frames(t.Context(), now.Epoch, before.Rev, 10)
	require.NoError(t, err)
	require.Len(t, frames, 1)
	e, err := frames[0].Entry()
	require.NoError(t, err)
	require.Equal(t, state.KindChange, e.Kind)
	require.Equal(t, "file", e.Actor)
	require.Len(t, e.Records, 4)
	for _, r := range e.Records {
		require.Equal(t, state.ActionImport, r.Action)
		require.NotEmpty(t, r.Path)
	}
	require.NoError(t, s.Close())
	s = reopen(t, path)
	require.Zero(t, s.Opened())
	statetest.Same(t, now, load(t, s))
}

func TestADocumentLaidOutAnewIsTheSame(t *testing.T) {
	path, before := stopped(t)
	var doc any
	require.NoError(t, json.Unmarshal([]byte(read(t, path)), &doc))
	text, err := json.MarshalIndent(doc, "", "\t\t")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	s := reopen(t, path)
	require.Zero(t, s.Opened().Imported)
	statetest.Same(t, before, load(t, s))
}

func TestAnEditThatMakesNoSenseIsRefused(t *testing.T) {
	good, before := stopped(t)
	const open = `"routes": {`
	for _, c := range []struct {
		name     string
		from, to string
		says     string
	}{
		{"a key that is none", open, open + `"GET:pay": {},`, "GET:pay"},
		{"a key twice", open, open + `"GET:/u/{a}": {}, "GET:/u/{b}": {},`, "twice"},
		{"a member that is none", open, open + `"GET:/x": {"standin": null},`, "standin"},
		{"an effect that is none", open, open + `"GET:/x": {"standing": {"effect": "closed"}},`, "closed"},
		{"a service that is none", `"services": {}`, `"services": {"GET": {}}`, "GET"},
		{"a window without a target", `"windows": {}`, `"windows": {"w": {"effect": "disabled"}}`, "target"},
		{"a window that ends before it starts", `"windows": {}`, `"windows": {"w": {"target": "/a", "effect": "disabled",
			"start": "2030-01-02T00:00:00Z", "end": "2030-01-01T00:00:00Z"}}`, "after the start"},
		{"a time that is none", `"windows": {}`, `"windows": {"w": {"target": "/a", "start": "tomorrow"}}`, "tomorrow"},
		{"a section that is none", open, `"route": {}, ` + open, `"route"`},
		{"another epoch", `"epoch": "`, `"epoch": "A`, "names the epoch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := copied(t, good)
			rewrite(t, path, c.from, c.to)
			_, err := filestore.Open(path, filestore.Options{})
			require.ErrorIs(t, err, state.ErrDamaged)
			require.ErrorContains(t, err, c.says)
			// Nothing happened: without the document the log gives back what was there.
			require.NoError(t, os.Remove(path))
			statetest.Same(t, before, load(t, reopen(t, path)))
		})
	}
}

// After a crash the document can be behind the log; what was edited in it is still only what differs from what it was.
func TestAnEditOfADocumentThatIsBehind(t *testing.T) {
	path, _ := stopped(t)
	behind := read(t, path)
	s := reopen(t, path)
	statetest.Commit(t, s, statetest.Block(t, "GET:/later", "x"))
	statetest.Commit(t, s, statetest.Forget(t, "GET:/1"))
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, []byte(behind), 0o600))
	rewrite(t, path, `"routes": {`, `"routes": {"GET:/byhand": {"standing": {"effect": "disabled"}},`)
	s = reopen(t, path)
	require.Equal(t, filestore.Opened{Imported: 1}, s.Opened())
	doc := load(t, s)
	for key, there := range map[string]bool{"GET:/0": true, "GET:/1": false, "GET:/later": true, "GET:/byhand": true} {
		_, ok := doc.Route(statetest.Key(t, key))
		require.Equal(t, there, ok, key)
	}
	require.NoError(t, s.Close())
	statetest.Same(t, doc, load(t, reopen(t, path)))
}

// A document of a store that has no commits yet can be edited, too.
func TestAnEditOfASeed(t *testing.T) {
	path := newPath(t)
	s := reopen(t, path)
	statetest.Seeded(t, s)
	require.NoError(t, s.Close())
	rewrite(t, path, `"routes": {`, `"routes": {"/v1/**": {"standing": {"effect": "disabled"}}`)
	s = reopen(t, path)
	require.Equal(t, filestore.Opened{Imported: 1}, s.Opened())
	require.Equal(t, uint64(1), load(t, s).Rev)
}
