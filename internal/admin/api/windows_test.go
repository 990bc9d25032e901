package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

func (a *adminServer) addWindow(body string) wire.ChangedWindow {
	a.t.Helper()
	var w wire.ChangedWindow
	a.post("/api/windows", body).into(&w)
	return w
}

func (a *adminServer) window(id string) wire.WindowDetail {
	a.t.Helper()
	var w wire.WindowDetail
	a.get("/api/windows/" + id).into(&w)
	return w
}

func (a *adminServer) windows(query string) []wire.WindowDetail {
	a.t.Helper()
	var list []wire.WindowDetail
	a.get("/api/windows" + query).into(&list)
	return list
}

func (a *adminServer) amend(id, body string) wire.ChangedWindow {
	a.t.Helper()
	var w wire.ChangedWindow
	a.call(http.MethodPatch, "/api/windows/"+id, body).into(&w)
	return w
}

func (a *adminServer) cancelWindow(id string, occurrence time.Time) wire.ChangedWindow {
	a.t.Helper()
	path := "/api/windows/" + id
	if !occurrence.IsZero() {
		path += "?occurrence=" + occurrence.Format(time.RFC3339Nano)
	}
	var w wire.ChangedWindow
	a.delete(path).into(&w)
	return w
}

func TestAnswersAboutWindowsAreWhatTheyWere(t *testing.T) {
	a := newAdmin(t, setup{})
	id := ""
	calls := []struct {
		name, method, path, body string
		status                   int
	}{
		{"window-add", http.MethodPost, "/api/windows", `{"path":"GET:/pay","start":"2098-12-07T02:00","for":"2h","timezone":"Europe/Berlin","reason":"night","ticket":"https://tickets.example/7","except":["GET:/pay/status"]}`, 200},
		{"window-add-recurring", http.MethodPost, "/api/windows", `{"path":"orders:/v1/**","rrule":"FREQ=WEEKLY;BYDAY=SU;COUNT=5","start":"2098-12-01","at":"02:00","to":"04:00","timezone":"Europe/Berlin","effect":"read_only","reason":"vacuum"}`, 200},
		{"window-change", http.MethodPatch, "/api/windows/{id}", `{"occurrence":"2098-12-07T02:00","by":"30m","ticket":"https://tickets.example/8"}`, 200},
		{"window-cancel-occurrence", http.MethodDelete, "/api/windows/{id}?occurrence=2098-12-21T01:00:00Z", ``, 200},
		{"window", http.MethodGet, "/api/windows/{id}", ``, 200},
		{"windows", http.MethodGet, "/api/windows", ``, 200},
		{"calendar", http.MethodGet, "/api/calendar?from=2098-12-01&to=2099-01-01", ``, 200},
		{"routes-with-windows", http.MethodGet, "/api/routes?service=orders", ``, 200},
		{"window-add-everything", http.MethodPost, "/api/windows", `{"path":"__global__","start":"2098-12-07T02:00Z","end":"2098-12-07T03:00Z","include_force_active":true}`, 200},
		{"window-cancel", http.MethodDelete, "/api/windows/{id}", ``, 200},
		{"window-ambiguous", http.MethodPost, "/api/windows", `{"path":"/pay","every":"sunday","for":"2h"}`, 400},
		{"window-unknown", http.MethodGet, "/api/windows/nothing", ``, 404},
	}
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			r := a.in(t).call(c.method, strings.Replace(c.path, "{id}", id, 1), c.body)
			require.Equal(t, c.status, r.status, "%s", r.body)
			if c.name == "window-add-recurring" {
				var made wire.ChangedWindow
				r.into(&made)
				id = made.Window.ID
			}
			golden(t, "testdata/"+c.name+".json", steady(t, regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAll(r.body, []byte("ID"))))
		})
	}
}

func TestEverySundayInBerlin(t *testing.T) {
	a := newAdmin(t, setup{})
	made := a.addWindow(`{"path":"GET:/pay","every":"sunday","at":"02:00","for":"2h","timezone":"Europe/Berlin","reason":"vacuum"}`)
	require.True(t, made.Changed)
	require.NotNil(t, made.Route)
	require.Equal(t, "GET:/pay", made.Route.Path)
	require.InDelta(t, 5, len(made.Window.Occurrences), 1, "those that are known: the clocks may change meanwhile")
	w := a.window(made.Window.ID)
	require.Equal(t, "every Sunday at 02:00 for 2h, Europe/Berlin", w.Recurrence.Description)
	require.Len(t, w.Occurrences, 100, "also those that are not stored yet")
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	last := time.Now()
	for i, o := range w.Occurrences {
		at := o.Start.In(berlin)
		require.Equal(t, time.Sunday, at.Weekday())
		require.True(t, o.Start.After(last))
		if i > 0 {
			require.Equal(t, last.In(berlin).AddDate(0, 0, 7).Format(time.DateOnly), at.Format(time.DateOnly))
		}
		if at.Format(time.TimeOnly) != "02:00:00" {
			require.Equal(t, "03:00:00", at.Format(time.TimeOnly), "the first instant after a gap")
			require.Equal(t, time.March, at.Month())
		}
		require.Equal(t, 2*time.Hour, o.End.Sub(o.Start))
		last = o.Start
	}
	require.WithinRange(t, *w.Recurrence.Through, time.Now().Add(34*24*time.Hour), time.Now().Add(36*24*time.Hour))

	listed := a.windows("")
	require.Len(t, listed, 1)
	require.Equal(t, made.Window.Occurrences, listed[0].Occurrences, "those that are known")
	require.Equal(t, w.Start, listed[0].Start)
	route := a.route("GET:/pay")
	require.True(t, route.Windows[0].Recurs)
	require.Equal(t, w.Start, route.Window.Start)

	again := a.addWindow(`{"path":"GET:/pay","every":"sunday","at":"02:00","for":"2h","timezone":"Europe/Berlin","reason":"vacuum"}`)
	require.False(t, again.Changed)
	require.Equal(t, w.ID, again.Window.ID)
}

func TestOneOccurrenceIsCancelledExtendedAndEnded(t *testing.T) {
	a := newAdmin(t, setup{})
	now := time.Now().UTC()
	w := a.addWindow(fmt.Sprintf(`{"path":"GET:/pay","every":"day","start":%q,"for":"2h"}`, now.Add(-time.Hour).Format("2006-01-02T15:04"))).Window
	require.Equal(t, "active", w.State)
	require.Equal(t, "maintenance", a.route("GET:/pay").Status)

	first := a.window(w.ID).Occurrences
	cancelled := a.cancelWindow(w.ID, first[1].Start)
	require.True(t, cancelled.Changed)
	require.Equal(t, first[2], cancelled.Window.Occurrences[1])
	far := first[60].Start
	require.True(t, a.cancelWindow(w.ID, far).Changed, "one that is not stored yet")
	require.False(t, a.cancelWindow(w.ID, far).Changed)
	for _, o := range a.window(w.ID).Occurrences {
		require.NotEqual(t, far, o.Start)
	}
	for _, later := range []time.Duration{25 * time.Minute, 60 * 24 * time.Hour} {
		a.delete("/api/windows/" + w.ID + "?occurrence=" + ahead(later)).problem(http.StatusNotFound)
		a.delete("/api/windows/" + w.ID + "?occurrence=").problem(http.StatusBadRequest)
	}
	p := a.call(http.MethodPatch, "/api/windows/"+w.ID, fmt.Sprintf(`{"occurrence":%q,"by":"1h"}`, first[70].Start.Format(time.RFC3339))).problem(http.StatusBadRequest)
	require.Contains(t, p.Message, "cancel that one")

	extended := a.amend(w.ID, `{"by":"30m"}`)
	require.Equal(t, first[0].End.Add(30*time.Minute), *extended.Window.End)
	extended = a.amend(w.ID, fmt.Sprintf(`{"occurrence":%q,"by":"-1h"}`, first[2].Start.Format(time.RFC3339)))
	require.Equal(t, first[2].End.Add(-time.Hour), *extended.Window.Occurrences[1].End)
	shorter := a.amend(w.ID, `{"end":"20m"}`)
	require.WithinDuration(t, time.Now().Add(20*time.Minute), *shorter.Window.End, 5*time.Second)

	ended := a.call(http.MethodPost, "/api/windows/"+w.ID+"/end", `{"reason":"done"}`)
	var after wire.ChangedWindow
	ended.into(&after)
	require.Equal(t, "pending", after.Window.State)
	require.Equal(t, "active", after.Route.Status)
	a.post("/api/windows/"+w.ID+"/end", "").problem(http.StatusBadRequest)

	gone := a.cancelWindow(w.ID, time.Time{})
	require.Nil(t, gone.Window)
	require.Equal(t, "GET:/pay", gone.Route.Path)
	a.delete("/api/windows/" + w.ID).problem(http.StatusNotFound)
	require.Empty(t, a.windows("?ended=true"))
	actions := map[string]int{}
	for _, e := range a.audit("") {
		require.Equal(t, w.ID, e.Window)
		actions[e.Action]++
	}
	require.Equal(t, map[string]int{"maintenance_on": 1, "schedule_cancel": 3, "schedule_change": 3, "maintenance_off": 1}, actions)
}

func TestAWindowThatDoesNotRecur(t *testing.T) {
	a := newAdmin(t, setup{})
	w := a.addWindow(`{"path":"GET:/pay","for":"1h","effect":"gone"}`).Window
	require.Equal(t, "active", w.State)
	require.Nil(t, w.Recurrence)
	require.Len(t, w.Occurrences, 1)
	require.WithinDuration(t, time.Now().Add(time.Hour), *w.End, 5*time.Second)
	var e wire.Explanation
	a.get("/api/explain?target=/pay").into(&e)
	require.Equal(t, http.StatusGone, e.HTTPStatus)
	require.Equal(t, "disabled", e.Status)

	a.amend(w.ID, `{"reason":"why","ticket":"https://tickets.example/1"}`)
	w2 := a.window(w.ID)
	require.Equal(t, "why", w2.Reason)
	require.Equal(t, "https://tickets.example/1", w2.Ticket)
	require.Equal(t, w.End, w2.End)
	require.Equal(t, "https://tickets.example/1", a.route("GET:/pay").Windows[0].Ticket)
	require.False(t, a.amend(w.ID, `{}`).Changed)
	require.Equal(t, "why", a.window(w.ID).Reason)
	require.Empty(t, a.amend(w.ID, `{"ticket":""}`).Window.Ticket, "empty is said")

	// The start that is told names the occurrence, though the stored one is finer.
	require.Nil(t, a.cancelWindow(w.ID, w.Start).Window)
	require.Equal(t, "active", a.route("GET:/pay").Status)

	endless := a.addWindow(`{"path":"GET:/pay","start":"2098-01-01T00:00Z"}`).Window
	require.Nil(t, endless.End)
	require.Equal(t, "pending", endless.State)
	a.call(http.MethodPatch, "/api/windows/"+endless.ID, `{"by":"1h"}`).problem(http.StatusBadRequest)
}

func TestWindowsOnSwitches(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/health", "protect", "")
	all := a.addWindow(`{"path":"__global__","for":"1h","reason":"move","except":["/status"],"include_force_active":true}`)
	require.True(t, all.Switch.Enabled)
	require.Nil(t, all.Route)
	require.True(t, all.Window.IncludeForceActive)
	require.Equal(t, []string{"/status"}, all.Window.Except)
	require.Equal(t, "__global__", all.Window.Path)
	own := a.addWindow(`{"path":"__waygate:svc_global:orders__","start":"2h","for":"1h","effect":"read_only"}`)
	require.False(t, own.Switch.Enabled)
	require.Equal(t, "orders", *own.Window.Service)
	a.addWindow(`{"path":"orders:GET:/a","start":"3h","for":"1h"}`)

	paths := func(query string) (found []string) {
		for _, w := range a.windows(query) {
			found = append(found, w.Path)
		}
		return found
	}
	require.Equal(t, []string{"__global__", "__waygate:svc_global:orders__", "orders:GET:/a"}, paths(""))
	require.Equal(t, []string{"__waygate:svc_global:orders__", "orders:GET:/a"}, paths("?service=orders"))
	require.Equal(t, []string{"__global__"}, paths("?path=__global__"))
	require.Equal(t, []string{"orders:GET:/a"}, paths("?path=orders:/a"))
	require.Empty(t, paths("?path=/a"))
	require.Empty(t, paths("?path=__global__&service=orders"))
	a.get("/api/windows?path=__nothing__").problem(http.StatusBadRequest)

	for target, refused := range map[string]bool{"/health": true, "/status": false} {
		var e wire.Explanation
		a.get("/api/explain?target=" + target).into(&e)
		require.Equal(t, refused, e.Refused, target)
	}
	var off wire.ChangedWindow
	a.post("/api/windows/"+all.Window.ID+"/end", "").into(&off)
	require.False(t, off.Switch.Enabled)
	require.Nil(t, off.Window)
}

func TestWindowsThatAreRefused(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/health", "protect", "")
	before := len(a.audit(""))
	tests := []struct {
		name, body string
		status     int
		field      string
		says       string
	}{
		{"no path", `{"for":"1h"}`, 400, "", "path"},
		{"no key", `{"path":"pay","for":"1h"}`, 400, "path", ""},
		{"no switch", `{"path":"__all__","for":"1h"}`, 400, "path", "__global__"},
		{"a protected key", `{"path":"GET:/health","for":"1h"}`, 409, "", "protected"},
		{"no effect", `{"path":"/a","for":"1h","effect":"closed"}`, 400, "effect", ""},
		{"read-only of what only reads", `{"path":"GET:/a","for":"1h","effect":"read_only"}`, 400, "effect", ""},
		{"protected routes by a key", `{"path":"/a","for":"1h","include_force_active":true}`, 400, "include_force_active", ""},
		{"no zone", `{"path":"/a","for":"1h","timezone":"Berlin"}`, 400, "timezone", "Europe/Berlin"},
		{"local time", `{"path":"/a","for":"1h","timezone":"Local"}`, 400, "timezone", ""},
		{"no time", `{"path":"/a","start":"sunday","for":"1h"}`, 400, "start", "2025-06-01T02:00Z"},
		{"no duration", `{"path":"/a","for":"long"}`, 400, "for", "2h"},
		{"a ticket of two lines", `{"path":"/a","for":"1h","ticket":"a\nb"}`, 400, "ticket", ""},
		{"an end that is past", `{"path":"/a","end":"2020-01-01T00:00Z"}`, 400, "end", "not after the start"},
		{"an inverted span", `{"path":"/a","start":"2098-01-02T00:00","end":"2098-01-01T00:00"}`, 400, "end", "not after the start"},
		{"end and for", `{"path":"/a","end":"2h","for":"1h"}`, 400, "for", "one of them"},
		{"at without every", `{"path":"/a","at":"02:00","for":"1h"}`, 400, "at", `"every":"sunday"`},
		{"to without every", `{"path":"/a","to":"02:00"}`, 400, "to", `"every":"sunday"`},
		{"every and rrule", `{"path":"/a","every":"day","rrule":"FREQ=DAILY","at":"02:00","for":"1h"}`, 400, "every", "one of them"},
		{"rrule and cron", `{"path":"/a","cron":"0 2 * * *","rrule":"FREQ=DAILY","for":"1h"}`, 400, "rrule", "one of them"},
		{"to and for", `{"path":"/a","every":"day","at":"02:00","to":"03:00","for":"1h"}`, 400, "to", "one of them"},
		{"neither to nor for", `{"path":"/a","every":"day","at":"02:00"}`, 400, "for", `"for":"2h"`},
		{"an end of what recurs", `{"path":"/a","every":"day","at":"02:00","end":"3h"}`, 400, "end", "UNTIL"},
		{"every sunday at what time", `{"path":"/a","every":"sunday","for":"1h"}`, 400, "at", `"at":"02:00"`},
		{"a rule at what time", `{"path":"/a","rrule":"FREQ=DAILY","for":"1h"}`, 400, "at", `"at":"02:00"`},
		{"a rule at two minutes", `{"path":"/a","rrule":"FREQ=DAILY;BYMINUTE=30","at":"02:00","for":"1h"}`, 400, "at", "itself"},
		{"an end that is empty", `{"path":"__global__","end":""}`, 400, "end", ""},
		{"a rule that is empty", `{"path":"/a","cron":"","for":"1h"}`, 400, "cron", ""},
		{"less than any time", `{"path":"/a","for":"0.0000000001s"}`, 400, "for", "duration"},
		{"a rule at two times", `{"path":"/a","rrule":"FREQ=DAILY;BYHOUR=2;BYMINUTE=0","at":"03:00","for":"1h"}`, 400, "at", "itself"},
		{"cron at two times", `{"path":"/a","cron":"0 2 * * 0","at":"03:00","for":"1h"}`, 400, "at", "itself"},
		{"at and a start with a time", `{"path":"/a","every":"day","at":"02:00","start":"2098-01-01T03:00","for":"1h"}`, 400, "at", "date alone"},
		{"at the end of a day", `{"path":"/a","every":"day","at":"24:00","for":"1h"}`, 400, "at", "00:00"},
		{"at no time", `{"path":"/a","every":"day","at":"2am","for":"1h"}`, 400, "at", "04:00"},
		{"to no time", `{"path":"/a","every":"day","at":"02:00","to":"4am"}`, 400, "to", "04:00"},
		{"words nobody knows", `{"path":"/a","every":"now and then","at":"02:00","for":"1h"}`, 400, "every", "first sunday"},
		{"no rule", `{"path":"/a","rrule":"FREQ=SOMETIMES","at":"02:00","for":"1h"}`, 400, "rrule", ""},
		{"no cron", `{"path":"/a","cron":"0 2 * *","for":"1h"}`, 400, "cron", ""},
		{"a rule that never fires", `{"path":"/a","rrule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30","at":"02:00","for":"1h"}`, 400, "rrule", "never"},
		{"a rule that fires no more", `{"path":"/a","rrule":"FREQ=DAILY;UNTIL=20200101","start":"2019-12-01T00:00","for":"1h"}`, 400, "rrule", "still to come"},
		{"a day that not all months have", `{"path":"/a","every":"month","start":"2098-01-31T02:00","for":"1h"}`, 400, "start", "month"},
		{"longer than a year", `{"path":"/a","every":"year","start":"2098-01-31T02:00","for":"400d"}`, 400, "for", ""},
		{"too many at once", `{"path":"/a","every":"hour","at":"02:00","for":"300d"}`, 400, "for", "one long window"},
		{"an unknown member", `{"path":"/a","until":"2h"}`, 400, "until", "no such member"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := a.in(t).post("/api/windows", tt.body).problem(tt.status)
			require.Contains(t, p.Message, tt.says)
			if tt.field != "" {
				require.Equal(t, tt.field, p.Field, p.Message)
			}
		})
	}
	require.Len(t, a.audit(""), before)

	w := a.addWindow(`{"path":"/a","every":"day","at":"02:00","for":"1h"}`).Window
	for _, tt := range []struct{ name, body, field string }{
		{"end and by", `{"end":"2h","by":"1h"}`, "by"},
		{"no duration", `{"by":"later"}`, "by"},
		{"a sign alone", `{"by":"-"}`, "by"},
		{"two signs", `{"by":"-+30m"}`, "by"},
		{"an occurrence and no change of it", `{"occurrence":"2098-01-01T02:00"}`, "occurrence"},
		{"another start of one that recurs", `{"start":"2098-01-01T02:00"}`, "start"},
		{"no end any more", `{"by":"-2h"}`, "end"},
		{"no zone", `{"end":"2098-01-01T02:00","timezone":"Mars"}`, "timezone"},
	} {
		t.Run("change: "+tt.name, func(t *testing.T) {
			p := a.in(t).call(http.MethodPatch, "/api/windows/"+w.ID, tt.body).problem(http.StatusBadRequest)
			require.Equal(t, tt.field, p.Field, p.Message)
		})
	}
	a.call(http.MethodPatch, "/api/windows/nothing", `{"by":"1h"}`).problem(http.StatusNotFound)
	a.post("/api/windows/nothing/end", "").problem(http.StatusNotFound)
	a.delete("/api/windows/nothing?occurrence=2h").problem(http.StatusNotFound)
	p := a.delete("/api/windows/" + w.ID + "?occurrence=").problem(http.StatusBadRequest)
	require.Equal(t, "occurrence", p.Field, p.Message)
	p = a.post("/api/routes/R0VUOi9wYXltZW50cw/disable", `{"until":""}`).problem(http.StatusBadRequest)
	require.Equal(t, "until", p.Field, p.Message)
}

func TestWhenARecurringWindowBegins(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct{ name, body, first, describes string }{
		{"cron", `"cron":"30 2 * * 1-5","for":"90m"`, "", "every weekday at 02:30 for 1h30m, UTC"},
		{"a rule with its own time", `"rrule":"RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=3;BYMINUTE=30","for":"1h"`, "", "every Saturday at 03:30 for 1h, UTC"},
		{"a rule and at", `"rrule":"FREQ=MONTHLY;BYDAY=-1FR","at":"22:00","to":"02:00"`, "", "on the last Friday of every month at 22:00 until 02:00, UTC"},
		{"a start in its zone", `"every":"2 weeks","start":"2098-12-07T02:30","for":"1h","timezone":"America/New_York"`, "2098-12-07T02:30", "every 2 weeks on Sunday at 02:30 for 1h, America/New_York"},
		{"a start with a zone of its own", `"every":"day","start":"2098-12-07T02:30Z","for":"1h","timezone":"America/New_York"`, "2098-12-06T21:30", "every day at 21:30 for 1h, America/New_York"},
		{"a date and at", `"every":"day","start":"2098-12-07","at":"02:00","for":"1h"`, "2098-12-07T02:00", "every day at 02:00 for 1h, UTC"},
		{"once a year, beyond what is known", `"rrule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29","at":"02:00","for":"1h"`, "", "every year on 29 February at 02:00 for 1h, UTC"},
		{"a number of times", `"rrule":"FREQ=DAILY;COUNT=3","start":"2098-12-07T02:00","for":"1h"`, "2098-12-07T02:00", "every day at 02:00, 3 times in all, for 1h, UTC"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := a.in(t).addWindow(`{"path":"/a",` + tt.body + `}`).Window
			require.Equal(t, tt.describes, w.Recurrence.Description)
			if tt.first != "" {
				require.Equal(t, tt.first, w.Recurrence.First)
			}
			require.Equal(t, "pending", w.State)
			require.NotEmpty(t, w.Occurrences)
			require.Equal(t, w.Start, w.Occurrences[0].Start)
		})
	}
}

func TestAWindowIsAddedOnce(t *testing.T) {
	a := newAdmin(t, setup{})
	var first, again wire.ChangedWindow
	body := `{"path":"GET:/pay","for":"1h"}`
	a.call(http.MethodPost, "/api/windows", body, "Idempotency-Key", "k1").into(&first)
	a.call(http.MethodPost, "/api/windows", body, "Idempotency-Key", "k1").into(&again)
	require.True(t, again.Duplicate)
	require.Equal(t, first.Window.ID, again.Window.ID, "a retry is told which window it is")
	require.Equal(t, first.Revision, again.Revision)
	require.Len(t, a.windows(""), 1)

	end := "/api/windows/" + first.Window.ID + "/end"
	a.call(http.MethodPost, end, "", "Idempotency-Key", "k2").into(&first)
	a.call(http.MethodPost, end, "", "Idempotency-Key", "k2").into(&again)
	require.True(t, again.Duplicate)
	require.Nil(t, again.Window)
	require.Equal(t, "GET:/pay", again.Route.Path)
	a.call(http.MethodDelete, end[:len(end)-4], "", "Idempotency-Key", "k2").problem(http.StatusUnprocessableEntity)
}

func TestAReasonCanBeRequiredOfWindows(t *testing.T) {
	a := newAdmin(t, setup{requireReason: true})
	require.Equal(t, "reason", a.post("/api/windows", `{"path":"/a","for":"1h"}`).problem(http.StatusBadRequest).Field)
	a.addWindow(`{"path":"/a","for":"1h","reason":"because"}`)
}

func TestWhatWindowsDidByThemselvesIsInTheAudit(t *testing.T) {
	a := newAdmin(t, setup{})
	w := a.addWindow(`{"path":"GET:/pay","for":"1h"}`).Window
	doc, err := a.store.Load(t.Context())
	require.NoError(t, err)
	// As an admin says it that was away for an hour.
	change, err := state.Announce(doc, state.Leads{}, w.End.Add(time.Hour))
	require.NoError(t, err)
	_, err = a.store.Commit(t.Context(), doc.Meta, change)
	require.NoError(t, err)
	var last wire.AuditEntry
	require.Eventually(t, func() bool { last = a.audit("")[0]; return last.Action == "maintenance_off" }, waitLong, 20*time.Millisecond)
	require.Equal(t, "system", last.Actor)
	require.Equal(t, w.ID, last.Window)
	require.Equal(t, w.End, last.ScheduledAt)
	require.True(t, last.Late)
	text, err := json.Marshal(a.audit("")[1])
	require.NoError(t, err)
	require.NotContains(t, string(text), "scheduled_at")
}
