package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// Addresses whose answers are as long as the log. They have no deadline but that the client reads.
const (
	exportPath = "/api/audit/export"
	framesPath = "/api/audit/frames"
	// So many of them are answered at once, and a client may take so long to read a piece.
	poursAtOnce = 8
	pourWithin  = 30 * time.Second
)

func pours(method, below string) bool {
	return (below == exportPath || below == framesPath) && (method == http.MethodGet || method == http.MethodHead)
}

// pouring registers the calls whose answers are as long as the log.
func (s *server) pouring(d huma.API) {
	s.mux.HandleFunc("GET "+exportPath, s.pour(s.exportAudit))
	s.mux.HandleFunc("GET "+framesPath, s.pour(s.exportFrames))
	export := operation(http.MethodGet, "/audit/export", "export-audit", "audit", "All lines of the audit that are asked for, oldest first")
	export.Parameters = append(filterParams(),
		&huma.Param{Name: "format", In: "query", Description: "ndjson (default) or csv", Schema: &huma.Schema{Type: huma.TypeString}})
	export.Responses = map[string]*huma.Response{"200": {
		Description: "A line for each", Content: map[string]*huma.MediaType{"application/x-ndjson": {}, "text/csv": {}},
	}}
	d.OpenAPI().AddOperation(&export)
	frames := operation(http.MethodGet, "/audit/frames", "export-frames", "audit", "The log itself: a line with the JSON of each frame, oldest first")
	for _, p := range [][2]string{
		{"epoch", "Only of this epoch, else 410"},
		{"after", "What follows this revision, or 410; default: from the beginning"},
		{"limit", "How many at most; default: all"},
	} {
		frames.Parameters = append(frames.Parameters, &huma.Param{Name: p[0], In: "query", Description: p[1], Schema: &huma.Schema{Type: huma.TypeString}})
	}
	frames.Responses = map[string]*huma.Response{"200": {
		Description: "A line for each", Content: map[string]*huma.MediaType{"application/x-ndjson": {}},
	}}
	d.OpenAPI().AddOperation(&frames)
}

// pour answers a call with as much as do writes. What fails after the first byte breaks the connection off, so that
// nobody takes a part for the whole.
func (s *server) pour(do func(context.Context, url.Values, *spout) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := principal(r.Context()).May(people.ScopeRead); err != nil {
			write(w, problemOf(err))
			return
		}
		select {
		case s.poured <- struct{}{}:
			defer func() { <-s.poured }()
		default:
			p := newProblem(http.StatusServiceUnavailable, wire.ProblemBlank, "too many exports at once")
			p.retryAfter = 1
			write(w, p)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		out := &spout{w: w, control: http.NewResponseController(w)}
		if err := out.control.SetReadDeadline(time.Time{}); err != nil {
			s.cfg.Log.Debug("the deadlines of an export cannot be lifted", zap.Error(err))
		}
		go s.whileAdmitted(r.WithContext(ctx), people.ScopeRead, cancel)
		err := do(ctx, r.URL.Query(), out)
		if err == nil {
			err = out.flush()
		}
		if err == nil {
			return
		}
		if !out.begun {
			write(w, exportProblem(err))
			return
		}
		s.cfg.Log.Info("an export was broken off", zap.Error(err))
		panic(http.ErrAbortHandler)
	}
}

// exportProblem is what a client sees of an error; what the log does not have any more is 410.
func exportProblem(err error) *problem {
	if errors.Is(err, state.ErrGap) {
		return newProblem(http.StatusGone, "urn:waygate:gap", err.Error())
	}
	return problemOf(err)
}

// spout sends pieces, each within the time a client may take.
type spout struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     []byte
	begun   bool
}

const pourPiece = 64 << 10

// Write implements io.Writer.
func (o *spout) Write(text []byte) (int, error) {
	o.buf = append(o.buf, text...)
	if len(o.buf) < pourPiece {
		return len(text), nil
	}
	return len(text), o.flush()
}

func (o *spout) flush() error {
	o.begun = true
	err := o.control.SetWriteDeadline(time.Now().Add(pourWithin))
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	if err == nil {
		_, err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	if err != nil {
		return fmt.Errorf("send an export: %w", err)
	}
	return nil
}

// exportFrames sends the log itself.
func (s *server) exportFrames(ctx context.Context, asked url.Values, out *spout) error {
	span := admin.LogSpan{Epoch: asked.Get("epoch")}
	for name, set := range map[string]func(uint64){
		"after": func(n uint64) { span.After = &n }, "limit": func(n uint64) { span.Limit = n },
	} {
		if text := asked.Get(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return state.Invalid(name, "%s: %.40q is no number", name, text)
			}
			set(n)
		}
	}
	out.w.Header().Set("Content-Type", "application/x-ndjson")
	var line []byte
	return s.cfg.Service.EachFrame(ctx, span, func(frames []state.Frame) error {
		for i := range frames {
			line = append(frames[i].AppendJSON(line[:0]), '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// exportAudit sends the lines of the audit that are asked for.
func (s *server) exportAudit(ctx context.Context, asked url.Values, out *spout) error {
	in := filterIn(asked)
	filter, err := in.filter(s.cfg.Service.Now())
	if err != nil {
		return err
	}
	var each func(*wire.AuditEntry) error
	switch format := asked.Get("format"); format {
	case "", "ndjson":
		out.w.Header().Set("Content-Type", "application/x-ndjson")
		lines := json.NewEncoder(out)
		each = func(e *wire.AuditEntry) error { return lines.Encode(e) }
	case "csv":
		out.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		table, err := newAuditTable(out, in.wantsChanges())
		if err != nil {
			return err
		}
		defer table.Flush()
		each = table.entry
	default:
		return state.Invalid("format", "format: %.40q is none: ndjson or csv", format)
	}
	out.w.Header().Set("Content-Disposition", `attachment; filename="waygate-audit"`)
	return s.cfg.Service.ExportAudit(ctx, filter, func(lines []admin.AuditLine) error {
		for i := len(lines) - 1; i >= 0; i-- {
			e := auditEntry(&lines[i], in.wantsChanges())
			if err := each(&e); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
		return nil
	})
}

// auditTable writes the audit as CSV (RFC 4180).
type auditTable struct {
	*csv.Writer
	changes bool
}

func newAuditTable(out io.Writer, changes bool) (*auditTable, error) {
	t := &auditTable{csv.NewWriter(out), changes}
	head := []string{
		"id", "timestamp", "revision", "epoch", "path", "service", "action", "actor", "platform", "reason", "previous_status", "new_status",
		"until", "window", "scheduled_at", "late", "note",
	}
	if changes {
		head = append(head, "changes")
	}
	return t, t.Write(head)
}

func (t *auditTable) entry(e *wire.AuditEntry) error {
	row := []string{
		e.ID, e.Timestamp.Format(time.RFC3339Nano), strconv.FormatUint(e.Revision, 10), e.Epoch, e.Path, orEmpty(e.Service), e.Action,
		e.Actor, e.Platform, e.Reason, orEmpty(e.PreviousStatus), orEmpty(e.NewStatus), timeOrEmpty(e.Until), e.Window,
		timeOrEmpty(e.ScheduledAt), strconv.FormatBool(e.Late), e.Note,
	}
	if t.changes {
		text, err := json.Marshal(e.Changes)
		if err != nil {
			return fmt.Errorf("encode the changes: %w", err)
		}
		row = append(row, string(text))
	}
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	return t.Write(row)
}

// harmless keeps spreadsheets from taking what somebody typed for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func timeOrEmpty(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
