package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// remembered is for how long the id of a change is known.
const remembered = 24 * time.Hour

// Commit implements state.Store by one script, and by WAITAOF where the server has it.
func (s *Store) Commit(ctx context.Context, base state.Meta, c state.Change) (state.Receipt, error) {
	frame, err := sealed(base, c)
	if err != nil {
		return state.Receipt{}, fmt.Errorf("commit: %w", err)
	}
	names := []string{s.keys.meta(), s.keys.state(), s.keys.log(), s.keys.private()}
	if c.ID != "" {
		names = append(names, s.keys.idem(c.ID))
	}
	opening, err := frameOpening(frame)
	if err != nil {
		return state.Receipt{}, fmt.Errorf("commit: %w", err)
	}
	once := newOnce()
	args := []any{
		base.Epoch, base.Gen, base.Rev, base.Head.String(), frame.Rev, frame.Head.String(), once, s.keys.events(),
		s.keepLog, remembered.Milliseconds(), opening, []byte(frame.Payload), len(c.Patch),
	}
	args = appendPatch(args, c.Patch)
	for field, value := range c.Private {
		args = append(args, field, value)
	}
	answer, err := s.send(ctx, "commit", commitTimeout, call{script: commitScript, keys: names, args: args, once: once})
	if err != nil {
		return state.Receipt{}, err
	}
	return receipt(answer, base, frame)
}

// sealed is the frame of a change that can be stored. A patch that cannot be read is refused with state.ErrDamaged: no
// document holding it could ever be loaded.
func sealed(base state.Meta, c state.Change) (state.Frame, error) {
	if _, err := state.NewDocument(base).With(c.Patch, base); err != nil {
		return state.Frame{}, err
	}
	if err := checkPrivate(c.Private); err != nil {
		return state.Frame{}, err
	}
	return c.Frame(base)
}

// checkPrivate keeps the stamps out of reach.
func checkPrivate(private map[string][]byte) error {
	for field := range private {
		if strings.HasPrefix(field, "@") {
			return state.Invalid("private", "the private field %q begins with @, which is ours", field)
		}
	}
	return nil
}

// appendPatch adds the pairs of a patch; what removes a field is an empty value there.
func appendPatch(args []any, p state.Patch) []any {
	for field, value := range p {
		if string(value) == "null" {
			value = nil
		}
		args = append(args, field, []byte(value))
	}
	return args
}

// frameOpening is the JSON of a frame up to its entry. The script puts the entry and a brace behind it, so that the
// entry travels once and its bytes stay what was hashed.
func frameOpening(f state.Frame) (string, error) {
	text, err := json.Marshal(struct {
		Epoch string     `json:"epoch"`
		Rev   uint64     `json:"rev"`
		Prev  state.Head `json:"prev"`
		Head  state.Head `json:"head"`
	}{f.Epoch, f.Rev, f.Prev, f.Head})
	if err != nil {
		return "", fmt.Errorf("encode frame: %w", err)
	}
	return strings.TrimSuffix(string(text), "}") + `,"entry":`, nil
}

// receipt reads what [commitScript] answered.
func receipt(a answer, base state.Meta, frame state.Frame) (state.Receipt, error) {
	switch a.said {
	case saidOK:
		return state.Receipt{Frame: frame}, a.unsynced()
	case saidDuplicate:
		first, err := state.ParseFrame([]byte(a.rest(0)))
		if err != nil {
			return state.Receipt{}, fmt.Errorf("commit: what was committed under this id: %w", err)
		}
		return state.Receipt{Frame: first, Duplicate: true}, a.unsynced()
	case saidConflict:
		if a.lost && a.rest(0) != base.Epoch {
			return state.Receipt{}, fmt.Errorf("commit: then the store was seeded anew: %w", state.ErrUnknownOutcome)
		}
		return state.Receipt{}, fmt.Errorf("commit on revision %d, the store is at %s: %w", base.Rev, a.rest(1), state.ErrConflict)
	case saidEmpty:
		if a.lost {
			return state.Receipt{}, fmt.Errorf("commit: then the store lost its content: %w: %w", state.ErrUnknownOutcome, state.ErrEmpty)
		}
		return state.Receipt{}, fmt.Errorf("commit: %w", state.ErrEmpty)
	default:
		return state.Receipt{}, fmt.Errorf("commit: %w", a.denied())
	}
}

// unsynced is the error of a change that is in force but that the server did not confirm to be on disk.
func (a answer) unsynced() error {
	if !a.waited || a.synced {
		return nil
	}
	return fmt.Errorf("the change is in force, but Redis has not synced it to disk within %v: %w", syncTimeout, state.ErrUnknownOutcome)
}

// denied is the error of a script that found a step forbidden and did nothing.
func (a answer) denied() error {
	return fmt.Errorf("%w: %s: %s on %s", state.ErrUnavailable, meanings["NOPERM"], a.rest(0), a.rest(1))
}

var errNoReply = errors.New("the reply of the script cannot be read")

// answerOf reads the reply of a script.
func answerOf(reply any) (answer, error) {
	list, _ := reply.([]any)
	if len(list) == 0 {
		return answer{}, errNoReply
	}
	said, _ := list[0].(string)
	a := answer{said: said}
	for _, v := range list[1:] {
		text, ok := v.(string)
		if n, isNumber := v.(int64); isNumber && !ok {
			text = strconv.FormatInt(n, 10)
		}
		a.more = append(a.more, text)
	}
	return a, nil
}
