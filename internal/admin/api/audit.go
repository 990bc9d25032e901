package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
)

const (
	defaultAudit = 50
	// How long after something was due its record counts as late.
	lateAfter = 5 * time.Second
)

// auditQuery asks for lines of the audit. Limit is text so that one of any size is capped, not refused.
type auditQuery struct {
	Limit   string `query:"limit" doc:"How many entries at most; capped at 10000, default 50" example:"50"`
	Route   string `query:"route" doc:"Only entries of this key, in plain text, or of a sentinel path"`
	Service string `query:"service" doc:"Only entries of this service's keys and switch"`
	Before  uint64 `query:"before" doc:"Only entries before this revision: the value of X-Waygate-Next"`
}

// auditAnswer has the header that asks for what follows.
type auditAnswer struct {
	Next string `header:"X-Waygate-Next" doc:"The value of before= that asks for the entries that follow; absent at the end"`
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
}

func (s *server) listAudit(ctx context.Context, in *auditQuery) (*auditAnswer, error) {
	q := admin.AuditQuery{Limit: defaultAudit, Before: in.Before, Route: in.Route, Service: in.Service}
	if in.Limit != "" {
		n, err := strconv.ParseFloat(in.Limit, 64)
		if err != nil || n < 0 {
			return nil, newProblem(http.StatusBadRequest, wire.ProblemBlank, fmt.Sprintf("limit: %.40q is not a number of entries", in.Limit))
		}
		q.Limit = int(min(n, admin.MaxAudit))
	}
	lines, next, err := s.cfg.Service.Audit(ctx, q)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := &auditAnswer{Body: make([]wire.AuditEntry, len(lines))}
	if next > 0 {
		out.Next = strconv.FormatUint(next, 10)
	}
	for i := range lines {
		out.Body[i] = auditEntry(&lines[i])
	}
	return out, nil
}

func auditEntry(l *admin.AuditLine) wire.AuditEntry {
	e := wire.AuditEntry{
		ID:        uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "waygate:%s:%d:%d", l.Epoch, l.Rev, l.Index)).String(),
		Timestamp: wire.Stamp(l.At), Path: l.Path, Service: orNil(l.Service), Action: string(l.Action), Actor: l.Actor,
		Platform: string(l.Platform), Reason: l.Reason, PreviousStatus: statusOrNil(l.Before), NewStatus: statusOrNil(l.After),
		Until: wire.StampOrNil(l.Until), Place: wire.Place{Revision: l.Rev, Epoch: l.Epoch}, Note: l.Note,
		Window: l.Window, ScheduledAt: wire.StampOrNil(l.Due), Late: !l.Due.IsZero() && l.At.Sub(l.Due) > lateAfter,
	}
	return e
}
