package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// SecretPrefix begins every signing secret: https://github.com/standard-webhooks/standard-webhooks, "Signature scheme".
const SecretPrefix = "whsec_"

// Secret is one signing secret of an endpoint.
type Secret struct {
	// Value is whsec_ and the base64 of 24 to 64 bytes.
	Value string `json:"value"`
	// Until is when the secret stops to sign, while rotating; zero: never.
	Until time.Time `json:"until,omitzero"`
}

// Lengths of a secret's bytes.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

// NewSecret draws a secret.
func NewSecret() Secret {
	raw := make([]byte, newSecret)
	_, _ = rand.Read(raw) // it never fails
	return Secret{Value: SecretPrefix + base64.StdEncoding.EncodeToString(raw)}
}

// Validate says what is wrong with a secret, in an *state.InvalidError.
func (s Secret) Validate() error {
	_, err := s.key()
	return err
}

// key is what is signed with.
func (s Secret) key() ([]byte, error) {
	text, ok := strings.CutPrefix(s.Value, SecretPrefix)
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < minSecret || len(raw) > maxSecret {
		return nil, state.Invalid("secrets", "a secret is %s and the base64 of %d to %d bytes", SecretPrefix, minSecret, maxSecret)
	}
	return raw, nil
}

// over reports whether the secret signs no more.
func (s Secret) over(now time.Time) bool { return !s.Until.IsZero() && !now.Before(s.Until) }
