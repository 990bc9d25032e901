package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

const receiver = `{"url":"https://hooks.example.com/in/x7","name":"ops","actions":["disable"],"routes":["/pay/**"],"services":["orders"]}`

func TestWebhooksAreKeptAndNeverToldWithTheirSecrets(t *testing.T) {
	a := newAdmin(t, setup{})
	made := a.post("/api/webhooks", receiver)
	golden(t, "testdata/webhook-add.json", steady(t, made.body))
	is := made.is(http.StatusOK)
	id, secret := is["id"].(string), is["secret"].(string)
	require.True(t, strings.HasPrefix(secret, webhook.SecretPrefix))

	one := a.get("/api/webhooks/" + id)
	golden(t, "testdata/webhook.json", steady(t, one.body))
	require.Equal(t, id, one.is(http.StatusOK)["id"])
	list := a.get("/api/webhooks")
	golden(t, "testdata/webhooks.json", steady(t, list.body))

	rotated := a.post("/api/webhooks/"+id+"/rotate", `{"grace":"1h"}`)
	now := rotated.is(http.StatusOK)
	require.NotEqual(t, secret, now["secret"])
	require.Len(t, now["secrets"], 2)
	require.Len(t, a.post("/api/webhooks/"+id+"/rotate", `{"grace":"0s"}`).is(http.StatusOK)["secrets"], 1, "a secret that leaked ends at once")
	a.call(http.MethodPatch, "/api/webhooks/"+id, `{"name":"night","actions":[],"reason":"quieter"}`).is(http.StatusOK)
	a.post("/api/webhooks/"+id+"/disable", `{"reason":"noisy"}`).is(http.StatusOK)
	off := a.get("/api/webhooks/" + id).is(http.StatusOK)
	require.Equal(t, "by anonymous: noisy", off["disabled_reason"])
	require.Equal(t, false, a.post("/api/webhooks/"+id+"/disable", "").is(http.StatusOK)["changed"])
	a.post("/api/webhooks/"+id+"/enable", "").is(http.StatusOK)
	a.delete("/api/webhooks/" + id).is(http.StatusOK)
	a.get("/api/webhooks/" + id).is(http.StatusNotFound)
	a.delete("/api/webhooks/" + id).is(http.StatusNotFound)

	lines := a.get("/api/audit?route=__webhook:" + id + "__").body
	golden(t, "testdata/webhook-audit.json", steady(t, lines))
	for _, s := range []string{secret, now["secret"].(string), "/in/x7"} {
		require.NotContains(t, string(lines), s)
	}
	frames, err := a.store.Frames(t.Context(), epochOf(t, a), 0, 100)
	require.NoError(t, err)
	require.Len(t, frames, 7)
	for _, f := range frames {
		require.NotContains(t, string(f.Payload), "whsec_")
		require.NotContains(t, string(f.Payload), "/in/x7")
	}
	require.NotContains(t, string(a.get("/api/export").body), "webhook")
	require.JSONEq(t, `[]`, string(a.get("/api/audit?service=orders").body))
}

func epochOf(t *testing.T, a *adminServer) string {
	t.Helper()
	p, err := a.store.Pulse(t.Context())
	require.NoError(t, err)
	return p.Epoch
}

func TestARepeatedAddFindsWhatItMade(t *testing.T) {
	a := newAdmin(t, setup{})
	first := a.call(http.MethodPost, "/api/webhooks", receiver, "Idempotency-Key", "k1").is(http.StatusOK)
	again := a.call(http.MethodPost, "/api/webhooks", receiver, "Idempotency-Key", "k1").is(http.StatusOK)
	require.Equal(t, true, again["duplicate"])
	require.Equal(t, first["id"], again["id"])
	require.Equal(t, first["secret"], again["secret"], "whoever lost the answer has the secret from no other")
	a.call(http.MethodPost, "/api/webhooks", `{"url":"https://other.example.com"}`, "Idempotency-Key", "k1").is(http.StatusUnprocessableEntity)
	// What a key did is forgotten after a day; what it made is not replaced by another use of it.
	old := admin.EndpointID("wh-", "anonymous\x00k2")
	statetest.Commit(t, a.store, statetest.Secret(map[string][]byte{"hook:" + old: []byte(`{"name":"old","url":"https://old.example.com"}`)}))
	a.call(http.MethodPost, "/api/webhooks", `{"url":"https://other.example.com"}`, "Idempotency-Key", "k2").is(http.StatusUnprocessableEntity)
	require.Equal(t, "old", a.get("/api/webhooks/" + old).is(http.StatusOK)["name"])
	twice := a.post("/api/webhooks", receiver).is(http.StatusBadRequest)
	require.Contains(t, twice["error"], "has the name")
}

func TestWebhooksThatMakeNoSense(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct{ name, body, field string }{
		{"no address", `{}`, "body"},
		{"no TLS", `{"url":"http://hooks.example.com/"}`, "url"},
		{"loopback", `{"url":"https://127.0.0.1/"}`, "url"},
		{"a user in the address", `{"url":"https://a:b@hooks.example.com/"}`, "url"},
		{"an unknown format", `{"url":"https://hooks.example.com/","format":"fax"}`, "format"},
		{"a template for none", `{"url":"https://hooks.example.com/","template":"x"}`, "template"},
		{"no routing key", `{"url":"https://hooks.example.com/","format":"pagerduty"}`, "routing_key"},
		{"a weak secret", `{"url":"https://hooks.example.com/","secret":"whsec_AAAA"}`, "secrets"},
		{"an unknown event", `{"url":"https://hooks.example.com/","actions":["explode"]}`, "actions"},
		{"no key", `{"url":"https://hooks.example.com/","routes":["pay"]}`, ""},
		{"an unknown member", `{"url":"https://hooks.example.com/","colour":"red"}`, "colour"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			is := a.in(t).post("/api/webhooks", tt.body).is(http.StatusBadRequest)
			if tt.field != "" {
				require.Equal(t, tt.field, is["field"], is["error"])
			}
		})
	}
	require.JSONEq(t, `[]`, string(a.get("/api/webhooks").body))
}

func TestFixedWebhooksAreChangedWhereTheyStand(t *testing.T) {
	fixed := admin.Endpoint{Source: admin.SourceFile, Endpoint: webhook.Endpoint{
		ID: "file-ops", Name: "ops", URL: "https://hooks.example.com/services/T0/B0", Format: webhook.FormatSlack,
	}}
	a := newAdmin(t, setup{fixed: []admin.Endpoint{fixed}})
	for method, path := range map[string]string{
		http.MethodPatch: "/api/webhooks/file-ops", http.MethodDelete: "/api/webhooks/file-ops", http.MethodPost: "/api/webhooks/file-ops/rotate",
	} {
		is := a.call(method, path, "").is(http.StatusConflict)
		require.Contains(t, is["error"], "--webhooks-file")
		require.NotContains(t, is, "ambiguous_matches")
	}
	require.Contains(t, a.post("/api/webhooks", receiver).is(http.StatusBadRequest)["error"], "file-ops, has the name")

	statetest.Commit(t, a.store, statetest.Secret(map[string][]byte{"hook:wh-other": []byte(`{"name":"ops","url":"https://other.example.com"}`)}))
	a.post("/api/webhooks/wh-other/disable", "").is(http.StatusOK) // two have the name by now: that is no reason to go on sending
	a.post("/api/webhooks/file-ops/disable", `{"reason":"it rings"}`).is(http.StatusOK)
	is := a.get("/api/webhooks/file-ops").is(http.StatusOK)
	require.Equal(t, true, is["disabled"])
	require.Equal(t, "file", is["source"])
	a.post("/api/webhooks/file-ops/enable", "").is(http.StatusOK)
	require.Equal(t, false, a.get("/api/webhooks/file-ops").is(http.StatusOK)["disabled"])
}

func TestWhoMaySeeAndChangeWebhooks(t *testing.T) {
	a := newAdmin(t, setup{password: "sesame"})
	id := a.post("/api/webhooks", `{"url":"https://hooks.example.com/services/T0/B0","format":"slack"}`).is(http.StatusOK)["id"].(string)
	require.Equal(t, "https://hooks.example.com/services/T0/B0", a.get("/api/webhooks/" + id).is(http.StatusOK)["url"])
	roles := map[string]int{"viewer": http.StatusForbidden, "operator": http.StatusOK, "instance": http.StatusForbidden}
	for role, may := range roles {
		made := a.post("/api/tokens", `{"role":"`+role+`","name":"`+role+`-1"}`).is(http.StatusOK)
		other := a.in(t)
		other.token = made["token"].(string)
		require.Equal(t, may, other.get("/api/webhooks").status)
		one := other.get("/api/webhooks/" + id)
		require.Equal(t, may, one.status)
		require.NotContains(t, string(one.body), "T0/B0")
		require.Equal(t, http.StatusForbidden, other.post("/api/webhooks", receiver).status)
		require.Equal(t, http.StatusForbidden, other.delete("/api/webhooks/"+id).status)
		require.Equal(t, http.StatusForbidden, other.post("/api/webhooks/"+id+"/disable", "").status)
	}
	var list []map[string]any
	require.NoError(t, json.Unmarshal(a.get("/api/webhooks").body, &list))
	require.Len(t, list, 1)
	require.Equal(t, state.WebhookPath(id), "__webhook:"+id+"__")
}

func TestManyChangeWebhooksAtOnceAndNothingIsLost(t *testing.T) {
	a := newAdmin(t, setup{})
	var running sync.WaitGroup
	answers := make([]int, 20)
	for i := range answers {
		running.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.base+"/api/webhooks",
				strings.NewReader(fmt.Sprintf(`{"url":"https://hooks.example.com/%d","name":"n%d"}`, i, i%10)))
			if err != nil {
				return
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			answers[i] = resp.StatusCode
			_ = resp.Body.Close() // nothing is read
		})
	}
	running.Wait()
	made := 0
	for _, status := range answers {
		if status == http.StatusOK {
			made++
		}
	}
	require.Equal(t, 10, made, "%v: each name once", answers)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(a.get("/api/webhooks").body, &list))
	require.Len(t, list, 10)
}
