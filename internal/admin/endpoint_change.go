package admin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// ChangedEndpoint is what a change of an endpoint came to.
type ChangedEndpoint struct {
	Endpoint
	// Secret is the signing secret that the change made; empty where it made none. It is told this once.
	Secret string
	// At is where the change stands in the log.
	At state.Meta
	// Changed is false where everything was already so; Duplicate says that the idempotency key was used before.
	Changed, Duplicate bool
}

// Grace bounds of a rotation: how long the secret before stays valid.
const (
	DefaultGrace = 24 * time.Hour
	maxGrace     = 30 * 24 * time.Hour
)

// edit changes an endpoint and says under which action that is audited and what was done; an empty action: nothing.
type edit func(e *Endpoint, now time.Time) (action state.Action, did string, err error)

// Add makes an endpoint. Its id, its source and its author are set here. Without a secret, one is drawn where the receiver
// can verify signatures at all.
func (e *Endpoints) Add(ctx context.Context, who people.Principal, retry Retry, wanted webhook.Endpoint) (ChangedEndpoint, error) {
	if err := who.May(people.ScopeAdmin); err != nil {
		return ChangedEndpoint{}, err
	}
	draws := len(wanted.Secrets) == 0 && verifies(wanted.Format)
	if draws {
		wanted.Secrets = []webhook.Secret{webhook.NewSecret()}
	}
	wanted.ID = newEndpointID(who, retry)
	if err := wanted.Validate(); err != nil {
		return ChangedEndpoint{}, err //nolint:wrapcheck // it says what is wrong
	}
	out, err := e.change(ctx, who, retry, wanted.ID, "", func(all map[string]Endpoint, now time.Time) (Endpoint, state.Action, string, error) {
		if made, ok := all[wanted.ID]; ok && now.Sub(made.Created) > rememberFor/2 {
			return Endpoint{}, "", "", ErrKeyReused // the id follows from the key, which was forgotten
		}
		if err := vacant(all, &wanted); err != nil {
			return Endpoint{}, "", "", err
		}
		if len(all) >= maxEndpoints {
			return Endpoint{}, "", "", state.Invalid("url", "there are %d webhooks already: remove some", len(all))
		}
		made := Endpoint{Endpoint: wanted, Source: SourceStore}
		made.Created, made.By = now.UTC().Truncate(time.Second), who.Name
		return made, state.ActionWebhookAdd, "", nil
	})
	if draws {
		out.Secret = activeSecret(&out.Endpoint.Endpoint)
	}
	return out, err
}

// verifies reports whether receivers of a format look at signatures. Chat and paging services do not: knowing the
// address is what they ask for.
func verifies(f webhook.Format) bool {
	return f == "" || f == webhook.FormatGeneric || f == webhook.FormatTemplate
}

// vacant refuses a name that another endpoint has: names are what people type.
func vacant(all map[string]Endpoint, wanted *webhook.Endpoint) error {
	for id, other := range all {
		if wanted.Name != "" && other.Name == wanted.Name && id != wanted.ID || id != wanted.ID && id == wanted.Name {
			return state.Invalid("name", "another webhook, %s, has the name %q: choose another one", id, wanted.Name)
		}
	}
	return nil
}

// Change changes an endpoint of the store as amend does. It is ErrFixed for one that stands elsewhere.
func (e *Endpoints) Change(ctx context.Context, who people.Principal, retry Retry, id, reason string, amend func(*webhook.Endpoint)) (ChangedEndpoint, error) {
	return e.edit(ctx, who, retry, id, reason, func(one *Endpoint, _ time.Time) (state.Action, string, error) {
		if err := one.fixed(); err != nil {
			return "", "", err
		}
		was := one.Endpoint
		amend(&one.Endpoint)
		one.ID, one.Created, one.By = was.ID, was.Created, was.By
		if err := one.Validate(); err != nil {
			return "", "", err //nolint:wrapcheck // it says what is wrong
		}
		did := changedMembers(&was, &one.Endpoint)
		if did == "" {
			return "", "", nil
		}
		return state.ActionWebhookChange, did, nil
	})
}

// Rotate gives an endpoint a new signing secret. Those before stay valid for the grace time beside it.
func (e *Endpoints) Rotate(ctx context.Context, who people.Principal, retry Retry, id string, secret webhook.Secret, grace time.Duration) (ChangedEndpoint, error) {
	if grace < 0 || grace > maxGrace {
		return ChangedEndpoint{}, state.Invalid("grace", "the secret before stays valid for at most 30 days")
	}
	drawn := secret.Value == ""
	if drawn {
		secret = webhook.NewSecret()
	}
	out, err := e.edit(ctx, who, retry, id, "", func(one *Endpoint, now time.Time) (state.Action, string, error) {
		if err := one.fixed(); err != nil {
			return "", "", err
		}
		one.Secrets = append(fading(one.Secrets, now, grace), secret)
		if err := one.Validate(); err != nil {
			return "", "", err //nolint:wrapcheck // it says what is wrong
		}
		return state.ActionWebhookRotate, "the secret before is valid for " + schedule.Brief(grace.String()) + " more", nil
	})
	if drawn {
		out.Secret = activeSecret(&out.Endpoint.Endpoint)
	}
	return out, err
}

// keepFading bounds how many secrets that end are kept beside the one that signs.
const keepFading = 6

// fading are the secrets as they are once there is a new one: each with an end.
func fading(secrets []webhook.Secret, now time.Time, grace time.Duration) []webhook.Secret {
	end := now.Add(grace).UTC().Truncate(time.Second)
	var kept []webhook.Secret
	for _, s := range secrets {
		if s.Until.IsZero() || s.Until.After(end) {
			s.Until = end
		}
		if s.Until.After(now) {
			kept = append(kept, s)
		}
	}
	return kept[max(0, len(kept)-keepFading):]
}

// Switch enables or disables an endpoint, wherever it stands; why says who or what wants it disabled. A fixed one that
// is disabled where it stands cannot be enabled here.
func (e *Endpoints) Switch(ctx context.Context, who people.Principal, retry Retry, id string, on bool, reason string) (ChangedEndpoint, error) {
	return e.edit(ctx, who, retry, id, reason, func(one *Endpoint, _ time.Time) (state.Action, string, error) {
		if one.Disabled == !on {
			return "", "", nil
		}
		if on && one.Source != SourceStore && !one.off {
			return "", "", one.fixed()
		}
		did := "enabled"
		one.Disabled, one.Why, one.off = false, "", false
		if !on {
			did = "disabled"
			one.Disabled, one.Why, one.off = true, "by "+who.Name, one.Source != SourceStore
			if reason != "" {
				one.Why += ": " + reason
			}
		}
		return state.ActionWebhookChange, did, nil
	})
}

// Disable implements webhook.Endpoints: an endpoint answered that it is gone.
func (e *Endpoints) Disable(ctx context.Context, id, why string) error {
	system := people.Principal{Name: state.ActorSystem, Platform: state.PlatformSystem}
	_, err := e.change(ctx, system, Retry{}, id, "", func(all map[string]Endpoint, _ time.Time) (Endpoint, state.Action, string, error) {
		one, ok := all[id]
		if !ok || one.Disabled {
			return one, "", "", nil
		}
		one.Disabled, one.Why, one.off = true, why, one.Source != SourceStore
		return one, state.ActionWebhookChange, "disabled: " + why, nil
	})
	return err
}

// Remove removes an endpoint, with what was still to be sent to it.
func (e *Endpoints) Remove(ctx context.Context, who people.Principal, retry Retry, id, reason string) (ChangedEndpoint, error) {
	out, err := e.edit(ctx, who, retry, id, reason, func(one *Endpoint, _ time.Time) (state.Action, string, error) {
		return state.ActionWebhookRemove, "", one.fixed()
	})
	if err == nil && out.Changed {
		if failed := e.courier.Forget(ctx, id); failed != nil { // what is left there is never looked at
			e.service.cfg.Log.Warn("what was kept for a removed endpoint is still there", zap.String("endpoint", id), zap.Error(failed))
		}
	}
	return out, err
}

// edit changes one endpoint that must be there, by somebody who may.
func (e *Endpoints) edit(ctx context.Context, who people.Principal, retry Retry, id, reason string, do edit) (ChangedEndpoint, error) {
	if err := who.May(people.ScopeAdmin); err != nil {
		return ChangedEndpoint{}, err
	}
	return e.change(ctx, who, retry, id, reason, func(all map[string]Endpoint, now time.Time) (Endpoint, state.Action, string, error) {
		one, ok := all[id]
		if !ok {
			return Endpoint{}, "", "", noEndpoint(id)
		}
		one.Secrets = slices.Clone(one.Secrets)
		name := one.Name
		action, did, err := do(&one, now)
		if err == nil && action != "" && action != state.ActionWebhookRemove {
			if one.Name != name { // one that another has by now keeps nobody from disabling it
				err = vacant(all, &one.Endpoint)
			}
			one.Changed, one.ChangedBy = now.UTC().Truncate(time.Second), who.Name
		}
		return one, action, did, err
	})
}

// change commits what do makes of the endpoints as they are at the store's head, again and again while others are
// faster. Of a call that was made before under its key, it gives the endpoint as it is now.
func (e *Endpoints) change(ctx context.Context, who people.Principal, retry Retry, id, reason string,
	do func(all map[string]Endpoint, now time.Time) (Endpoint, state.Action, string, error),
) (ChangedEndpoint, error) {
	once, err := newOnce(who, retry)
	if err != nil {
		return ChangedEndpoint{}, err
	}
	var is Endpoint
	r, err := e.service.commit(ctx, once, func(_ *state.Document, now time.Time) (state.Change, []state.Outcome, error) {
		fields, err := e.service.cfg.Store.Private(ctx)
		if err != nil {
			return state.Change{}, nil, err //nolint:wrapcheck // the store says what was being done
		}
		all, _ := endpointsIn(fields, e.cfg.Fixed())
		one, action, did, err := do(all, now)
		is = one
		if err != nil || action == "" {
			return state.Change{}, nil, err
		}
		c, err := keeping(&one, action, reason, did)
		c.At, c.Actor, c.Platform = now, who.Name, who.Platform
		return c, nil, err
	}, nil)
	if err != nil {
		return ChangedEndpoint{}, err
	}
	if r.Duplicate {
		if is, err = e.find(ctx, id); err != nil {
			return ChangedEndpoint{}, err
		}
	}
	if r.Changed {
		e.Changed()
	}
	return ChangedEndpoint{Endpoint: is, At: r.At, Changed: r.Changed, Duplicate: r.Duplicate}, nil
}

// keeping is the change that keeps an endpoint as it is now, or removes it.
func keeping(one *Endpoint, action state.Action, reason, did string) (state.Change, error) {
	private := map[string][]byte{fieldHook + one.ID: nil}
	if action != state.ActionWebhookRemove {
		var err error
		if private, err = one.field(); err != nil {
			return state.Change{}, err
		}
	}
	return state.Change{
		Entry:   state.Entry{Kind: state.KindPrivate, Records: []state.Record{one.record(action, reason, did)}},
		Private: private,
	}, nil
}

// find gives an endpoint as the store holds it; of one that was removed meanwhile, its id alone.
func (e *Endpoints) find(ctx context.Context, id string) (Endpoint, error) {
	seen, err := e.read(ctx)
	if err != nil {
		return Endpoint{}, fmt.Errorf("look for the endpoint: %w", err)
	}
	all, _ := endpointsIn(seen.fields, e.cfg.Fixed())
	if one, ok := all[id]; ok {
		return one, nil
	}
	return Endpoint{Endpoint: webhook.Endpoint{ID: id}, Source: SourceStore}, nil
}
