package admin

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// AuditFilter says which lines of the audit are wanted. What is empty is not asked for.
type AuditFilter struct {
	// Route asks for the lines of one key, spelled in any way, or of a switch, an endpoint or the log by its sentinel
	// path. A key without a method stands for its METHOD:path keys too.
	Route string
	// Match asks for the lines of all keys that this one contains.
	Match string
	// Service asks for the lines of one service's keys and switch.
	Service  string
	Actor    string
	Actions  []string
	Platform string
	// From and To bound when it was recorded: From <= t < To.
	From, To time.Time
	// Text stands somewhere in the reason, the path or the actor, in any case.
	Text string
}

// Reader gives what reads the lines that are wanted out of one frame, in the order in which things were done. The error
// says what is wrong with the filter.
func (f AuditFilter) Reader() (func(*state.Frame) ([]AuditLine, error), error) {
	wanted, err := f.compile()
	if err != nil {
		return nil, err
	}
	return func(f *state.Frame) ([]AuditLine, error) {
		lines, err := wanted.linesOf(f)
		slices.Reverse(lines)
		return lines, err
	}, nil
}

// clockSlack is by how much the times of entries may go back from one to the next: a store's clock can be set.
const clockSlack = time.Hour

// sieve is a filter, ready to be used.
type sieve struct {
	AuditFilter
	target  state.Target
	anyOf   bool // the METHOD:path keys of target, too
	pattern state.Key
	text    string
	// needles stand in the payload of every entry that has a line that is wanted: most need not be decoded.
	needles [][]byte
	// before is where to begin inside a commit; zero where none is parted.
	before Mark
}

// after is the mark after all lines of a revision that are wanted.
func (v *sieve) after(rev uint64) Mark {
	if rev == v.before.Rev {
		return v.before
	}
	return Mark{Rev: rev + 1}
}

// compile reads what the filter asks for. The errors are *state.InvalidError.
func (f AuditFilter) compile() (*sieve, error) {
	v := &sieve{AuditFilter: f, text: strings.ToLower(f.Text)}
	if err := v.readRoute(); err != nil {
		return nil, err
	}
	if f.Match != "" {
		var err error
		if v.pattern, _, err = state.ParseKey(f.Match); err != nil {
			return nil, err //nolint:wrapcheck // it says what is wrong with the key
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return nil, state.Invalid("to", "to is %s, which is not after from", f.To.Format(time.RFC3339))
	}
	v.need("actor", f.Actor)
	v.need("platform", f.Platform)
	if len(f.Actions) == 1 {
		v.need("action", f.Actions[0])
	}
	return v, nil
}

// readRoute reads what Route names, and whether it stands for every METHOD:path key of its path.
func (v *sieve) readRoute() error {
	if v.Route == "" || v.noTarget() {
		return nil
	}
	if err := v.target.UnmarshalText([]byte(v.Route)); err != nil || v.target.Key.Path == "" {
		return err //nolint:wrapcheck // it says what is wrong with the key
	}
	spelled, err := state.ParseSpelling(v.Route)
	v.anyOf = spelled.Key.Method == "" && !spelled.AnyMethod
	return err //nolint:wrapcheck // it says what is wrong with the key
}

// noTarget reports whether Route is a sentinel path that stands in records alone.
func (v *sieve) noTarget() bool { return state.IsWebhookPath(v.Route) || v.Route == state.AuditPath }

// need notes that a member must have a value.
func (v *sieve) need(member, value string) {
	if value == "" {
		return
	}
	if text, err := json.Marshal(value); err == nil {
		v.needles = append(v.needles, []byte(`"`+member+`":`+string(text)))
	}
}

// tooOld reports whether nothing before a frame can be wanted.
func (v *sieve) tooOld(f *state.Frame) bool {
	if v.From.IsZero() {
		return false
	}
	e, err := f.Entry()
	return err == nil && e.At.Before(v.From.Add(-clockSlack))
}

// linesOf gives the lines of a frame that are wanted, the last one first.
func (v *sieve) linesOf(f *state.Frame) ([]AuditLine, error) {
	for _, n := range v.needles {
		if !bytes.Contains(f.Payload, n) {
			return nil, nil
		}
	}
	e, err := f.Entry()
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the frame
	}
	switch e.Kind {
	case state.KindChange, state.KindAnnounce, state.KindPrivate:
	default:
		return nil, nil
	}
	if !v.wantsEntry(&e) {
		return nil, nil
	}
	var lines []AuditLine
	for i, r := range slices.Backward(e.Records) {
		if v.wants(&e, &r) && (f.Rev != v.before.Rev || i < v.before.Index) {
			lines = append(lines, AuditLine{
				Record: r, At: e.At, Actor: e.Actor, Platform: e.Platform, Epoch: f.Epoch, Rev: f.Rev, Index: i,
			})
		}
	}
	if len(lines) > 0 {
		changes := changesOf(&e)
		for i := range lines {
			lines[i].Changes = changes[lines[i].Index]
		}
	}
	return lines, nil
}

func (v *sieve) wantsEntry(e *state.Entry) bool {
	return (v.Actor == "" || e.Actor == v.Actor) && (v.Platform == "" || string(e.Platform) == v.Platform) &&
		(v.From.IsZero() || !e.At.Before(v.From)) && (v.To.IsZero() || e.At.Before(v.To))
}

func (v *sieve) wants(e *state.Entry, r *state.Record) bool {
	if len(v.Actions) > 0 && !slices.Contains(v.Actions, string(r.Action)) {
		return false
	}
	if v.text != "" && !slices.ContainsFunc([]string{r.Reason, r.Path, e.Actor}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), v.text)
	}) {
		return false
	}
	if v.Route == "" && v.Match == "" && v.Service == "" {
		return true
	}
	if v.noTarget() {
		return r.Path == v.Route && v.Match == "" && v.Service == ""
	}
	var t state.Target
	if err := t.UnmarshalText([]byte(r.Path)); err != nil {
		return false
	}
	return (v.Service == "" || t.Key.Service == v.Service || t.Service == v.Service) &&
		(v.Match == "" || t.Key.Path != "" && v.pattern.Contains(t.Key)) && v.wantsTarget(t)
}

func (v *sieve) wantsTarget(t state.Target) bool {
	if v.Route == "" || t == v.target {
		return true
	}
	t.Key.Method = ""
	return v.anyOf && t == v.target
}

// changesOf are the fields that an entry set for each of its records: those of its target. What belongs to no record,
// such as an exception that a wider block lost, counts with the first, as does what belongs to several.
func changesOf(e *state.Entry) [][]state.Told {
	first := make(map[state.Target]int, len(e.Records))
	for i, r := range slices.Backward(e.Records) {
		var t state.Target
		if t.UnmarshalText([]byte(r.Path)) == nil {
			first[t] = i
		}
	}
	of := make([][]state.Told, len(e.Records))
	for _, c := range e.Told() {
		i := first[c.Target]
		of[i] = append(of[i], c)
	}
	return of
}
