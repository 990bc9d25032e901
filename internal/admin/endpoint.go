package admin

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// Where an endpoint comes from.
const (
	SourceStore       = "store"       // somebody made it
	SourceFile        = "file"        // --webhooks-file
	SourceEnvironment = "environment" // a variable
)

// ErrFixed means that an endpoint stands in this admin's file or environment: it is changed there.
var ErrFixed = errors.New("the endpoint is not kept in the store")

// Endpoint is an endpoint with where it comes from.
type Endpoint struct {
	webhook.Endpoint
	Source string
	// Changed and ChangedBy tell of the last change, if there was one.
	Changed   time.Time
	ChangedBy string
	// off is set where what disabled it is remembered beside where it stands.
	off bool
}

// fixed is nil for an endpoint that can be changed here.
func (e *Endpoint) fixed() error {
	switch e.Source {
	case SourceFile:
		return fmt.Errorf("endpoint %s stands in the admins' --webhooks-file: change it there: %w", e.ID, ErrFixed)
	case SourceEnvironment:
		return fmt.Errorf("endpoint %s comes from the admins' environment: change it there: %w", e.ID, ErrFixed)
	default:
		return nil
	}
}

// Names of the fields of the private part that are about endpoints.
const (
	fieldHook    = "hook:"     // + id: an endpoint, as JSON of keptEndpoint
	fieldHookOff = "hook-off:" // + id: why a fixed endpoint is disabled, as JSON of switchedOff
)

// keptEndpoint is an endpoint in the private part.
type keptEndpoint struct {
	webhook.Endpoint
	Changed   time.Time `json:"changed_at,omitzero"`
	ChangedBy string    `json:"changed_by,omitempty"`
}

// switchedOff says that a fixed endpoint is disabled. It holds for one address: what stands in the file or the
// environment later is another receiver.
type switchedOff struct {
	Why string `json:"why"`
	URL string `json:"url"` // a digest: the address can be a secret
}

func digestOfURL(url string) string {
	sum := sha256.Sum256([]byte("waygate endpoint\x00" + url))
	return hex.EncodeToString(sum[:digestLength])
}

// endpointsIn reads the endpoints in the private part, and puts the fixed ones beside them. What cannot be read is told
// in broken, by field.
func endpointsIn(fields map[string][]byte, fixed []Endpoint) (all map[string]Endpoint, broken map[string]error) {
	all, broken = map[string]Endpoint{}, map[string]error{}
	for field, text := range fields {
		id, ok := strings.CutPrefix(field, fieldHook)
		if !ok {
			continue
		}
		var kept keptEndpoint
		if err := json.Unmarshal(text, &kept); err != nil {
			broken[field] = err
			continue
		}
		kept.ID = id
		all[id] = Endpoint{Endpoint: kept.Endpoint, Source: SourceStore, Changed: kept.Changed, ChangedBy: kept.ChangedBy}
	}
	for _, e := range fixed {
		var off switchedOff
		if text, ok := fields[fieldHookOff+e.ID]; ok {
			if err := json.Unmarshal(text, &off); err != nil {
				broken[fieldHookOff+e.ID] = err
			}
		}
		if off.URL == digestOfURL(e.URL) && !e.Disabled {
			e.Disabled, e.Why, e.off = true, off.Why, true
		}
		all[e.ID] = e
	}
	return all, broken
}

// field is the endpoint as the private part holds it.
func (e *Endpoint) field() (map[string][]byte, error) {
	if e.Source != SourceStore {
		if !e.off {
			return map[string][]byte{fieldHookOff + e.ID: nil}, nil
		}
		text, err := json.Marshal(switchedOff{Why: e.Why, URL: digestOfURL(e.URL)})
		if err != nil {
			return nil, fmt.Errorf("encode why %s is disabled: %w", e.ID, err)
		}
		return map[string][]byte{fieldHookOff + e.ID: text}, nil
	}
	text, err := json.Marshal(keptEndpoint{Endpoint: e.Endpoint, Changed: e.Changed, ChangedBy: e.ChangedBy})
	if err != nil {
		return nil, fmt.Errorf("encode endpoint %s: %w", e.ID, err)
	}
	return map[string][]byte{fieldHook + e.ID: text}, nil
}

// idLength is that of an id, after its prefix: 60 bits.
const idLength = 12

// EndpointID derives an id, so that the same text gives the same one.
func EndpointID(prefix, text string) string {
	sum := sha256.Sum256([]byte("waygate endpoint id\x00" + text))
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:idLength])
}

// note says in the audit what the endpoint is. The rest of its address may be a secret.
func (e *Endpoint) note(did string) string {
	format := e.Format
	if format == "" {
		format = webhook.FormatGeneric
	}
	shown := e.Redacted()
	text := fmt.Sprintf("%s, to %s", format, hostOf(shown.URL))
	if e.Name != "" {
		text = e.Name + ": " + text
	}
	if did != "" {
		text += "; " + did
	}
	return text
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// record is the line of the audit about a change of the endpoint. It holds nothing secret.
func (e *Endpoint) record(action state.Action, reason, did string) state.Record {
	return state.Record{Action: action, Path: state.WebhookPath(e.ID), Reason: reason, Note: e.note(did)}
}
