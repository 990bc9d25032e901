package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// tokenPrefix begins every token, so that scanners of leaked secrets can know one.
const tokenPrefix = "wg_"

// maxToken bounds what is read of a token, in bytes.
const maxToken = 2048

// claims is what a token says. Its text is tokenPrefix, the base64url of the claims' JSON, a dot, and the base64url of
// the HMAC-SHA256 over all before the dot.
type claims struct {
	ID          string         `json:"i"`
	Name        string         `json:"u"`
	Platform    state.Platform `json:"p"`
	Role        Role           `json:"r"`
	Expires     int64          `json:"e"` // Unix seconds
	Fingerprint string         `json:"f,omitempty"`
	Machine     bool           `json:"m,omitempty"`
}

func (c claims) sign(key []byte) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(key, text)), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// parseToken checks the signature first; everything it refuses is ErrToken.
func parseToken(text string, key []byte) (claims, error) {
	signed, signature, found := strings.Cut(text, ".")
	if !found || len(text) > maxToken || !strings.HasPrefix(signed, tokenPrefix) {
		return claims{}, ErrToken
	}
	given, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(given, mac(key, signed)) {
		return claims{}, ErrToken
	}
	body, err := base64.RawURLEncoding.DecodeString(signed[len(tokenPrefix):])
	if err != nil {
		return claims{}, ErrToken
	}
	var c claims
	if json.Unmarshal(body, &c) != nil || c.ID == "" {
		return claims{}, ErrToken
	}
	return c, nil
}
