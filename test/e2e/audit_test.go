package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
)

func TestALongLogIsReadAndVerified(t *testing.T) { testLongLog(t, 20_000) }

// testLongLog fills a real Redis with so many entries, and reads, archives and verifies them through an admin and the
// command line. It gives how long a verification of log and archive took.
func testLongLog(t *testing.T, entries int) time.Duration {
	server := parts.Redis(t)
	fillLog(t, server, entries)
	admin := parts.StartWaygate(t, parts.AdminProgram, []string{"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + server.URL()}, "--listen", "127.0.0.1:0")
	set := []string{"WAYGATE_SERVER_URL=" + admin.URL()}
	for _, before := range []int{11, entries / 2, entries} {
		began := time.Now()
		list := auditPage(t, fmt.Sprintf("%s/api/audit?limit=10&cursor=%d", admin.URL(), before))
		t.Logf("10 entries before %d of %d: %v", before, entries, time.Since(began))
		require.Len(t, list, 10)
		require.EqualValues(t, before-1, list[0].Revision)
	}
	oldest := auditPage(t, admin.URL()+"/api/audit?limit=1&cursor=2")
	require.Equal(t, "GET:/0", oldest[0].Path)

	began := time.Now()
	ran := parts.RunCLI(t, set, "audit", "verify")
	took := time.Since(began)
	require.Zero(t, ran.Status, ran.ErrOut)
	require.Contains(t, ran.Out, fmt.Sprintf("%d entries", entries))
	t.Logf("server log: %s", ran.Out)
	dir := filepath.Join(t.TempDir(), "archive")
	began = time.Now()
	ran = parts.RunCLI(t, set, "audit", "export", dir)
	require.Zero(t, ran.Status, ran.ErrOut)
	t.Logf("exported in %v", time.Since(began))
	ran = parts.RunCLI(t, set, "audit", "verify", "--dir", dir)
	require.Zero(t, ran.Status, ran.ErrOut)
	t.Logf("archive: %s", ran.Out)
	ran = parts.RunCLI(t, set, "audit", "trim", "--before", fmt.Sprint(entries-100), "--archive", dir)
	require.Zero(t, ran.Status, ran.ErrOut)
	ran = parts.RunCLI(t, set, "audit", "verify", "--archive", dir)
	require.Zero(t, ran.Status, ran.ErrOut)
	require.Contains(t, ran.Out, fmt.Sprintf("%d entries", entries+1), "and that it was trimmed")
	return took
}

type auditLine struct {
	Path     string
	Revision uint64
}

func auditPage(t *testing.T, url string) []auditLine {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var list []auditLine
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
	return list
}

// fillLog puts entries into the log of a Redis as commits would, without waiting for each.
func fillLog(t *testing.T, server *parts.RedisServer, entries int) {
	t.Helper()
	store, err := redisstore.Open(t.Context(), server.URL(), "default", redisstore.Options{})
	require.NoError(t, err)
	defer store.Close()
	doc := state.Genesis(1)
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, doc, nil))
	raw := redis.NewClient(&redis.Options{Addr: server.Addr(), Protocol: 2, DisableIdentity: true, ReadTimeout: time.Minute})
	defer raw.Close()
	at := doc.Meta
	const key = "{wg:default}"
	for done := 0; done < entries; {
		pipe := raw.Pipeline()
		for range min(5000, entries-done) {
			path := fmt.Sprintf("GET:/%d", done)
			change := state.Change{Entry: state.Entry{
				Kind: state.KindChange, At: time.Now().UTC(), Actor: "ada", Platform: state.PlatformCLI,
				Records: []state.Record{{
					Action: state.ActionMaintenanceOn, Path: path, Reason: "migration 412", Before: state.Active, After: state.Maintenance,
				}},
				Patch: state.Patch{"r:GET:/same": json.RawMessage(`{"shown":"GET:/same","origin":"command","by":"ada"}`)},
				Was:   state.Patch{"r:GET:/same": json.RawMessage(`{"shown":"GET:/same","origin":"command","by":"ada"}`)},
			}}
			f, err := change.Frame(at)
			require.NoError(t, err)
			pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: key + ":log", ID: fmt.Sprintf("%d-0", f.Rev), Values: []any{
				"head", f.Head.String(), "prev", f.Prev.String(), "nonce", "x", "payload", []byte(f.Payload),
			}})
			at.Rev, at.Head = f.Rev, f.Head
			done++
		}
		_, err := pipe.Exec(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, raw.HSet(t.Context(), key+":meta", "rev", at.Rev, "head", at.Head.String()).Err())
	require.NoError(t, raw.HSet(t.Context(), key+":state", "@rev", at.Rev).Err())
}
