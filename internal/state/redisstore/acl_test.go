package redisstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// The rules that docs/redis.md tells operators to set.
const (
	readerRule = "resetkeys resetchannels -@all +hmget +hget +hlen +hgetall +hscan +xrange +time +multi +exec +eval_ro +evalsha_ro " +
		"+set +subscribe +ping +info +client|setname " +
		"%R~{wg:default}:meta %R~{wg:default}:state %R~{wg:default}:log %RW~{wg:default}:fleet:gate-1 &{wg:default}:ev"
	adminRule = "resetkeys resetchannels -@all +@hash +@string +@stream +@scripting +@transaction -@dangerous +info +config|get " +
		"+time +scan +pexpiretime +pexpire +persist +rename +unlink +publish +subscribe +ping +waitaof +client|setname ~{wg:default}:* &{wg:default}:ev"
)

func TestRulesAreThoseOfTheDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(parts.Root(t), "docs", "redis.md"))
	require.NoError(t, err)
	words := strings.Join(strings.Fields(string(page)), " ")
	require.Contains(t, words, readerRule)
	require.Contains(t, words, adminRule)
}

// user sets a rule and gives the URL of its user.
func user(t *testing.T, c *redis.Client, name, rule string) string {
	t.Helper()
	args := []any{"ACL", "SETUSER", name, "reset", "on", ">s3cret/"}
	for word := range strings.FieldsSeq(rule) {
		if !hasWaitAOF(t, c) && word == "+waitaof" {
			continue // a server that does not know the command refuses the rule
		}
		args = append(args, word)
	}
	run(t, c, args...)
	return "redis://" + name + ":s3cret%2F@" + c.Options().Addr
}

// hasWaitAOF reports whether the server under test knows the command.
func hasWaitAOF(t *testing.T, c *redis.Client) bool {
	t.Helper()
	return run(t, c, "COMMAND", "INFO", "WAITAOF").([]any)[0] != nil
}

func TestAdminNeedsNoMoreThanItsRule(t *testing.T) {
	server := parts.Redis(t)
	c := raw(t, server)
	url := user(t, c, "admin", adminRule)
	s := admin(t, url, "default")
	require.Equal(t, []string{redisstore.WarnNotDurable}, warnings(s.Reader))
	watching := watch(t, s)
	base := statetest.Seeded(t, s)
	_, _ = watching.end(t)
	watching = watch(t, s)
	change := statetest.Block(t, "GET:/a", "x")
	change.ID = "id"
	change.Patch.DropRoute(statetest.Key(t, "GET:/b"))
	change.Private = map[string][]byte{"set": []byte("1"), "gone": nil}
	r, err := s.Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.Equal(t, r.Frame, <-watching.frames)
	again, err := s.Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	require.NoError(t, s.Beat(t.Context()))
	require.NoError(t, s.Report(t.Context(), state.Report{ID: "x"}))
	reports, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1)
	require.NoError(t, s.Forget(t.Context(), "x"))
	_, err = s.Load(t.Context())
	require.NoError(t, err)
	_, err = s.Private(t.Context())
	require.NoError(t, err)
	_, err = s.Frames(t.Context(), base.Epoch, 0, 10)
	require.NoError(t, err)

	// Another namespace is out of reach, and that is said at once.
	_, err = redisstore.Open(t.Context(), url, "other", redisstore.Options{})
	require.ErrorIs(t, err, redisstore.ErrRefused)
	require.ErrorContains(t, err, "{wg:other}")
}

// An instance of waygate-authz reads, watches and reports under its rule, and can do nothing else.
func TestReaderNeedsNoMoreThanItsRule(t *testing.T) {
	server := parts.Redis(t)
	c := raw(t, server)
	s := admin(t, server.URL(), "default")
	base := statetest.Seeded(t, s)
	url := user(t, c, "gate", readerRule)
	reader, err := redisstore.OpenReader(t.Context(), url, "default", redisstore.Options{Name: "waygate-authz gate-1"})
	require.NoError(t, err)
	defer reader.Close()
	require.Empty(t, reader.Warnings())

	watching := watch(t, reader)
	r := statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x"))
	require.Equal(t, r.Frame, <-watching.frames)
	p, err := reader.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base.Rev+1, p.Rev)
	doc, err := reader.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, "x", statetest.Reason(t, doc, "GET:/a"))
	frames, err := reader.Frames(t.Context(), base.Epoch, base.Rev, 10)
	require.NoError(t, err)
	require.Len(t, frames, 1)
	require.NoError(t, reader.Report(t.Context(), state.Report{ID: "gate-1"}))
	reports, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1)
	follower, _ := following(t, reader)
	require.Equal(t, p.Meta, follower.Status().Meta)

	// What it may not do.
	err = reader.Report(t.Context(), state.Report{ID: "gate-2"})
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.ErrorContains(t, err, "ACL")
	_, err = redisstore.Open(t.Context(), url, "default", redisstore.Options{})
	require.ErrorIs(t, err, redisstore.ErrRefused, "a committing store is refused")
	gate := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "gate", Password: "s3cret/", Protocol: 2, DisableIdentity: true})
	defer gate.Close()
	for _, command := range [][]any{
		{"HGETALL", "{wg:default}:private"},
		{"HSET", "{wg:default}:state", "f", "v"},
		{"DEL", "{wg:default}:state"},
		{"XADD", "{wg:default}:log", "*", "f", "v"},
		{"PUBLISH", "{wg:default}:ev", "x"},
		{"GET", "{wg:default}:fleet:gate-2"},
		{"SUBSCRIBE", "another"},
		{"EVAL", "return redis.call('HSET', KEYS[1], 'f', 'v')", "1", "{wg:default}:state"},
		{"EVAL_RO", "return redis.call('HGETALL', KEYS[1])", "1", "{wg:default}:private"},
		{"FLUSHALL"},
		{"KEYS", "*"},
		{"CONFIG", "GET", "*"},
	} {
		require.ErrorContains(t, gate.Do(t.Context(), command...).Err(), "NOPERM", "%v", command)
	}
	now, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, p.Meta, now.Meta)
}

func warnings(r *redisstore.Reader) []string {
	var out []string
	for _, w := range r.Warnings() {
		out = append(out, w.Name)
	}
	return out
}
