package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// ErrKeyReused means that an idempotency key was used for another change before.
var ErrKeyReused = errors.New("this Idempotency-Key was used for another change: take a new one")

// Bounds of idempotency keys.
const (
	maxRetryKey  = 255
	rememberFor  = 24 * time.Hour
	maxRemember  = 2000
	fieldOnce    = "idem:" // + id: what was done under it, in the private part
	digestLength = 16
)

// once is a change that is to be made at most once.
type once struct {
	id string // of the key, as one user sent it
	// digest is of what was asked for.
	digest string
	// drop are the fields of forgotten keys.
	drop []string
}

// made is what is remembered of a change that was made under a key.
type made struct {
	Digest string    `json:"digest"`
	Epoch  string    `json:"epoch"`
	Rev    uint64    `json:"rev"`
	At     time.Time `json:"at"`
	// Window is what a single command on a window was about, and On where that is: the window may be gone since.
	Window string       `json:"window,omitempty"`
	On     state.Target `json:"on,omitzero"`
}

// Retry makes a change safe to send again.
type Retry struct {
	// Key is the client's idempotency key; empty for none.
	Key string
	// Asked is what the client sent, as it sent it: the same key with something else is ErrKeyReused.
	Asked any
}

// newOnce is nil without a key.
func newOnce(who people.Principal, retry Retry) (*once, error) {
	if retry.Key == "" {
		return nil, nil //nolint:nilnil // no key, nothing to remember: not an error
	}
	if len(retry.Key) > maxRetryKey {
		return nil, state.Invalid("Idempotency-Key", "an Idempotency-Key has at most %d bytes", maxRetryKey)
	}
	text, err := json.Marshal(retry.Asked)
	if err != nil {
		return nil, fmt.Errorf("encode what was asked for: %w", err)
	}
	return &once{id: "key:" + digest(who.Name+"\x00"+retry.Key), digest: digest(string(text))}, nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:digestLength])
}

// mark puts the key and what is to be remembered under it into a change that is made on view.
func (o *once) mark(c *state.Change, view View, outcomes []state.Outcome) {
	if o == nil {
		return
	}
	c.ID = o.id
	m := made{Digest: o.digest, Epoch: view.Place().Epoch, Rev: view.Place().Rev + 1, At: view.Now}
	if len(outcomes) == 1 && outcomes[0].WindowID != "" {
		m.Window, m.On = outcomes[0].WindowID, outcomes[0].Target
	}
	text, err := json.Marshal(m)
	if err != nil {
		return // plain strings and numbers always encode
	}
	if c.Private == nil {
		c.Private = map[string][]byte{}
	}
	c.Private[fieldOnce+o.id] = text
	for _, field := range o.drop {
		c.Private[field] = nil
	}
}

// doneBefore gives what was made under the key, nil for nothing; ErrKeyReused when it was something else.
func (s *Service) doneBefore(ctx context.Context, o *once) (*made, error) {
	if o == nil {
		return nil, nil //nolint:nilnil // nothing is remembered without a key
	}
	fields, err := s.cfg.Store.Private(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for the idempotency key: %w", err)
	}
	now := s.Now()
	var kept []remembered
	for field, text := range fields {
		if !strings.HasPrefix(field, fieldOnce) {
			continue
		}
		var m made
		if err := json.Unmarshal(text, &m); err != nil || now.Sub(m.At) > rememberFor {
			o.drop = append(o.drop, field)
			continue
		}
		if field == fieldOnce+o.id {
			if m.Digest != o.digest {
				return nil, ErrKeyReused
			}
			return &m, nil
		}
		kept = append(kept, remembered{field, m.At})
	}
	o.dropOldest(kept)
	return nil, nil //nolint:nilnil // nothing was made under the key
}

type remembered struct {
	field string
	at    time.Time
}

func (o *once) dropOldest(kept []remembered) {
	if len(kept) < maxRemember {
		return
	}
	slices.SortFunc(kept, func(a, b remembered) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.field, b.field)) })
	for _, k := range kept[:len(kept)-maxRemember+1] {
		o.drop = append(o.drop, k.field)
	}
}

// raced answers where the same key was used by two calls at once and the other one was first.
func (s *Service) raced(ctx context.Context, o *once, receipt state.Receipt, commands []state.Command) (Result, error) {
	done, err := s.doneBefore(ctx, o)
	if err != nil {
		return Result{}, err
	}
	if done == nil {
		done = &made{Epoch: receipt.Frame.Epoch, Rev: receipt.Frame.Rev}
	}
	return s.again(ctx, *done, commands)
}

// again answers a repeated call: where its change stands, and what is true now.
func (s *Service) again(ctx context.Context, done made, commands []state.Command) (Result, error) {
	soon, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	if err := s.cfg.Follower.Wait(soon, done.Epoch, done.Rev); err != nil {
		s.cfg.Log.Debug("the view is not at the repeated change", zap.Error(err))
	}
	view, err := s.View()
	if err != nil {
		return Result{}, err
	}
	r := Result{View: view, Duplicate: true, At: state.Meta{Epoch: done.Epoch, Rev: done.Rev}}
	for _, c := range commands {
		if done.Window != "" {
			c.Target, c.AnyMethod = done.On, true
		}
		out := s.present(view, c)
		out.WindowID = done.Window
		r.Outcomes = append(r.Outcomes, out)
	}
	return r, nil
}
