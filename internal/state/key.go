package state

import (
	"fmt"
	"strings"
)

// Key is a route key in canonical form: [service:][METHOD:]/path. It is comparable. Parameter names are no part of it
// ("/users/{id}" is "/users/{}"), escapes are decoded except that a percent sign is written %25, and there is no
// trailing slash. Two keys that differ in letter case are two keys, but as blocks they match the same requests.
type Key struct {
	Service string // empty: every service
	Method  string // empty: every method
	Path    string // canonical path; the empty path is no key
}

// Spelling is a key as somebody wrote it.
type Spelling struct {
	Key Key
	// Shown keeps the parameter names as written.
	Shown string
	// AnyMethod says that every method was asked for by name (ANY:/path), not by leaving the method out.
	AnyMethod bool
}

// Methods are the methods a key can name, besides none.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

const (
	anyMethod     = "ANY"
	maxKeyLength  = 2048
	maxServiceLen = 63
)

// String is the canonical text of the key; ParseKey reads it back to the same key.
func (k Key) String() string { return k.prefix() + k.Path }

func (k Key) prefix() string {
	switch {
	case k.Service == "" && k.Method == "":
		return ""
	case k.Service == "":
		return k.Method + ":"
	case k.Method == "":
		return k.Service + ":"
	default:
		return k.Service + ":" + k.Method + ":"
	}
}

// MarshalText implements encoding.TextMarshaler with the canonical text.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a key.
func (k *Key) UnmarshalText(text []byte) error {
	parsed, _, err := ParseKey(string(text))
	*k = parsed
	return err
}

// ParseKey reads a key and gives its canonical form and its spelling to show. What it refuses is an *InvalidError
// that gives the right spelling where there is one.
func ParseKey(text string) (Key, string, error) {
	s, err := ParseSpelling(text)
	return s.Key, s.Shown, err
}

// ParseSpelling is ParseKey for callers that must know whether every method was asked for by name.
func ParseSpelling(text string) (Spelling, error) {
	if len(text) > maxKeyLength {
		return Spelling{}, Invalid("path", "a route key has at most %d bytes", maxKeyLength)
	}
	if strings.HasPrefix(text, "__") {
		return Spelling{}, Invalid("path", "%q names a switch, not a route: use the calls for global or service maintenance", text)
	}
	slash := strings.IndexByte(text, '/')
	if slash < 0 {
		return Spelling{}, noPath(text)
	}
	var s Spelling
	var err error
	if s.Key.Service, s.Key.Method, s.AnyMethod, err = parseScope(text[:slash], text[slash:]); err != nil {
		return Spelling{}, err
	}
	canonical, shown, err := parsePath(text[slash:])
	if err != nil {
		return Spelling{}, err
	}
	s.Key.Path = canonical
	if s.Shown = text; text[:slash] != s.Key.prefix() || text[slash:] != shown {
		s.Shown = s.Key.prefix() + shown
	}
	if max(len(s.Shown), len(s.Key.prefix())+len(canonical)) > maxKeyLength {
		return Spelling{}, Invalid("path", "a route key has at most %d bytes, with each percent sign counted as three", maxKeyLength)
	}
	return s, nil
}

func noPath(text string) error {
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		return Invalid("path", "the path of %q must begin with a slash: %s/%s", text, text[:i+1], text[i+1:])
	}
	return Invalid("path", "%q is not a route key: write [service:][METHOD:]/path, for example GET:/%s", text, strings.Trim(text, " "))
}

func parseScope(prefix, path string) (service, method string, explicit bool, err error) {
	if prefix == "" {
		return "", "", false, nil
	}
	rest, ok := strings.CutSuffix(prefix, ":")
	if !ok {
		return "", "", false, Invalid("path", "%q: a colon must stand before the path: %s:%s", prefix+path, strings.TrimSpace(prefix), path)
	}
	first, second, two := strings.Cut(rest, ":")
	if !two {
		if isMethod(first) || first == anyMethod {
			return "", methodOf(first), first == anyMethod, nil
		}
		return first, "", false, checkService(first, ":"+path)
	}
	if err := checkService(first, ":"+second+":"+path); err != nil {
		return "", "", false, err
	}
	if isMethod(second) || second == anyMethod {
		return first, methodOf(second), second == anyMethod, nil
	}
	if up := strings.ToUpper(second); isMethod(up) || up == anyMethod {
		return "", "", false, Invalid("path", "methods are upper case: %s:%s:%s", first, up, path)
	}
	return "", "", false, Invalid("path", "%q is no method a key can name: one of %s or ANY", second, strings.Join(methods[:], ", "))
}

// CheckService reports whether name can name a service: [a-z0-9][a-z0-9._-]{0,62}, and not like a method or "any".
// Otherwise it returns an *InvalidError.
func CheckService(name string) error { return checkService(name, "") }

// IsService reports whether name can name a service, as CheckService does. It does not allocate.
func IsService(name string) bool {
	if !isService(name) {
		return false
	}
	for _, method := range [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", anyMethod} {
		if len(name) == len(method) && strings.EqualFold(name, method) {
			return false
		}
	}
	return true
}

func checkService(name, rest string) error {
	up := strings.ToUpper(name)
	switch {
	case up == "TRACE" || up == "CONNECT":
		return Invalid("path", "%s requests are always refused: no key can name that method", up)
	case (isMethod(up) || up == anyMethod) && rest == "":
		return Invalid("service", "%q is a method and cannot name a service", name)
	case isMethod(up) || up == anyMethod:
		return Invalid("path", "%q is a method and cannot name a service; methods are upper case: %s%s", name, up, rest)
	case isService(name):
		return nil
	case isService(strings.ToLower(name)):
		return Invalid("service", "%q cannot name a service: services are lower case: %s%s", name, strings.ToLower(name), rest)
	default:
		return Invalid("service", "%q cannot name a service: it begins with a lower-case letter or digit, then a-z 0-9 . _ - follow, at most %d in all", name, maxServiceLen)
	}
}

func isService(name string) bool {
	return name != "" && len(name) <= maxServiceLen && serviceChars(name)
}

func serviceChars(name string) bool {
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

func isMethod(s string) bool {
	for _, m := range methods {
		if s == m {
			return true
		}
	}
	return false
}

func methodOf(s string) string {
	if s == anyMethod {
		return ""
	}
	return s
}

// IsSet reports whether the key contains other keys: it has a parameter, a rest, every method or every service.
func (k Key) IsSet() bool {
	return k.Service == "" || k.Method == "" || strings.ContainsAny(k.Path, "{*")
}

// IsTemplate reports whether the path has a parameter and no rest: such a block leaves alone the more specific routes
// that are known when it is set.
func (k Key) IsTemplate() bool {
	return strings.Contains(k.Path, "{") && !strings.HasSuffix(k.Path, "**")
}

// Contains reports whether every request of inner is a request of k, both taken as blocks (letter case aside).
// A key contains itself.
func (k Key) Contains(inner Key) bool {
	return k.scopeContains(inner) && patternOf(k.Path).contains(patternOf(inner.Path))
}

// Overlaps reports whether some request is one of both keys, taken as blocks.
func (k Key) Overlaps(other Key) bool {
	return k.scopeOverlaps(other) && patternOf(k.Path).overlaps(patternOf(other.Path))
}

// scopeContains is Contains for keys of the same path.
func (k Key) scopeContains(inner Key) bool {
	return (k.Service == "" || k.Service == inner.Service) && methodContains(k.Method, inner.Method)
}

// scopeOverlaps is Overlaps for keys of the same path.
func (k Key) scopeOverlaps(other Key) bool {
	services := k.Service == "" || other.Service == "" || k.Service == other.Service
	return services && (methodContains(k.Method, other.Method) || methodContains(other.Method, k.Method))
}

// methodContains: none is every method, and GET is HEAD's too.
func methodContains(outer, inner string) bool {
	return outer == "" || outer == inner || outer == "GET" && inner == "HEAD"
}

// GoString shows the key in test failures.
func (k Key) GoString() string { return fmt.Sprintf("Key(%s)", k) }
