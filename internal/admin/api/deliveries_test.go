package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestWhatIsSentByHand(t *testing.T) {
	var ids []string
	var answer atomic.Int64
	answer.Store(http.StatusTeapot)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) }))
	t.Cleanup(r.Close)
	a := newAdmin(t, setup{password: "sesame"})
	id := a.post("/api/webhooks", `{"url":"`+r.URL+`","allow":["127.0.0.1"],"actions":["enable","disable"]}`).is(http.StatusOK)["id"].(string)

	made := a.post("/api/tokens", `{"role":"operator","name":"night-shift"}`).is(http.StatusOK)
	operator := a.in(t)
	operator.token = made["token"].(string)
	sent := operator.post("/api/webhooks/"+id+"/test", "").is(http.StatusOK)
	require.Equal(t, true, sent["done"])
	require.Len(t, sent["deliveries"], 2)

	var list []struct {
		ID       string
		Outcome  string
		Why      string
		Response struct{ Status int }
	}
	require.NoError(t, json.Unmarshal(operator.get("/api/webhooks/"+id+"/deliveries?limit=1e9").body, &list))
	for _, d := range list {
		require.Equal(t, "refused", d.Outcome)
		require.Equal(t, "test", d.Why)
		require.Equal(t, http.StatusTeapot, d.Response.Status)
		ids = append(ids, d.ID)
	}
	require.Len(t, ids, 2)
	require.NoError(t, json.Unmarshal(operator.get("/api/webhooks/"+id+"/deliveries?limit=1").body, &list))
	require.Len(t, list, 1)
	require.JSONEq(t, `[]`, string(operator.get("/api/webhooks/"+id+"/dead").body))

	again := operator.post("/api/webhooks/"+id+"/redeliver", `{"deliveries":["`+ids[0]+`","`+ids[0]+`"]}`).is(http.StatusOK)
	require.Len(t, again["deliveries"], 1)
	require.Empty(t, operator.post("/api/webhooks/"+id+"/redeliver", `{"all_dead":true}`).is(http.StatusOK)["deliveries"])

	// A delivery whose event is dead by now is its dead letter: what arrives is dead no more.
	desk := state.Lease{Desk: "webhook." + id + ".log"}
	event := `{"id":"msg_1","event":"disable","path":"GET:/a","state":null}`
	require.NoError(t, a.store.WriteDesk(t.Context(), desk, map[string][]byte{
		"a:000": []byte(`{"id":"000","event":` + event + `,"outcome":"failed"}`), "d:msg_1": []byte(`{"event":` + event + `}`),
	}))
	answer.Store(http.StatusOK)
	require.Len(t, operator.post("/api/webhooks/"+id+"/redeliver", `{"deliveries":["000","msg_1"]}`).is(http.StatusOK)["deliveries"], 1)
	require.JSONEq(t, `[]`, string(operator.get("/api/webhooks/"+id+"/dead").body))
	operator.post("/api/webhooks/"+id+"/redeliver", `{"deliveries":["nothing"]}`).is(http.StatusNotFound)
	operator.post("/api/webhooks/"+id+"/redeliver", `{}`).is(http.StatusBadRequest)
	operator.post("/api/webhooks/"+id+"/redeliver", `{"all_dead":true,"deliveries":["x"]}`).is(http.StatusBadRequest)
	for _, limit := range []string{"many", "NaN", "-1"} {
		operator.get("/api/webhooks/" + id + "/deliveries?limit=" + limit).is(http.StatusBadRequest)
		operator.get("/api/webhooks/" + id + "/dead?limit=" + limit).is(http.StatusBadRequest)
	}
	operator.get("/api/webhooks/nothing/deliveries").is(http.StatusNotFound)
	operator.post("/api/webhooks/nothing/test", "").is(http.StatusNotFound)

	made = a.post("/api/tokens", `{"role":"viewer","name":"window-shopper"}`).is(http.StatusOK)
	viewer := a.in(t)
	viewer.token = made["token"].(string)
	viewer.post("/api/webhooks/"+id+"/test", "").is(http.StatusForbidden)
	viewer.get("/api/webhooks/" + id + "/deliveries").is(http.StatusForbidden)
}
