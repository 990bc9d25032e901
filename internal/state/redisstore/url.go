package redisstore

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// kind tells how the servers of an address are found.
type kind string

const (
	single   kind = "single"
	sentinel kind = "sentinel"
	cluster  kind = "cluster"
)

// Address says where Redis is. [ParseURL] makes one.
type Address struct {
	kind  kind
	tls   bool
	hosts []string // host:port, or the one path of a Unix socket
	user  string
	pass  string
	db    int

	// master is the name the sentinels know the primary by; they may ask for a login of their own.
	master       string
	sentinelUser string
	sentinelPass string

	files tlsFiles
}

// tlsFiles are the PEM files and the name that a TLS connection is checked with; empty ones leave the system's roots,
// no client certificate, and the name of the host.
type tlsFiles struct {
	ca, cert, key, serverName string
}

// schemes lists the ways to write an address.
var schemes = map[string]struct {
	kind kind
	tls  bool
}{
	"redis": {kind: single}, "rediss": {kind: single, tls: true}, "unix": {kind: single},
	"redis+sentinel": {kind: sentinel}, "rediss+sentinel": {kind: sentinel, tls: true},
	"redis+cluster": {kind: cluster}, "rediss+cluster": {kind: cluster, tls: true},
}

// forms is how a URL can look; it ends the messages about one that cannot be read.
const forms = "redis://[user:password@]host[:6379][/db], rediss://… for TLS, unix:///path/to/redis.sock, " +
	"redis+sentinel://[user:password@]host[:26379],host…/name-of-the-primary[/db], redis+cluster://[user:password@]host[:6379],host…"

// ParseURL reads the URL of a Redis. What it refuses is an *InvalidError with the right spelling; no password is ever
// part of it. The forms are
//
//	redis://[user:password@]host[:6379][/db]
//	rediss://…                                  the same over TLS
//	unix://[user:password@]/path/to/redis.sock[?db=0]
//	redis+sentinel://[user:password@]host[:26379],host…/name-of-the-primary[/db][?sentinel_user=…&sentinel_password=…]
//	redis+cluster://[user:password@]host[:6379],host…
//	rediss+sentinel://…, rediss+cluster://…     the same over TLS
//
// and every form over TLS takes ?ca=file&cert=file&key=file&server_name=name. Special characters of a user or a
// password are escaped with %.
func ParseURL(text string) (Address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || strings.ContainsAny(scheme, ":@/") {
		return Address{}, bad("%s", spelledOut(scheme))
	}
	form, ok := schemes[strings.ToLower(scheme)]
	if !ok {
		return Address{}, bad("%q is no scheme of Redis%s; write one of %s", scheme, meant(scheme), forms)
	}
	a := Address{kind: form.kind, tls: form.tls}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if strings.Contains(tail, "@") && !strings.Contains(authority, "@") {
		return Address{}, bad("a / ? or # in the password of the Redis URL is written %%2F %%3F or %%23")
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if err := a.login(authority[:i]); err != nil {
			return Address{}, err
		}
		authority = authority[i+1:]
	}
	// The rest holds no secret but the sentinel's password, so the parser's own error is not repeated either.
	u, err := url.Parse(tail)
	if err != nil || u.Fragment != "" {
		return Address{}, bad("what follows the host cannot be read: escape special characters with %%, write %s", forms)
	}
	if strings.EqualFold(scheme, "unix") {
		err = a.socket(authority, u)
	} else {
		err = a.network(authority, u)
	}
	if err != nil {
		return Address{}, err
	}
	return a, a.options(u)
}

// bad is the error of a URL.
func bad(format string, args ...any) error { return state.Invalid("redis_url", format, args...) }

// spelledOut says what is missing in an address without a scheme. It repeats no more than a host of it.
func spelledOut(text string) string {
	if strings.ContainsAny(text, "@/") || text == "" {
		return "a Redis URL begins with its scheme: " + forms
	}
	return "a Redis URL begins with its scheme: redis://" + text
}

// meant guesses what an unknown scheme stands for.
func meant(scheme string) string {
	low := strings.ToLower(scheme)
	tls := ""
	if strings.Contains(low, "rediss") || strings.Contains(low, "tls") {
		tls = "s"
	}
	switch {
	case low == "http" || low == "https":
		return " (it looks like the base URL of an admin)"
	case strings.Contains(low, "sentinel"):
		return ": write redis" + tls + "+sentinel://host:26379/name-of-the-primary"
	case strings.Contains(low, "cluster"):
		return ": write redis" + tls + "+cluster://host:6379"
	case strings.Contains(low, "valkey") || strings.Contains(low, "redis"):
		return ": write redis" + tls + "://host:6379"
	default:
		return ""
	}
}

// login reads user and password.
func (a *Address) login(text string) error {
	user, pass, two := strings.Cut(text, ":")
	var err1, err2 error
	a.user, err1 = url.PathUnescape(user)
	a.pass, err2 = url.PathUnescape(pass)
	if err1 != nil || err2 != nil {
		return bad("the user or password of the Redis URL holds a %% that is no escape: write %%25 for it")
	}
	if !two && a.user != "" {
		return bad("the Redis URL names a user without a password: write user:password@, or :password@ for the default user")
	}
	return nil
}

// socket reads the path of a Unix socket.
func (a *Address) socket(authority string, u *url.URL) error {
	if authority != "" || len(u.Path) < 2 {
		return bad("a Unix socket is an absolute path after three slashes: unix:///run/redis/redis.sock")
	}
	a.hosts = []string{u.Path}
	return nil
}

// network reads hosts and the path: /db, or /name[/db] for sentinels.
func (a *Address) network(authority string, u *url.URL) error {
	port := "6379"
	if a.kind == sentinel {
		port = "26379"
	}
	for host := range strings.SplitSeq(authority, ",") {
		full, err := hostPort(strings.TrimSpace(host), port)
		if err != nil {
			return err
		}
		a.hosts = append(a.hosts, full)
	}
	if a.kind == single && len(a.hosts) > 1 {
		return bad("redis:// names one host; several are redis+sentinel://%s/name-of-the-primary or redis+cluster://%s", authority, authority)
	}
	steps := slices.DeleteFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "" })
	if a.kind == sentinel {
		if len(steps) == 0 {
			return bad("the name of the primary is missing: redis+sentinel://%s/name-of-the-primary", authority)
		}
		a.master, steps = steps[0], steps[1:]
	}
	switch {
	case len(steps) == 0:
		return nil
	case len(steps) > 1:
		return bad("the path of the Redis URL has too many parts: %s", forms)
	case a.kind == cluster && steps[0] != "0":
		return bad("a cluster has no databases: leave out /%s", steps[0])
	default:
		return a.database(steps[0])
	}
}

// hostPort completes one host. An IPv6 address stands in brackets.
func hostPort(host, port string) (string, error) {
	if host == "" {
		return "", bad("the Redis URL names no host: %s", forms)
	}
	bare := !strings.Contains(host, ":") || strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if bare {
		return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
	}
	name, given, err := net.SplitHostPort(host)
	if err != nil {
		return "", bad("%q is no host and port: an IPv6 address stands in brackets, [::1]:%s", host, port)
	}
	if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 {
		return "", bad("%q has no valid port: write %s:%s", host, name, port)
	}
	return net.JoinHostPort(name, given), nil
}

// database reads the number of a database.
func (a *Address) database(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return bad("%q is no database number: the Redis URL ends in /0, /1 …", text)
	}
	a.db = n
	return nil
}

// options reads the query.
func (a *Address) options(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return bad("the options of the Redis URL cannot be read: escape special characters with %%")
	}
	for name, values := range query {
		value := values[len(values)-1]
		switch {
		case name == "db" && a.kind != cluster:
			err = a.database(value)
		case name == "sentinel_user" && a.kind == sentinel:
			a.sentinelUser = value
		case name == "sentinel_password" && a.kind == sentinel:
			a.sentinelPass = value
		case name == "ca" && a.tls:
			a.files.ca = value
		case name == "cert" && a.tls:
			a.files.cert = value
		case name == "key" && a.tls:
			a.files.key = value
		case name == "server_name" && a.tls:
			a.files.serverName = value
		default:
			err = bad("%q is no option of this form of the Redis URL: there are db; with TLS ca, cert, key and server_name; "+
				"with sentinels sentinel_user and sentinel_password", name)
		}
		if err != nil {
			return err
		}
	}
	if (a.files.cert == "") != (a.files.key == "") {
		return bad("the options cert and key of the Redis URL belong together")
	}
	return nil
}

// String is the address without a password, for logs and messages.
func (a Address) String() string {
	scheme := "redis"
	if a.tls {
		scheme = "rediss"
	}
	if a.kind != single {
		scheme += "+" + string(a.kind)
	}
	path := ""
	if a.kind == sentinel {
		path = "/" + a.master
	}
	if a.db != 0 {
		path += "/" + strconv.Itoa(a.db)
	}
	if a.unix() {
		return "unix://" + a.hosts[0]
	}
	return scheme + "://" + strings.Join(a.hosts, ",") + path
}

// unix reports whether the address is a Unix socket.
func (a Address) unix() bool { return len(a.hosts) == 1 && strings.HasPrefix(a.hosts[0], "/") }
