package redisstore

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestParseURL(t *testing.T) {
	for _, test := range []struct {
		name, url string
		want      Address
		shown     string
	}{
		{"plain", "redis://cache", Address{kind: single, hosts: []string{"cache:6379"}}, "redis://cache:6379"},
		{
			"everything", "redis://ops:p%40ss%2Fword@cache:7000/3",
			Address{kind: single, hosts: []string{"cache:7000"}, user: "ops", pass: "p@ss/word", db: 3},
			"redis://cache:7000/3",
		},
		{
			"the default user's password", "redis://:secret@cache",
			Address{kind: single, hosts: []string{"cache:6379"}, pass: "secret"},
			"redis://cache:6379",
		},
		{
			"an at sign in a password that nobody escaped", "redis://:se@cret@cache",
			Address{kind: single, hosts: []string{"cache:6379"}, pass: "se@cret"},
			"redis://cache:6379",
		},
		{"IPv6", "redis://[::1]:6380", Address{kind: single, hosts: []string{"[::1]:6380"}}, "redis://[::1]:6380"},
		{"IPv6 without a port", "redis://[::1]/1", Address{kind: single, hosts: []string{"[::1]:6379"}, db: 1}, "redis://[::1]:6379/1"},
		{"database as option", "redis://cache?db=2", Address{kind: single, hosts: []string{"cache:6379"}, db: 2}, "redis://cache:6379/2"},
		{"upper case scheme", "REDIS://cache", Address{kind: single, hosts: []string{"cache:6379"}}, "redis://cache:6379"},
		{
			"TLS", "rediss://cache?ca=/etc/ca.pem&cert=c.pem&key=k.pem&server_name=redis.internal",
			Address{
				kind: single, tls: true, hosts: []string{"cache:6379"},
				files: tlsFiles{ca: "/etc/ca.pem", cert: "c.pem", key: "k.pem", serverName: "redis.internal"},
			},
			"rediss://cache:6379",
		},
		{"socket", "unix:///run/redis.sock", Address{kind: single, hosts: []string{"/run/redis.sock"}}, "unix:///run/redis.sock"},
		{
			"socket with a login", "unix://u:p@/run/redis.sock?db=1",
			Address{kind: single, hosts: []string{"/run/redis.sock"}, user: "u", pass: "p", db: 1},
			"unix:///run/redis.sock",
		},
		{
			"sentinels", "redis+sentinel://u:p@s1,s2:26380,[::1]/main/2?sentinel_user=su&sentinel_password=sp",
			Address{
				kind: sentinel, hosts: []string{"s1:26379", "s2:26380", "[::1]:26379"}, master: "main", db: 2,
				user: "u", pass: "p", sentinelUser: "su", sentinelPass: "sp",
			},
			"redis+sentinel://s1:26379,s2:26380,[::1]:26379/main/2",
		},
		{
			"cluster", "rediss+cluster://u:p@n1,n2:7001/0",
			Address{kind: cluster, tls: true, hosts: []string{"n1:6379", "n2:7001"}, user: "u", pass: "p"},
			"rediss+cluster://n1:6379,n2:7001",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseURL(test.url)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.shown, got.String())
		})
	}
}

func TestURLThatCannotBeReadSaysHowToWriteIt(t *testing.T) {
	for _, test := range []struct{ name, url, says string }{
		{"empty", "", "redis://"},
		{"no scheme", "cache:6379", "redis://cache:6379"},
		{"an admin's URL", "http://admin:8000/waygate", "base URL of an admin"},
		{"sentinel spelled otherwise", "redis-sentinel://s1/main", "redis+sentinel://"},
		{"sentinel with TLS spelled otherwise", "rediss-sentinel://s1/main", "rediss+sentinel://"},
		{"cluster spelled otherwise", "redis-cluster://n1", "redis+cluster://"},
		{"valkey", "valkey://n1", "redis://host"},
		{"another scheme", "ftp://n1", "redis://"},
		{"no host", "redis:///0", "names no host"},
		{"an empty host among several", "redis+cluster://a,,b", "names no host"},
		{"several hosts", "redis://a,b", "redis+sentinel://a,b/name-of-the-primary or redis+cluster://a,b"},
		{"sentinels without a name", "redis+sentinel://a,b", "redis+sentinel://a,b/name-of-the-primary"},
		{"a cluster with a database", "redis+cluster://a/1", "leave out /1"},
		{"a cluster with a database as option", "redis+cluster://a?db=1", "db"},
		{"no number", "redis://a/main", "database number"},
		{"too much of a path", "redis://a/1/2", "too many parts"},
		{"no port", "redis://a:http", "a:6379"},
		{"port zero", "redis://a:0", "a:6379"},
		{"IPv6 without brackets", "redis://::1", "brackets"},
		{"a user alone", "redis://ops@a", "user:password@"},
		{"an escape that is none", "redis://:100%@a", "%25"},
		{"a slash in a password", "redis://:pa/ss@a", "%2F"},
		{"a question mark in a password", "redis://:pa?ss@a", "%3F"},
		{"an unknown option", "redis://a?timeout=1", "timeout"},
		{"an option of TLS without it", "redis://a?ca=x", "ca"},
		{"half a certificate", "rediss://a?cert=x", "belong together"},
		{"a relative socket", "unix://redis.sock", "unix:///run"},
		{"a fragment", "redis://a#x", "escape"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseURL(test.url)
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.ErrorContains(t, err, test.says)
		})
	}
}

// No message repeats a password, whatever else is wrong with the URL.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"redis://%s@a", "redis://:%s@a/b", "redis://u:%s@a:x", "rediss+sentinel://u:%s@a,b", "unix://:%s@x", "x://:%s@a", "redis://a?sentinel_password=%s",
	} {
		f.Add(seed)
	}
	const password = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, form string) {
		if strings.Count(form, "%s") != 1 || strings.Contains(form, password) {
			return
		}
		text := strings.Replace(form, "%s", url.QueryEscape(password), 1)
		before, after, _ := strings.Cut(text, password)
		a, err := ParseURL(text)
		if err == nil {
			if a.pass == password || a.sentinelPass == password {
				require.NotContains(t, a.String(), password)
			}
			return
		}
		if strings.HasSuffix(before, ":") && strings.HasPrefix(after, "@") {
			require.NotContains(t, err.Error(), password)
		}
	})
}
