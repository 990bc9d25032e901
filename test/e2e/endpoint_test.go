package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// delivery is one delivery as a receiver got it.
type delivery struct {
	header http.Header
	body   []byte
}

// listener takes deliveries, on loopback.
type listener struct {
	t      *testing.T
	server *httptest.Server
	// status is what it answers.
	status atomic.Int64
	got    chan delivery
	// hold, while it is not closed, keeps every delivery waiting.
	hold chan struct{}
	free sync.Once
}

func newListener(t *testing.T, secure bool) *listener {
	t.Helper()
	r := &listener{t: t, got: make(chan delivery, 1000), hold: make(chan struct{})}
	r.status.Store(http.StatusOK)
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.got <- delivery{req.Header, body}
		select {
		case <-r.hold:
		case <-req.Context().Done():
		}
		w.WriteHeader(int(r.status.Load()))
	})
	if secure {
		r.server = httptest.NewTLSServer(handler)
	} else {
		r.server = httptest.NewServer(handler)
	}
	t.Cleanup(func() { r.release(); r.server.Close() })
	return r
}

// release answers what is held, and all that follows at once.
func (r *listener) release() { r.free.Do(func() { close(r.hold) }) }

// next is the next delivery.
func (r *listener) next() delivery {
	r.t.Helper()
	select {
	case d := <-r.got:
		return d
	case <-time.After(20 * time.Second):
		r.t.Fatal("nothing was delivered")
		return delivery{}
	}
}

// hooked is an admin with the file store.
type hooked struct {
	t     *testing.T
	dir   string
	set   []string
	admin *parts.Waygate
}

func newHooked(t *testing.T, set ...string) *hooked {
	t.Helper()
	h := &hooked{t: t, dir: t.TempDir()}
	h.set = append([]string{"WAYGATE_BACKEND=file", "WAYGATE_FILE_PATH=" + filepath.Join(h.dir, "waygate.json")}, set...)
	h.start()
	return h
}

func (h *hooked) start() {
	h.t.Helper()
	h.admin = parts.StartWaygate(h.t, parts.AdminProgram, h.set, "--listen", "127.0.0.1:0")
}

func (h *hooked) run(args ...string) parts.Ran {
	h.t.Helper()
	return parts.RunCLI(h.t, []string{"WAYGATE_SERVER_URL=" + h.admin.URL()}, args...)
}

// ok runs a command that must succeed and gives its standard output.
func (h *hooked) ok(args ...string) string {
	h.t.Helper()
	ran := h.run(args...)
	require.Zero(h.t, ran.Status, "%s%s", ran.Out, ran.ErrOut)
	return ran.Out
}

func TestAReceiverIsToldWithASignature(t *testing.T) {
	r := newListener(t, true)
	r.release()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw}), 0o600))
	h := newHooked(t, "SSL_CERT_FILE="+authority)

	refused := h.run("webhook", "add", r.server.URL)
	require.Equal(t, 1, refused.Status)
	require.Contains(t, refused.ErrOut, "allow")
	secret := strings.TrimSpace(h.ok("webhook", "add", r.server.URL+"/in", "--name", "ops", "--allow", "127.0.0.0/8"))
	h.ok("maintenance", "GET:/payments", "--reason", "DB migration")

	d := r.next()
	var is struct {
		Event, Path, Reason string
		Timestamp           time.Time
		State               map[string]any
	}
	require.NoError(t, json.Unmarshal(d.body, &is))
	require.Equal(t, []string{"maintenance_on", "GET:/payments", "DB migration"}, []string{is.Event, is.Path, is.Reason})
	require.Equal(t, "maintenance", is.State["status"])
	require.Equal(t, "GET:/payments", is.State["path"])
	require.WithinDuration(t, time.Now(), is.Timestamp, time.Minute)

	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(d.header.Get("Webhook-Id") + "." + d.header.Get("Webhook-Timestamp") + "."))
	mac.Write(d.body)
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), d.header.Get("Webhook-Signature"))

	// While the secret is rotated, both sign.
	h.ok("webhook", "rotate", "ops")
	h.ok("enable", "GET:/payments")
	require.Len(t, strings.Fields(r.next().header.Get("Webhook-Signature")), 2)

	h.ok("webhook", "test", "ops")
	require.Eventually(t, func() bool {
		return strings.Contains(h.ok("webhook", "deliveries", "ops", "--limit", "1000"), "schedule")
	}, 20*time.Second, 50*time.Millisecond)
	require.NotContains(t, h.ok("webhook", "deliveries", "ops", "-o", "json"), secret)
	again := h.ok("webhook", "redeliver", "ops", d.header.Get("Webhook-Id"))
	require.Contains(t, again, "redeliver")
	require.Contains(t, again, "delivered")
}

func TestTheEnvironmentNamesASlackWebhook(t *testing.T) {
	r := newListener(t, false)
	r.release()
	h := newHooked(t, "SLACK_WEBHOOK_URL="+r.server.URL+"/services/T0/B0/X", "WAYGATE_WEBHOOKS_ALLOW=127.0.0.1")
	require.Contains(t, h.ok("webhook", "list"), "env-slack")
	h.ok("disable", "/orders", "--reason", "gone fishing")
	var is map[string]any
	d := r.next()
	require.NoError(t, json.Unmarshal(d.body, &is))
	require.Contains(t, is, "attachments")
	require.Contains(t, string(d.body), "gone fishing")

	// 410 disables it: also after a restart, until somebody enables it.
	r.status.Store(http.StatusGone)
	h.ok("enable", "/orders")
	r.next()
	require.Eventually(t, func() bool { return strings.Contains(h.ok("webhook", "list"), "DISABLED") }, 20*time.Second, 50*time.Millisecond)
	h.admin.Stop()
	h.start()
	require.Contains(t, h.ok("webhook", "show", "env-slack"), "DISABLED")
	require.Contains(t, h.run("doctor").Out, "env-slack (SLACK_WEBHOOK_URL) is disabled")
	require.Contains(t, h.ok("log"), "__webhook:env-slack__")
	h.ok("webhook", "enable", "env-slack")
	require.Contains(t, h.ok("webhook", "show", "env-slack"), "enabled")
	require.Equal(t, 1, h.run("webhook", "remove", "env-slack").Status)
}

func TestAReceiverThatHangsHoldsUpNobody(t *testing.T) {
	hangs, answers := newListener(t, false), newListener(t, false)
	answers.release()
	h := newHooked(t)
	h.ok("webhook", "add", hangs.server.URL, "--name", "hangs", "--allow", "127.0.0.1")
	h.ok("webhook", "add", answers.server.URL, "--name", "answers", "--allow", "127.0.0.1")
	for _, route := range []string{"/a", "/b", "/c"} {
		h.ok("disable", route)
		require.Contains(t, string(answers.next().body), route)
	}
	hangs.next() // it has one, and answers nothing
	tested := h.run("webhook", "test", "hangs")
	require.Equal(t, 4, tested.Status)
	require.Contains(t, tested.ErrOut, "still being sent")
	h.ok("enable", "/a")
}

func TestDeadLettersAreToldAndSentAgain(t *testing.T) {
	r := newListener(t, false)
	r.release()
	r.status.Store(http.StatusInternalServerError)
	h := newHooked(t, "WAYGATE_WEBHOOK_PACE=1000000")
	h.ok("webhook", "add", r.server.URL, "--name", "ops", "--allow", "127.0.0.1")
	h.ok("disable", "/a")
	require.Eventually(t, func() bool { return strings.Contains(h.ok("webhook", "deliveries", "ops", "--dead"), "disable") }, 30*time.Second, 50*time.Millisecond)
	require.Contains(t, h.run("doctor").Out, "has 1 dead letters")
	failed := h.run("webhook", "redeliver", "ops", "--dead")
	require.Equal(t, 1, failed.Status)
	require.Contains(t, failed.ErrOut, "1 of 1 did not arrive")
	r.status.Store(http.StatusNoContent)
	require.Contains(t, h.ok("webhook", "redeliver", "ops", "--dead"), "delivered")
	require.Contains(t, h.ok("webhook", "deliveries", "ops", "--dead"), "no dead letters")
	h.ok("webhook", "remove", "ops")
}

func TestSeveralAdminsOnOneRedisTellOnce(t *testing.T) {
	r := newListener(t, false)
	r.release()
	redis := parts.Redis(t)
	set := []string{"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + redis.URL()}
	one, other := &hooked{t: t, set: set}, &hooked{t: t, set: set}
	one.start()
	other.start()
	one.ok("webhook", "add", r.server.URL, "--name", "ops", "--allow", "127.0.0.1")
	require.Contains(t, other.ok("webhook", "list"), "ops")
	told := map[string]int{}
	hear := func(route string) {
		d := r.next()
		for told[d.header.Get("Webhook-Id")] > 0 {
			d = r.next() // what a killed admin had sent may come again, under the same id
		}
		require.Contains(t, string(d.body), `"path":"`+route+`"`)
		told[d.header.Get("Webhook-Id")]++
	}
	for i, route := range []string{"/a", "/b", "/c", "/d"} {
		[]*hooked{one, other}[i%2].ok("disable", route)
		hear(route)
	}

	require.Empty(t, r.got)

	// Whichever of them delivered, the other one goes on.
	one.admin.Kill()
	other.ok("disable", "/e")
	hear("/e")
	one.start()
	other.admin.Kill()
	one.ok("disable", "/f")
	hear("/f")
	require.Len(t, told, 6)
}
