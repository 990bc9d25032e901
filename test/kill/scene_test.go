package kill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/filestore"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// patience bounds what happens at once on a machine that is not busy.
const patience = time.Minute

// scene is an admin that is told where to end, its store, a reader of the store's log, and who is told of what it says.
type scene struct {
	t        *testing.T
	program  string
	settings []string
	// armed is the file that holds the name of the step at which the admin ends.
	armed string
	// hooks is the webhooks file.
	hooks string
	// open gives the store to look at while the admin is down.
	open func() (store state.Backend, done func())

	admin    *parts.Waygate
	reader   *reader
	receiver *receiver
	told     *told
	client   *http.Client
}

func newScene(t *testing.T, program string, settings ...string) *scene {
	t.Helper()
	dir := t.TempDir()
	s := &scene{
		t: t, program: program, armed: filepath.Join(dir, "step"), hooks: filepath.Join(dir, "webhooks.yaml"),
		receiver: newReceiver(t), client: &http.Client{Timeout: patience},
	}
	// What the receiver holds is held until the admin ends, and a lease ends soon after that.
	s.settings = append([]string{
		"WAYGATE_CRASH=" + s.armed, "WAYGATE_WEBHOOKS_FILE=" + s.hooks, "WAYGATE_WEBHOOK_PACE=100",
		"WAYGATE_WEBHOOK_TIMEOUT=" + (2 * patience).String(),
	}, settings...)
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func onFile(t *testing.T, program string) *scene {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waygate.json")
	s := newScene(t, program, "WAYGATE_BACKEND=file", "WAYGATE_FILE_PATH="+path)
	s.open = func() (state.Backend, func()) {
		store, err := filestore.Open(path, filestore.Options{})
		require.NoError(t, err)
		return store, func() { require.NoError(t, store.Close()) }
	}
	return s
}

func onRedis(t *testing.T, program string) *scene {
	t.Helper()
	server := parts.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := newScene(t, program, "WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL="+server.URL())
	store, err := redisstore.Open(t.Context(), server.URL(), "default", redisstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	s.open = func() (state.Backend, func()) { return store, func() {} }
	return s
}

// start begins the next life of the admin.
func (s *scene) start() {
	s.t.Helper()
	s.put(s.hooks, s.receiver.file(s.life()))
	s.admin = parts.StartWaygate(s.t, s.program, s.settings, "--listen", "127.0.0.1:0")
}

// life is the number of the admin's life that runs or is to begin, from 0.
func (s *scene) life() int {
	if s.told == nil {
		return 0
	}
	return len(s.told.lives) - 1
}

// arm has the admin end when it gets to a step.
func (s *scene) arm(step string) {
	s.t.Helper()
	s.put(s.armed, step)
}

// put makes a file at once.
func (s *scene) put(path, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(s.t, os.Rename(path+".new", path))
}

// await waits until the admin has ended there.
func (s *scene) await(step string) {
	s.t.Helper()
	select {
	case <-s.admin.Ended():
	case <-time.After(patience):
		s.t.Fatalf("the admin never got to %q", step)
	}
	require.NoError(s.t, os.Remove(s.armed))
}

// call makes a change under a key. The error is that of a call that got no answer.
func (s *scene) call(c change, key string) (duplicate bool, err error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.admin.URL()+c.path, strings.NewReader(c.body))
	require.NoError(s.t, err)
	req.Header.Set("Idempotency-Key", key)
	resp, err := s.client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	require.Equal(s.t, http.StatusOK, resp.StatusCode, "%s", text)
	var answer struct{ Duplicate bool }
	require.NoError(s.t, json.Unmarshal(text, &answer))
	return answer.Duplicate, nil
}

// change is a call that changes something.
type change struct{ path, body string }

// changeOf is one that no other round makes; its reason tells the round.
func changeOf(turn, round int, reason string) change {
	switch turn % 6 {
	case 0:
		return change{"/api/routes/" + fmt.Sprintf("GET%%3A%%2Fr%d", round) + "/disable", fmt.Sprintf(`{"reason":%q}`, reason)}
	case 1:
		return change{"/api/routes/" + fmt.Sprintf("GET%%3A%%2Fr%d", round) + "/maintenance", fmt.Sprintf(`{"reason":%q,"end":"2h"}`, reason)}
	case 2:
		return change{"/api/windows", fmt.Sprintf(`{"path":"orders:GET:/r%d","every":"sunday","at":"02:00","for":"2h","reason":%q}`, round, reason)}
	case 3:
		return change{"/api/changes", fmt.Sprintf(`{"changes":[{"action":"disable","path":"GET:/r%d","reason":%q},`+
			`{"action":"maintenance","path":"GET:/s%d","reason":%q},{"action":"disable","path":"/t%d/**","reason":%q}]}`, round, reason, round, reason, round, reason)}
	case 4:
		return change{"/api/global/enable", fmt.Sprintf(`{"reason":%q,"exempt_paths":["/health"]}`, reason)}
	default:
		return change{"/api/services/orders/maintenance/enable", fmt.Sprintf(`{"reason":%q}`, reason)}
	}
}
