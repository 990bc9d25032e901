package people

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
)

// user is one person.
type user struct {
	Name string
	Role Role
	hash hash
	// credential is what changes when the password does.
	credential string
}

// fingerprint binds tokens to the user's present password.
func (u user) fingerprint(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("fingerprint\x00" + u.Name + "\x00" + u.credential))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// Roster is who the users are. A file is read again when it changes.
type Roster struct {
	fixed map[string]user
	file  string
	log   *zap.Logger
	dummy hash // what an unknown user's password is checked against

	mu      sync.Mutex
	read    map[string]user
	stamp   fileStamp
	checked time.Time
}

type fileStamp struct {
	mod  time.Time
	size int64
}

// recheck is how often the users file is looked at, at most.
const recheck = time.Second

// NewRoster knows the one user with that password (none without one) and those of the file (none without one).
func NewRoster(name, password, file string, log *zap.Logger) (*Roster, error) {
	r := &Roster{fixed: map[string]user{}, file: file, log: log, dummy: newHash(rand.Text())}
	if password != "" {
		if !nameForm().MatchString(name) || reserved(name) {
			return nil, fmt.Errorf("user %q: a name has letters, digits and ._@-, at most 63, and is neither system nor anonymous", name)
		}
		if utf8.RuneCountInString(password) > MaxPassword {
			return nil, fmt.Errorf("the password of user %q is longer than %d characters, which no login takes", name, MaxPassword)
		}
		r.fixed[name] = user{Name: name, Role: Admin, hash: newHash(password), credential: "password\x00" + password}
	}
	if file == "" {
		return r, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r, r.reload()
}

func nameForm() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`) }

// reserved tells the names that the product speaks under itself.
func reserved(name string) bool {
	return strings.EqualFold(name, "system") || strings.EqualFold(name, "anonymous")
}

// Empty reports whether no users are configured. A users file counts even while it names nobody.
func (r *Roster) Empty() bool { return len(r.fixed) == 0 && r.file == "" }

// find gives a user by name.
func (r *Roster) find(name string) (user, bool) {
	if u, ok := r.fixed[name]; ok {
		return u, true
	}
	if r.file == "" {
		return user{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.checked) >= recheck {
		if err := r.reload(); err != nil {
			r.log.Error("the users file cannot be read; the users stay as they were", zap.Error(err))
		}
	}
	u, ok := r.read[name]
	return u, ok
}

// reload reads the file if it changed since it was last read.
func (r *Roster) reload() error {
	r.checked = time.Now()
	stat, err := os.Stat(r.file)
	if err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	stamp := fileStamp{stat.ModTime(), stat.Size()}
	if r.read != nil && stamp == r.stamp {
		return nil
	}
	text, err := os.ReadFile(r.file)
	if err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	users, err := parseUsers(text)
	if err != nil {
		return fmt.Errorf("users file %s: %w", r.file, err)
	}
	for name := range r.fixed {
		if _, twice := users[name]; twice {
			return fmt.Errorf("users file %s: %q is also the user of WAYGATE_USER", r.file, name)
		}
	}
	r.read, r.stamp = users, stamp
	for _, u := range users {
		r.dummy = hash{memory: u.hash.memory, passes: u.hash.passes, lanes: u.hash.lanes, salt: r.dummy.salt, sum: r.dummy.sum}
		break
	}
	return nil
}

// unknown is the hash that an unknown user's password is checked against: as dear as a known one's.
func (r *Roster) unknown() hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dummy
}

// parseUsers reads lines name:hash[:role]; empty ones and those that begin with # count for nothing. Without a role a
// user is an operator.
func parseUsers(text []byte) (map[string]user, error) {
	users := map[string]user{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		u, err := parseUser(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if _, twice := users[u.Name]; twice {
			return nil, fmt.Errorf("line %d: %q stands there twice", n, u.Name)
		}
		users[u.Name] = u
	}
	return users, lines.Err()
}

func parseUser(line string) (user, error) {
	fields := strings.Split(line, ":")
	if len(fields) < 2 || len(fields) > 3 {
		return user{}, fmt.Errorf("a line is name:argon2id-hash[:role]")
	}
	u := user{Name: fields[0], Role: Operator, credential: "hash\x00" + fields[1]}
	if !nameForm().MatchString(u.Name) || reserved(u.Name) {
		return user{}, fmt.Errorf("%q cannot be a user's name", u.Name)
	}
	var err error
	if u.hash, err = parseHash(fields[1]); err != nil {
		return user{}, fmt.Errorf("user %s: %w", u.Name, err)
	}
	if len(fields) == 3 {
		u.Role, err = ParseRole(fields[2])
	}
	return u, err
}
