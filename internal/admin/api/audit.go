package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// trimPath is where old entries are removed, which may take long.
const trimPath = "/api/audit/trim"

const (
	defaultAudit = 50
	// How long after something was due its record counts as late.
	lateAfter = 5 * time.Second
)

// AuditFilter is the part of a query that says which lines of the audit are wanted.
type AuditFilter struct {
	Route    string   `query:"route" doc:"Only entries of this key, in plain text, or of a sentinel path"`
	Match    string   `query:"match" doc:"Only entries of keys that this one contains" example:"orders:/v1/**"`
	Service  string   `query:"service" doc:"Only entries of this service's keys and switch"`
	Actor    string   `query:"actor" doc:"Only what this actor did"`
	Action   []string `query:"action,explode" doc:"Only these actions; may be given several times"`
	Platform string   `query:"platform" doc:"Only what came through this platform"`
	From     string   `query:"from" doc:"Only what was recorded at this time or later; a duration is so long ago" example:"2026-12-01"`
	To       string   `query:"to" doc:"Only what was recorded before this time"`
	Text     string   `query:"text" doc:"Only entries with this in their reason, path or actor, in any case"`
	Changes  string   `query:"changes" doc:"1 tells what was set, field by field, before and after"`
}

// auditQuery asks for lines of the audit. Limit is text so that one of any size is capped, not refused.
type auditQuery struct {
	AuditFilter
	Limit  string `query:"limit" doc:"How many entries at most; capped at 10000, default 50" example:"50"`
	Cursor string `query:"cursor" doc:"Where to go on: the value of X-Waygate-Next"`
	Before uint64 `query:"before" doc:"Only entries before this revision"`
}

// auditAnswer has the header that asks for what follows.
type auditAnswer struct {
	Next string `header:"X-Waygate-Next" doc:"The value of cursor= that asks for the entries that follow; absent at the end"`
	Body []wire.AuditEntry
}

// auditing registers the call that reads the audit.
func (s *server) auditing(d huma.API) {
	op := operation(http.MethodGet, "/audit", "list-audit", "audit", "What was done by whom, newest first")
	huma.Register(d, op, func(ctx context.Context, in *auditQuery) (*auditAnswer, error) {
		if err := principal(ctx).May(people.ScopeRead); err != nil {
			return nil, problemOf(err)
		}
		out, err := s.listAudit(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
	handle(s, d, operation(http.MethodPost, "/audit/trim", "trim-audit", "audit",
		"Remove old entries from the log, once an archive holds them; recorded in the audit"), people.ScopeAdmin, s.trimAudit)
	s.pouring(d)
}

func (s *server) trimAudit(ctx context.Context, who people.Principal, in *global[wire.TrimBody]) (wire.Trimmed, error) {
	order := admin.TrimOrder{WithoutArchive: in.Body.WithoutArchive, Reason: in.Body.Reason, DryRun: in.Body.DryRun}
	var err error
	if order.Before, err = strconv.ParseUint(in.Body.Before, 10, 64); err != nil {
		if order.At, err = wire.ParsePast(in.Body.Before, s.cfg.Service.Now()); err != nil {
			return wire.Trimmed{}, state.Invalid("before", "before: %.40q is neither a revision nor a time: write 41, 2025-06-01T02:00Z, 2025-06-01, or a duration such as 90d (ago)", in.Body.Before)
		}
	}
	if in.Body.Head != "" {
		order.Head = new(state.Head)
		if err := order.Head.UnmarshalText([]byte(in.Body.Head)); err != nil {
			return wire.Trimmed{}, state.Invalid("head", "head: %.80q is no head", in.Body.Head)
		}
	}
	done, err := s.cfg.Service.Trim(ctx, who, order)
	if err != nil {
		return wire.Trimmed{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	return wire.Trimmed{
		Before: done.Before, Prev: done.Prev.String(), Entries: done.Entries, DryRun: in.Body.DryRun, Place: place(done.At),
	}, nil
}

func (s *server) listAudit(ctx context.Context, in *auditQuery) (*auditAnswer, error) {
	filter, err := in.filter(s.cfg.Service.Now())
	if err != nil {
		return nil, err
	}
	q := admin.AuditQuery{AuditFilter: filter, Before: admin.Mark{Rev: in.Before}}
	if q.Limit, err = auditLimit(in.Limit); err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		if q.Before, err = parseMark(in.Cursor); err != nil {
			return nil, err
		}
	}
	lines, next, err := s.cfg.Service.Audit(ctx, q)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := &auditAnswer{Next: markText(next), Body: make([]wire.AuditEntry, len(lines))}
	for i := range lines {
		out.Body[i] = auditEntry(&lines[i], in.wantsChanges())
	}
	return out, nil
}

// markText is a mark as a cursor: the revision, and the index where it is inside a commit; empty for none.
func markText(m admin.Mark) string {
	text := cursorOf(m.Rev)
	if m.Index > 0 {
		text += "." + strconv.Itoa(m.Index)
	}
	return text
}

func parseMark(text string) (admin.Mark, error) {
	rev, index, inside := strings.Cut(text, ".")
	var m admin.Mark
	var err, bad error
	m.Rev, err = strconv.ParseUint(rev, 10, 64)
	if inside {
		m.Index, bad = strconv.Atoi(index)
	}
	if err != nil || bad != nil || m.Index < 0 {
		return m, state.Invalid("cursor", "cursor: %.40q is not the value of %s", text, wire.NextHeader)
	}
	return m, nil
}

// cursorOf is the value that asks for what follows; empty at the end.
func cursorOf(next uint64) string {
	if next == 0 {
		return ""
	}
	return strconv.FormatUint(next, 10)
}

func auditLimit(text string) (int, error) {
	n, ok := countOf(text, defaultAudit, admin.MaxAudit)
	if !ok {
		return 0, newProblem(http.StatusBadRequest, wire.ProblemBlank, fmt.Sprintf("limit: %.40q is not a number of entries", text))
	}
	return n, nil
}

// filterIn is the filter in a query that huma does not read.
func filterIn(asked url.Values) AuditFilter {
	return AuditFilter{
		Route: asked.Get("route"), Match: asked.Get("match"), Service: asked.Get("service"), Actor: asked.Get("actor"), Action: asked["action"],
		Platform: asked.Get("platform"), From: asked.Get("from"), To: asked.Get("to"), Text: asked.Get("text"), Changes: asked.Get("changes"),
	}
}

// filterParams describe such a filter.
func filterParams() []*huma.Param {
	var all []*huma.Param
	for _, name := range []string{"route", "match", "service", "actor", "action", "platform", "from", "to", "text", "changes"} {
		all = append(all, &huma.Param{Name: name, In: "query", Description: "As in GET /api/audit", Schema: &huma.Schema{Type: huma.TypeString}})
	}
	return all
}

func (f *AuditFilter) wantsChanges() bool {
	wants, _ := strconv.ParseBool(f.Changes)
	return wants
}

// filter reads the filter, at an instant that durations count back from.
func (f *AuditFilter) filter(now time.Time) (admin.AuditFilter, error) {
	r := reader{now: now}
	out := admin.AuditFilter{
		Route: f.Route, Match: f.Match, Service: f.Service, Actor: f.Actor, Actions: f.Action, Platform: f.Platform, Text: f.Text,
		From: r.time("from", f.From, wire.ParsePast), To: r.time("to", f.To, wire.ParsePast),
	}
	return out, r.err
}

func auditEntry(l *admin.AuditLine, changes bool) wire.AuditEntry {
	e := wire.AuditEntry{
		ID:        uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "waygate:%s:%d:%d", l.Epoch, l.Rev, l.Index)).String(),
		Timestamp: wire.Stamp(l.At), Path: l.Path, Service: orNil(l.Service), Action: string(l.Action), Actor: l.Actor,
		Platform: string(l.Platform), Reason: l.Reason, PreviousStatus: statusOrNil(l.Before), NewStatus: statusOrNil(l.After),
		Until: wire.StampOrNil(l.Until), Place: wire.Place{Revision: l.Rev, Epoch: l.Epoch}, Note: l.Note,
		Window: l.Window, ScheduledAt: wire.StampOrNil(l.Due), Late: !l.Due.IsZero() && l.At.Sub(l.Due) > lateAfter,
	}
	if changes {
		e.Changes = fieldChanges(l.Changes)
	}
	return e
}

func fieldChanges(told []state.Told) []wire.FieldChange {
	out := make([]wire.FieldChange, len(told))
	for i, t := range told {
		out[i] = wire.FieldChange{Field: t.Field, Before: t.Before, After: t.After}
	}
	return out
}
