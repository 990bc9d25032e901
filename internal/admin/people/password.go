package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// Costs of new hashes (OWASP's first choice for argon2id): 19 MiB, two passes, one lane.
const (
	hashMemory = 19 * 1024 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashLength = 32
	saltLength = 16
)

// Bounds of what a users file may ask for: more would let one login exhaust the machine.
const (
	maxHashMemory = 256 * 1024 // KiB
	maxHashPasses = 16
	maxHashLanes  = 16
)

// hashesAtOnce bounds how many passwords are checked at the same time, and spareHashes how many more of users at an address
// that is trusted; waitForHash is how long a login waits its turn.
const (
	hashesAtOnce = 2
	spareHashes  = 1
	waitForHash  = 2 * time.Second
)

// MaxPassword is how long a password may be, in characters: a login takes no longer one.
const MaxPassword = 1024

// hash is an argon2id hash with its costs.
type hash struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

// HashPassword makes the text that a users file holds for a password: the PHC form of argon2id.
func HashPassword(password string) string {
	h := newHash(password)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.sum))
}

func newHash(password string) hash {
	h := hash{memory: hashMemory, passes: hashPasses, lanes: hashLanes, salt: make([]byte, saltLength)}
	rand.Read(h.salt)
	h.sum = argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, hashLength)
	return h
}

// parseHash reads the PHC form.
func parseHash(text string) (hash, error) {
	var h hash
	var version int
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, fmt.Errorf("not an argon2id hash: it looks like $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return h, fmt.Errorf("argon2id version %q is not %d", parts[2], argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return h, fmt.Errorf("costs %q: %w", parts[3], err)
	}
	if h.passes < 1 || h.passes > maxHashPasses || h.lanes < 1 || h.lanes > maxHashLanes || h.memory > maxHashMemory {
		return h, fmt.Errorf("costs %q are out of bounds: at most m=%d,t=%d,p=%d", parts[3], maxHashMemory, maxHashPasses, maxHashLanes)
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 {
		return h, fmt.Errorf("the salt is not base64 of at least 8 bytes")
	}
	if h.sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.sum) < 16 {
		return h, fmt.Errorf("the hash is not base64 of at least 16 bytes")
	}
	return h, nil
}

// matches spends the hash's costs and compares in constant time.
func (h hash) matches(password string) bool {
	sum := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// check is matches, when its turn comes; TooManyError when too many others wait. Who is trusted has turns that a flood from
// many addresses cannot take.
func (p *People) check(ctx context.Context, h hash, password string, trusted bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, waitForHash)
	defer cancel()
	var spare chan struct{}
	if trusted {
		spare = p.spare
	}
	select {
	case p.gate <- struct{}{}:
		defer func() { <-p.gate }()
		return h.matches(password), nil
	case spare <- struct{}{}:
		defer func() { <-p.spare }()
		return h.matches(password), nil
	case <-ctx.Done():
		return false, &TooManyError{After: waitForHash}
	}
}
