package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

// planned is a Waygate with windows of every kind.
func planned(t *testing.T) *adminServer {
	t.Helper()
	a := newAdmin(t, setup{})
	now := time.Now().UTC()
	w := a.addWindow(fmt.Sprintf(`{"path":"/v1/**","every":"day","start":%q,"for":"2h","timezone":"Europe/Berlin","effect":"read_only",
		"reason":"vacuum","ticket":"https://tickets.example/7","except":["POST:/v1/login"]}`, now.Add(-time.Hour).Format("2006-01-02T15:04Z07:00"))).Window
	first := a.window(w.ID).Occurrences
	a.do("POST:/v1/pay", "enable", "")                                                                                           // an exception of the one that runs
	a.cancelWindow(w.ID, first[1].Start)                                                                                         // one that is known
	a.cancelWindow(w.ID, first[80].Start)                                                                                        // one that is not
	a.amend(w.ID, fmt.Sprintf(`{"occurrence":%q,"by":"30m"}`, first[3].Start.Format(time.RFC3339)))                              // longer
	a.addWindow(`{"path":"GET:/old","start":"1h","effect":"gone","timezone":"Asia/Tokyo","ticket":"https://tickets.example/8"}`) // without an end
	ended := a.addWindow(fmt.Sprintf(`{"path":"/ended","every":"day","start":%q,"for":"2h"}`, now.Add(-time.Hour).Format("2006-01-02T15:04"))).Window
	a.post("/api/windows/"+ended.ID+"/end", "").is(http.StatusOK)
	a.addWindow(`{"path":"__global__","cron":"0 3 * * 0","for":"1h","reason":"weekly","except":["/health"],"include_force_active":true}`)
	a.addWindow(`{"path":"__global__","start":"2h","for":"1h"}`)
	a.post("/api/global/exempt", `{"add":["/staged"]}`).is(http.StatusOK)
	a.addWindow(`{"path":"__waygate:svc_global:orders__","for":"1h","effect":"disabled"}`)
	a.turn("/api/services/shipping/maintenance/enable", `{"reason":"s","until":"3h","exempt_paths":["/x"]}`)
	a.addWindow(`{"path":"__waygate:svc_global:shipping__","start":"5h","for":"1h"}`)
	return a
}

func TestACopyCarriesWindows(t *testing.T) {
	from := planned(t)
	text := string(from.get("/api/export").body)
	for _, how := range []string{"", "?replace=true"} {
		t.Run("import"+how, func(t *testing.T) {
			to := newAdmin(t, setup{})
			var done wire.Imported
			to.post("/api/import"+how, text).into(&done)
			require.True(t, done.Changed)
			require.Equal(t, essence(t, from), essence(t, to))
			require.Equal(t, calendarOf(from), calendarOf(to))
			for _, target := range []string{"/v1/a", "/v1/login", "/v1/pay", "/old", "/ended", "/health"} {
				path := "/api/explain?method=POST&target=" + target + "&service=orders"
				var want, got wire.Explanation
				from.get(path).into(&want)
				to.get(path).into(&got)
				want.Place, got.Place = wire.Place{}, wire.Place{}
				require.Equal(t, want, got, target)
			}
			to.post("/api/import"+how, text).into(&done)
			require.False(t, done.Changed, "the same again changes nothing: %v", done.Diff)
		})
	}
}

// calendarOf is what a Waygate says of the next months, without the ids of windows.
func calendarOf(a *adminServer) map[string]int {
	a.t.Helper()
	all := map[string]int{}
	for _, e := range a.calendar("?to=200d") {
		if e.State == "active" {
			e.Start = time.Time{} // of one that began at the import
		}
		e.Window = ""
		text, err := json.Marshal(e)
		require.NoError(a.t, err)
		all[string(text)]++
	}
	return all
}

func TestReplacingBringsWindowsBackAsTheyWere(t *testing.T) {
	a := planned(t)
	text := string(a.get("/api/export").body)
	want, ids := calendarOf(a), map[string]bool{}
	for _, w := range a.windows("?path=/v1/**") {
		ids[w.ID] = true
		next := w.Occurrences[2]
		a.amend(w.ID, fmt.Sprintf(`{"occurrence":%q,"by":"1h"}`, next.Start.Format(time.RFC3339)))
		a.cancelWindow(w.ID, w.Occurrences[4].Start)
	}
	require.NotEqual(t, want, calendarOf(a))
	var done wire.Imported
	a.post("/api/import?replace=true", text).into(&done)
	require.True(t, done.Changed)
	require.Equal(t, want, calendarOf(a))
	for _, w := range a.windows("?path=/old") {
		require.Equal(t, "https://tickets.example/8", w.Ticket)
		require.Equal(t, "Asia/Tokyo", w.Timezone)
	}
}

func TestCopiesOfWindowsThatAreRefused(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct{ name, window, says string }{
		{"no rule", `{"recurs":{"rule":"now and then","first":"2026-12-06T02:00","for":"2h"}}`, "is not a rule"},
		{"a bad first", `{"recurs":{"rule":"RRULE:FREQ=DAILY","first":"tomorrow","for":"2h"}}`, "tomorrow"},
		{"no length", `{"recurs":{"rule":"RRULE:FREQ=DAILY","first":"2026-12-06T02:00"}}`, "how long"},
		{"a bad length", `{"recurs":{"rule":"RRULE:FREQ=DAILY","first":"2026-12-06T02:00","for":"long"}}`, "not a duration"},
		{"a bad end", `{"recurs":{"rule":"RRULE:FREQ=DAILY","first":"2026-12-06T02:00","to":"4am"}}`, "4am"},
		{"an end of its own", `{"end":"2098-01-01T00:00:00Z","recurs":{"rule":"RRULE:FREQ=DAILY","first":"2026-12-06T02:00","for":"2h"}}`, "no start or end"},
		{"an until", `{"origin":"until","recurs":{"rule":"RRULE:FREQ=DAILY","first":"2026-12-06T02:00","for":"2h"}}`, "no until"},
		{"no zone", `{"end":"2098-01-01T00:00:00Z","timezone":"Mars"}`, "Mars"},
		{"protected routes", `{"end":"2098-01-01T00:00:00Z","include_force_active":true}`, "of a service or of everything"},
		{"read-only of what reads", `{"end":"2098-01-01T00:00:00Z","effect":"read_only"}`, "would refuse none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := a.in(t).post("/api/import", `{"format":"waygate/1","routes":[{"path":"GET:/a","windows":[`+tt.window+`]}]}`).problem(http.StatusBadRequest)
			require.Contains(t, p.Message, tt.says)
		})
	}
	require.Empty(t, a.windows("?ended=true"))
	var done wire.Imported
	a.post("/api/import", `{"format":"waygate/1","routes":[{"path":"GET:/a","windows":[
		{"recurs":{"rule":"RRULE:FREQ=DAILY;COUNT=2","first":"2020-01-01T02:00","for":"2h"}},{"end":"2020-01-01T00:00:00Z"}]}]}`).into(&done)
	require.Empty(t, a.windows("?ended=true"), "what is over is left out")
}
