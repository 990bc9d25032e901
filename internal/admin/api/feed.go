package api

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// What the feed covers, and how often programs are to read it again.
const (
	feedBack  = 30 * 24 * time.Hour
	feedAhead = 90 * 24 * time.Hour
	feedEvery = "PT15M"
)

// feedPath is where the feed is.
const feedPath = "/api/calendar.ics"

// feed answers with the calendar as programs subscribe to it (RFC 5545): one event for each occurrence.
func (s *server) feed(w http.ResponseWriter, r *http.Request) {
	if err := principal(r.Context()).May(people.ScopeRead); err != nil {
		write(w, problemOf(err))
		return
	}
	now := s.cfg.Service.Now()
	which := WhichWindows{Path: r.URL.Query().Get("path"), Service: r.URL.Query().Get("service")}
	view, found, err := s.calendar(r.Context(), &which, now.Add(-feedBack), now.Add(feedAhead))
	if err != nil {
		p := problemOf(err)
		if p.Status == http.StatusInternalServerError {
			s.cfg.Log.Error("a call failed", zap.String("call", "calendar-feed"), zap.Error(err))
		}
		write(w, p)
		return
	}
	var out icalendar
	out.begin("VCALENDAR")
	out.line("VERSION", "2.0")
	out.line("PRODID", "-//Waygate//Waygate//EN")
	out.line("CALSCALE", "GREGORIAN")
	out.line("METHOD", "PUBLISH")
	out.line("X-WR-CALNAME", "Waygate")
	out.line("REFRESH-INTERVAL;VALUE=DURATION", feedEvery)
	out.line("X-PUBLISHED-TTL", feedEvery)
	for _, e := range found {
		event(&out, view, e)
	}
	out.end("VCALENDAR")
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	_, _ = w.Write(out.text.Bytes()) // the client may be gone; there is nobody to tell
}

// event writes one occurrence. It is told apart by its window and its start; an occurrence that is cancelled is no longer
// in the feed, and programs take it away.
func event(out *icalendar, view admin.View, e dated) {
	w := e.window
	changed := w.At
	if changed.IsZero() {
		changed = w.Start
	}
	end := e.End
	if end.IsZero() { // the end of the day up to which the feed goes: it does not move with every look at it
		end = view.Now.Add(feedAhead).Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	if end.Sub(e.Start) < time.Second { // an event ends later than it starts, in whole seconds
		end = e.Start.Add(time.Second)
	}
	out.begin("VEVENT")
	out.line("UID", w.ID+"-"+icalTime(e.Start)+"@waygate")
	out.line("DTSTAMP", icalTime(changed))
	out.line("LAST-MODIFIED", icalTime(changed))
	out.line("DTSTART", icalTime(e.Start))
	out.line("DTEND", icalTime(end))
	out.line("SUMMARY", icalText(summary(view, w)))
	if text := description(w, e.End.IsZero()); text != "" {
		out.line("DESCRIPTION", icalText(text))
	}
	if link, err := url.Parse(w.Ticket); err == nil && link.Scheme != "" && link.Host != "" {
		out.line("URL", link.String())
	}
	out.line("STATUS", "CONFIRMED")
	out.line("TRANSP", "TRANSPARENT") // nobody is busy because of it
	out.end("VEVENT")
}

// summary is what an occurrence is called: what it does, and to what.
func summary(view admin.View, w *state.Window) string {
	what := pathOf(view, w.Target)
	switch {
	case w.Target.Global:
		what = "everything"
	case w.Target.Service != "":
		what = "service " + w.Target.Service
	}
	does := map[state.Effect]string{
		state.EffectMaintenance: "Maintenance", state.EffectDisabled: "Disabled", state.EffectReadOnly: "Read-only", state.EffectGone: "Gone",
	}[w.Effect]
	return cmp.Or(does, string(w.Effect)) + ": " + what
}

// description is why, and where more can be read.
func description(w *state.Window, endless bool) string {
	var lines []string
	if w.Reason != "" {
		lines = append(lines, w.Reason)
	}
	if w.Ticket != "" {
		lines = append(lines, "Ticket: "+w.Ticket)
	}
	if w.Recurs != nil {
		lines = append(lines, "Recurs "+recurrence(w).Description)
	}
	if endless {
		lines = append(lines, "It has no end.")
	}
	return strings.Join(lines, "\n")
}

// feedOperation describes the feed, which is not huma's.
func feedOperation() *huma.Operation {
	op := operation(http.MethodGet, "/calendar.ics", "calendar-feed", "windows",
		"The calendar as programs subscribe to it (iCalendar), from 30 days back, as far as known, to 90 days ahead")
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "token", In: "query", Description: "The token, for programs that can send no header; at this address only", Schema: text},
		{Name: "path", In: "query", Description: "Only windows on this key, in plain text, or on the switch of this sentinel path", Schema: text},
		{Name: "service", In: "query", Description: "Only windows on this service's keys and switch", Schema: text},
	}
	op.Responses = map[string]*huma.Response{
		"200": {Description: "One event for each occurrence", Content: map[string]*huma.MediaType{"text/calendar": {}}},
	}
	return &op
}
