package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

func (a *adminServer) calendar(query string) []wire.CalendarEntry {
	a.t.Helper()
	var list []wire.CalendarEntry
	a.get("/api/calendar" + query).into(&list)
	return list
}

func TestTheCalendarOverTheChangeOfClocks(t *testing.T) {
	a := newAdmin(t, setup{})
	add := func(path, rest string) string {
		return a.addWindow(fmt.Sprintf(`{"path":%q,"every":"day",%s}`, path, rest)).Window.ID
	}
	add("/ny", `"start":"2098-03-01","at":"02:30","for":"1h","timezone":"America/New_York"`)
	add("/ny-twice", `"start":"2098-10-01","at":"01:30","to":"01:45","timezone":"America/New_York"`)
	add("/howe", `"start":"2026-10-01","at":"02:15","for":"30m","timezone":"Australia/Lord_Howe"`)
	berlin := add("/berlin", `"start":"2098-03-01","at":"02:30","to":"03:30","timezone":"Europe/Berlin"`)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"a gap is passed at its end", "?path=/ny&from=2098-03-08&to=2098-03-11", []string{
			"03-08T07:30:00Z..08:30:00Z", "03-09T07:00:00Z..08:00:00Z", "03-10T06:30:00Z..07:30:00Z",
		}},
		{"both passes of an hour are covered", "?path=/ny-twice&from=2098-11-01&to=2098-11-04", []string{
			"11-01T05:30:00Z..05:45:00Z", "11-02T05:30:00Z..06:45:00Z", "11-03T06:30:00Z..06:45:00Z",
		}},
		{"a gap of half an hour", "?path=/howe&from=2098-10-03T00:00&to=2098-10-05T23:00", []string{
			"10-03T15:45:00Z..16:15:00Z", "10-04T15:30:00Z..16:00:00Z", "10-05T15:15:00Z..15:45:00Z",
		}},
		{"a start in a gap and an end after it", "?path=/berlin&from=2098-03-29&to=2098-03-31T12:00", []string{
			"03-29T01:30:00Z..02:30:00Z", "03-30T01:00:00Z..01:30:00Z", "03-31T00:30:00Z..01:30:00Z",
		}},
		{"one that runs at the start is in it, one that ended then is not", "?path=/ny&from=2098-03-08T08:29&to=2098-03-08T08:31", []string{"03-08T07:30:00Z..08:30:00Z"}},
		{"from its end on", "?path=/ny&from=2098-03-08T08:30&to=2098-03-09T07:00", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, e := range a.in(t).calendar(tt.query) {
				got = append(got, e.Start.Format("01-02T15:04:05Z")+".."+e.End.Format("15:04:05Z"))
			}
			require.Equal(t, tt.want, got)
		})
	}
	a.cancelWindow(berlin, time.Date(2098, 3, 30, 1, 0, 0, 0, time.UTC))
	require.Len(t, a.calendar("?path=/berlin&from=2098-03-29&to=2098-03-31T12:00"), 2, "what is cancelled ahead is not there")
	require.Len(t, a.calendar("?path=/ny&from=2099-01-01&to=2100-01-01"), 365, "each day of a year, far ahead")
}

func TestTheCalendarHasBounds(t *testing.T) {
	a := newAdmin(t, setup{})
	a.addWindow(`{"path":"orders:/a","start":"1h","for":"1h"}`)
	a.addWindow(`{"path":"/b","for":"1h"}`)
	require.Len(t, a.calendar(""), 2)
	require.Len(t, a.calendar("?service=orders"), 1)
	require.Equal(t, "active", a.calendar("?path=/b")[0].State)
	for _, query := range []string{
		"?from=2098-01-02&to=2098-01-01", "?from=2098-01-01&to=2098-01-01", "?from=2098-01-01&to=2099-02-06T00:01", "?from=soon", "?path=nothing",
	} {
		a.get("/api/calendar" + query).problem(http.StatusBadRequest)
	}
	a.get("/api/calendar?from=2098-01-01&to=2099-02-05").is2xx()
	for i := range 4 {
		a.addWindow(fmt.Sprintf(`{"path":"/dense/%d","every":"15 minutes","start":"2098-01-01T00:00","for":"5m"}`, i))
	}
	p := a.get("/api/calendar?from=2098-01-01&to=2098-12-31").problem(http.StatusBadRequest)
	require.Contains(t, p.Message, "ask for less time")
}

// events reads a calendar as RFC 5545 has it and fails for whatever is not so.
func events(t *testing.T, text []byte) []map[string]string {
	t.Helper()
	require.True(t, bytes.HasSuffix(text, []byte("\r\n")))
	var lines []string
	for raw := range strings.SplitSeq(strings.TrimSuffix(string(text), "\r\n"), "\r\n") {
		require.LessOrEqual(t, len(raw), 75, raw)
		require.NotContains(t, raw, "\n")
		require.NotContains(t, raw, "\r")
		if rest, folded := strings.CutPrefix(raw, " "); folded {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, raw)
	}
	require.Equal(t, "BEGIN:VCALENDAR", lines[0])
	require.Equal(t, "VERSION:2.0", lines[1])
	require.Equal(t, "END:VCALENDAR", lines[len(lines)-1])
	var all []map[string]string
	var open map[string]string
	for _, line := range lines[1 : len(lines)-1] {
		name, value, ok := strings.Cut(line, ":")
		require.True(t, ok, line)
		switch {
		case line == "BEGIN:VEVENT":
			require.Nil(t, open)
			open = map[string]string{}
		case line == "END:VEVENT":
			all, open = append(all, open), nil
		case open != nil:
			require.NotContains(t, open, name)
			open[name] = plainText(t, value)
		}
	}
	require.Nil(t, open)
	seen := map[string]bool{}
	for _, e := range all {
		for _, name := range []string{"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS", "LAST-MODIFIED"} {
			require.NotEmpty(t, e[name], name)
		}
		require.False(t, seen[e["UID"]])
		seen[e["UID"]] = true
		require.Less(t, e["DTSTART"], e["DTEND"])
		for _, name := range []string{"DTSTAMP", "DTSTART", "DTEND", "LAST-MODIFIED"} {
			_, err := time.Parse("20060102T150405Z", e[name])
			require.NoError(t, err)
		}
	}
	return all
}

func plainText(t *testing.T, value string) string {
	t.Helper()
	var out strings.Builder
	s := bufio.NewReader(strings.NewReader(value))
	for {
		r, _, err := s.ReadRune()
		if err != nil {
			return out.String()
		}
		if r == '\\' {
			escaped, _, err := s.ReadRune()
			require.NoError(t, err)
			require.Contains(t, `\;,nN`, string(escaped))
			r = map[rune]rune{'n': '\n', 'N': '\n', '\\': '\\', ';': ';', ',': ','}[escaped]
		}
		out.WriteRune(r)
	}
}

func TestTheFeed(t *testing.T) {
	a := newAdmin(t, setup{})
	require.Empty(t, events(t, a.get("/api/calendar.ics").body))
	reason := `DB; vacuum, "all" of C:\data ` + strings.Repeat("Straße ", 20) + "🚧" + strings.Repeat("x", 200)
	w := a.addWindow(fmt.Sprintf(`{"path":"GET:/pay","every":"day","at":"02:00","for":"2h","timezone":"Asia/Tokyo","reason":%q,"ticket":"https://tickets.example/7?a=1,2"}`, reason)).Window
	a.addWindow(`{"path":"__global__","start":"2h","end":"3h","reason":"two\r\nlines\u0007","effect":"read_only"}`)
	endless := a.addWindow(`{"path":"__waygate:svc_global:orders__","start":"2h","effect":"disabled"}`).Window

	r := a.get("/api/calendar.ics")
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, "text/calendar; charset=utf-8", r.header.Get("Content-Type"))
	found := map[string]map[string]string{}
	for _, e := range events(t, r.body) {
		found[e["UID"]] = e
	}
	require.Len(t, found, 92, "90 days of one and two more")
	for _, o := range a.window(w.ID).Occurrences[:90] {
		e := found[w.ID+"-"+o.Start.Format("20060102T150405Z")+"@waygate"]
		require.NotNil(t, e)
		require.Equal(t, o.Start.Format("20060102T150405Z"), e["DTSTART"])
		require.Equal(t, o.End.Format("20060102T150405Z"), e["DTEND"])
		require.Equal(t, "Maintenance: GET:/pay", e["SUMMARY"])
		require.Equal(t, "CONFIRMED", e["STATUS"])
		require.Equal(t, "https://tickets.example/7?a=1,2", e["URL"])
		require.Equal(t, reason+"\nTicket: https://tickets.example/7?a=1,2\nRecurs every day at 02:00 for 2h, Asia/Tokyo", e["DESCRIPTION"])
	}
	for id, e := range found {
		switch e["SUMMARY"] {
		case "Read-only: everything":
			require.Equal(t, "two\nlines", e["DESCRIPTION"])
		case "Disabled: service orders":
			require.True(t, strings.HasPrefix(id, endless.ID))
			require.Equal(t, "It has no end.", e["DESCRIPTION"])
		}
	}
	require.Equal(t, r.body, a.get("/api/calendar.ics").body, "the same until something changes")
	require.Len(t, events(t, a.get("/api/calendar.ics?service=orders").body), 1)
	require.Len(t, events(t, a.get("/api/calendar.ics?path=__global__").body), 1)
	a.get("/api/calendar.ics?path=nothing").problem(http.StatusBadRequest)
	a.post("/api/calendar.ics", "").problem(http.StatusMethodNotAllowed)

	a.cancelWindow(w.ID, w.Occurrences[0].Start)
	require.Len(t, events(t, a.get("/api/calendar.ics").body), 91)
	a.amend(w.ID, `{"by":"30m"}`)
	for _, e := range events(t, a.get("/api/calendar.ics").body) {
		if e["DTSTART"] == w.Occurrences[1].Start.Format("20060102T150405Z") {
			require.Equal(t, w.Occurrences[1].End.Add(30*time.Minute).Format("20060102T150405Z"), e["DTEND"])
		}
	}
}

func TestTheFeedHoldsWhatBeginsOnItsLastDayAndHasNoEnd(t *testing.T) {
	a := newAdmin(t, setup{})
	a.addWindow(`{"path":"/a","start":"2159h59m"}`)
	require.Len(t, events(t, a.get("/api/calendar.ics").body), 1)
}

func TestATokenInTheAddressIsForTheFeedAlone(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	tokens := map[string]string{}
	for _, role := range []string{"viewer", "instance"} {
		var made wire.NewToken
		a.post("/api/tokens", fmt.Sprintf(`{"role":%q}`, role)).into(&made)
		tokens[role] = made.Text
	}
	a.token = ""
	require.Equal(t, http.StatusOK, a.get("/api/calendar.ics?token="+tokens["viewer"]).status)
	require.Equal(t, http.StatusOK, a.call(http.MethodHead, "/api/calendar.ics?token="+tokens["viewer"], "").status)
	require.Equal(t, http.StatusOK, a.call(http.MethodGet, "/api/calendar.ics", "", "X-Waygate-Token", tokens["viewer"]).status)
	a.get("/api/calendar.ics?token=" + tokens["instance"]).problem(http.StatusForbidden)
	a.get("/api/calendar.ics?token=wrong").problem(http.StatusUnauthorized)
	a.get("/api/calendar.ics?token=").problem(http.StatusUnauthorized)
	a.get("/api/calendar.ics").problem(http.StatusUnauthorized)
	a.call(http.MethodGet, "/api/calendar.ics?token="+tokens["viewer"], "", "X-Waygate-Token", "wrong").problem(http.StatusUnauthorized)
	for _, path := range []string{
		"/api/calendar", "/api/windows", "/api/routes", "/api/auth/me", "/api/calendar.ics/", "/api//calendar.ics", "/api/calendar%2Eics", "/api/x/../calendar.ics",
	} {
		require.Equal(t, http.StatusUnauthorized, a.get(path+"?token="+tokens["viewer"]).status, path)
	}
	a.call(http.MethodDelete, "/api/windows/x?token="+tokens["viewer"], "").problem(http.StatusUnauthorized)
}
