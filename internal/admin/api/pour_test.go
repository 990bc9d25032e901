package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/proof"
	"github.com/waygate/waygate/internal/state"
)

func TestAuditFiltersOfWhoAndWhat(t *testing.T) {
	a := newAdmin(t, setup{})
	say := func(actor, platform, key, action, reason string) {
		a.call(http.MethodPost, on(key, action), `{"reason":"`+reason+`"}`, "X-Waygate-Actor", actor, "X-Waygate-Platform", platform).is(200)
	}
	say("ann", "cli", "GET:/v1/a", "disable", "Migration 412")
	say("bob", "sdk", "orders:POST:/v1/b/{id}", "maintenance", "nightly")
	say("ann", "dashboard", "GET:/v1/a", "enable", "")
	say("bob", "cli", "/v2/x", "disable", "over")
	a.post("/api/global/enable", `{"reason":"all"}`).is(200)
	for _, tt := range []struct{ name, query, want string }{
		{"a set", "match=/v1/**", "GET:/v1/a orders:POST:/v1/b/{id} GET:/v1/a"},
		{"a set of a method", "match=GET:/v1/**", "GET:/v1/a GET:/v1/a"},
		{"a set of a service", "match=orders:/**", "orders:POST:/v1/b/{id}"},
		{"one segment", "match=/v2/{any}", "/v2/x"},
		{"an actor", "actor=bob", "/v2/x orders:POST:/v1/b/{id}"},
		{"nobody of that name", "actor=bo", ""},
		{"an action", "action=enable", "GET:/v1/a"},
		{"several actions", "action=enable&action=maintenance_on", "GET:/v1/a orders:POST:/v1/b/{id}"},
		{"a platform", "platform=cli", "/v2/x GET:/v1/a"},
		{"a text in the reason", "text=migration", "GET:/v1/a"},
		{"a text in the path", "text=/B/", "orders:POST:/v1/b/{id}"},
		{"a text in the actor", "text=BOB", "/v2/x orders:POST:/v1/b/{id}"},
		{"everything at once", "text=o&actor=bob&platform=sdk&action=maintenance_on&match=/**", "orders:POST:/v1/b/{id}"},
		{"from before it", "from=2020-01-01&actor=bob", "/v2/x orders:POST:/v1/b/{id}"},
		{"from after it", "from=2099-01-01", ""},
		{"from long ago", "from=1h&action=enable", "GET:/v1/a"},
		{"to long ago", "to=1h", ""},
		{"to before it", "to=2020-01-01", ""},
		{"to after it", "to=2099-01-01&action=enable", "GET:/v1/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paths := []string{}
			for _, e := range a.in(t).audit("?" + tt.query) {
				paths = append(paths, e.Path)
			}
			require.Equal(t, tt.want, strings.Join(paths, " "))
			var exported []string
			for line := range bytes.Lines(a.in(t).get("/api/audit/export?" + tt.query).body) {
				var e wire.AuditEntry
				require.NoError(t, json.Unmarshal(line, &e))
				exported = append([]string{e.Path}, exported...)
			}
			require.Equal(t, tt.want, strings.Join(exported, " "), "an export is the same, oldest first")
		})
	}
	for _, query := range []string{"match=x", "from=x", "to=x", "from=2026-01-02&to=2026-01-01", "cursor=x"} {
		a.get("/api/audit?" + query).problem(http.StatusBadRequest)
	}
	for _, query := range []string{"match=x", "from=x", "format=xml", "from=2026-01-02&to=2026-01-01"} {
		a.get("/api/audit/export?" + query).problem(http.StatusBadRequest)
	}
}

func TestTheAuditTellsWhatWasSet(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", `{"reason":"first"}`)
	a.do("GET:/a", "disable", `{"reason":"second"}`)
	require.Nil(t, a.audit("")[0].Changes, "only when asked")
	list := a.audit("?changes=1")
	require.Len(t, list[0].Changes, 1)
	c := list[0].Changes[0]
	require.Equal(t, "r:GET:/a", c.Field)
	require.Contains(t, fmt.Sprint(c.Before), "first")
	require.Contains(t, fmt.Sprint(c.After), "second")
	require.Nil(t, list[1].Changes[0].Before)

	a.post("/api/changes", `{"changes":[{"action":"enable","path":"GET:/a"},{"action":"disable","path":"GET:/b"}]}`).is(200)
	list = a.audit("?changes=1&limit=2")
	require.Equal(t, "GET:/b", list[0].Path)
	require.Equal(t, "r:GET:/b", list[0].Changes[0].Field)
	require.Equal(t, "r:GET:/a", list[1].Changes[0].Field)
	require.Len(t, list[0].Changes, 1)
	require.Len(t, list[1].Changes, 1)
}

func TestTheAuditIsReadByCursor(t *testing.T) {
	a := newAdmin(t, setup{})
	for i := range 7 {
		a.do(fmt.Sprintf("GET:/r%d", i), "disable", "")
	}
	var all []string
	for cursor := ""; ; {
		r := a.get("/api/audit?limit=3&cursor=" + cursor)
		var list []wire.AuditEntry
		r.into(&list)
		for _, e := range list {
			all = append(all, e.Path)
		}
		if cursor = r.header.Get(wire.NextHeader); cursor == "" {
			break
		}
	}
	require.Len(t, all, 7)
	require.Equal(t, "GET:/r0", all[6])
}

func TestACSVIsNoFormula(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", `{"reason":"=HYPERLINK(\"http://x\")"}`)
	a.do("GET:/b", "disable", `{"reason":"two\nlines, and \"quotes\""}`)
	for _, reason := range []string{"+1", "-1", "@x"} {
		a.do("GET:/"+reason, "disable", `{"reason":"`+reason+`"}`)
	}
	r := a.get("/api/audit/export?format=csv&changes=1")
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, "text/csv; charset=utf-8", r.header.Get("Content-Type"))
	rows, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 6)
	require.Equal(t, []string{"id", "timestamp", "revision"}, rows[0][:3])
	require.Equal(t, "'=HYPERLINK(\"http://x\")", rows[1][9])
	require.Equal(t, "two\nlines, and \"quotes\"", rows[2][9])
	require.Equal(t, []string{"'+1", "'-1", "'@x"}, []string{rows[3][9], rows[4][9], rows[5][9]})
	require.Equal(t, "changes", rows[0][17])
	require.Contains(t, rows[1][17], `"field":"r:GET:/a"`)
}

// frames reads the log over HTTP and checks its chain.
func (a *adminServer) frames(query url.Values) []state.Frame {
	a.t.Helper()
	r := a.get("/api/audit/frames?" + query.Encode())
	require.Equal(a.t, http.StatusOK, r.status, "%s", r.body)
	var all []state.Frame
	var c proof.Chain
	require.NoError(a.t, proof.EachLine(bufio.NewReader(bytes.NewReader(r.body)), func(line []byte) error {
		f, err := proof.ParseFrame(bytes.Clone(line))
		all = append(all, f)
		if err == nil {
			err = c.Add(&f)
		}
		return err
	}))
	return all
}

func TestTheLogIsExportedAndTrimmed(t *testing.T) {
	a := newAdmin(t, setup{})
	for i := range 2100 {
		pulse, err := a.store.Pulse(t.Context())
		require.NoError(t, err)
		_, err = a.store.Commit(t.Context(), pulse.Meta, state.Change{Entry: state.Entry{
			Kind: state.KindChange, At: pulse.Now, Actor: "x", Records: []state.Record{{Action: state.ActionEnable, Path: fmt.Sprintf("GET:/%d", i), Reason: "<&>"}},
		}})
		require.NoError(t, err)
	}
	all := a.frames(nil)
	require.Len(t, all, 2100)
	require.Len(t, a.frames(url.Values{"after": {"10"}, "limit": {"5"}}), 5)
	require.Empty(t, a.frames(url.Values{"after": {"2100"}, "epoch": {all[0].Epoch}}))
	a.get("/api/audit/frames?epoch=other").problem(http.StatusGone)
	a.get("/api/audit/frames?after=x").problem(http.StatusBadRequest)

	trim := func(body string) *reply { return a.post("/api/audit/trim", body) }
	require.EqualValues(t, 999, trim(`{"before":"1000","dry_run":true}`).is(200)["entries"])
	require.EqualValues(t, 0, trim(`{"before":"90d","dry_run":true}`).is(200)["entries"], "a duration is so long ago")
	trim(`{"before":"x"}`).problem(http.StatusBadRequest)
	trim(`{"before":"1000"}`).problem(http.StatusBadRequest)
	trim(`{"before":"1000","head":"` + all[7].Head.String() + `"}`).problem(http.StatusBadRequest)
	require.EqualValues(t, 2100, a.frames(nil)[2099].Rev, "nothing went")
	done := trim(`{"before":"1000","head":"` + all[998].Head.String() + `","reason":"space"}`).is(200)
	require.EqualValues(t, 1000, done["before"])
	left := a.frames(nil)
	require.EqualValues(t, 1000, left[0].Rev)
	require.Equal(t, all[998].Head, left[0].Prev, "an archive and what is left join")
	line := a.audit("?action=audit_trim")
	require.Len(t, line, 1)
	require.Equal(t, "space", line[0].Reason)
	require.Contains(t, line[0].Note, all[998].Head.String())
	a.get("/api/audit/frames?after=5").problem(http.StatusGone)
	require.EqualValues(t, 0, trim(`{"before":"2020-01-01","without_archive":true}`).is(200)["entries"])
	require.EqualValues(t, 0, trim(`{"before":"90d","without_archive":true}`).is(200)["entries"], "a duration is so long ago: nothing is as old")
	trim(`{"before":"99999999","without_archive":true}`).is(200)
	require.NotEmpty(t, a.frames(nil), "never the newest")
}

func TestNothingIsTrimmedThatAWebhookHasYetToRead(t *testing.T) {
	a := newAdmin(t, setup{})
	id := a.post("/api/webhooks", `{"url":"https://hooks.example.com/in","name":"ops","routes":["/never"]}`).is(200)["id"].(string)
	a.do("GET:/a", "disable", "")
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { a.sender.Run(ctx) })
	read := func() uint64 {
		_, rev, _, err := a.sender.ReadTo(t.Context(), id)
		require.NoError(t, err)
		return rev
	}
	at := a.frames(nil)
	require.Eventually(t, func() bool { return read() == at[len(at)-1].Rev }, waitLong, tick)
	stop()
	sending.Wait()
	for _, action := range []string{"enable", "disable", "enable"} {
		a.do("GET:/a", action, "")
	}

	const all = `{"before":"999","without_archive":true}`
	p := a.post("/api/audit/trim", all).problem(http.StatusBadRequest)
	require.Contains(t, p.Message, fmt.Sprintf(`the webhook "ops" has read the log up to revision %d only`, read()))
	require.Equal(t, at, a.frames(nil)[:len(at)], "nothing went")
	a.post("/api/audit/trim", fmt.Sprintf(`{"before":"%d","without_archive":true}`, read()+1)).is(200)
	require.Equal(t, read()+1, a.frames(nil)[0].Rev)
	a.post("/api/webhooks/"+id+"/disable", "").is(200)
	a.post("/api/audit/trim", all).is(200)
}

func TestOnlyAnAdminTrims(t *testing.T) {
	a := newAdmin(t, setup{usersFile: usersFile(t, "olga", "sesame-1", "operator")})
	session, err := a.people.Login(t.Context(), "olga", "sesame-1", state.PlatformCLI, "192.0.2.9:1")
	require.NoError(t, err)
	a.token = session.Token
	a.post("/api/audit/trim", `{"before":"5","dry_run":true}`).problem(http.StatusForbidden)
	require.Empty(t, a.frames(nil))
	a.token = ""
	a.get("/api/audit/frames").problem(http.StatusUnauthorized)
	a.get("/api/audit/export").problem(http.StatusUnauthorized)
}

func TestARouteIsRestored(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", `{"reason":"first"}`)
	added := a.do("GET:/a", "schedule", `{"start":"`+ahead(1e12)+`","end":"`+ahead(5e12)+`","reason":"window"}`)
	then := a.route("GET:/a")
	a.do("GET:/other", "disable", "")
	a.delete(on("GET:/a", "schedule")).is(200)
	a.do("GET:/a", "enable", "")
	to := strconv.FormatUint(added.Revision, 10)

	var history []wire.RouteChange
	r := a.get(on("GET:/a", "history") + "?limit=2")
	r.into(&history)
	require.Len(t, history, 2)
	require.Equal(t, []string{"enable", "schedule_cancel"}, []string{history[0].Action, history[1].Action})
	a.get(on("GET:/a", "history") + "?cursor=" + r.header.Get(wire.NextHeader)).into(&history)
	require.Len(t, history, 2)
	require.Equal(t, "window", history[0].Reason)

	var preview, done wire.Restored
	a.post(on("GET:/a", "restore"), `{"revision":`+to+`,"dry_run":true}`).into(&preview)
	require.Len(t, preview.Changes, 2, "the route, and the window that was cancelled")
	require.Equal(t, "active", a.route("GET:/a").Status)
	a.post(on("GET:/a", "restore"), `{"revision":`+to+`,"reason":"as before"}`).into(&done)
	require.True(t, done.Changed)
	is := a.route("GET:/a")
	require.Equal(t, then.Status, is.Status)
	require.Equal(t, then.Reason, is.Reason)
	require.Len(t, is.Windows, 1)
	require.Equal(t, then.Windows[0].ID, is.Windows[0].ID)
	line := a.audit("?limit=1")[0]
	require.Equal(t, "restore", line.Action)
	require.Equal(t, "as before", line.Reason)
	require.Equal(t, "disabled", *line.NewStatus)
	a.post(on("GET:/a", "restore"), `{"revision":`+to+`}`).into(&done)
	require.False(t, done.Changed, "said twice")

	a.post(on("GET:/a", "restore"), `{"revision":9999}`).problem(http.StatusBadRequest)
	a.post(on("GET:/a", "restore"), `{}`).problem(http.StatusBadRequest)
	a.do("GET:/a", "enable", "")
	a.delete(on("GET:/a", "schedule")).is(200)
	a.do("GET:/a", "protect", "")
	p := a.post(on("GET:/a", "restore"), `{"revision":`+to+`}`).problem(http.StatusConflict)
	require.Empty(t, p.AmbiguousMatches)
}
