package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsSentByHand(t *testing.T) {
	var ids []string
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusTeapot) }))
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

	again := operator.post("/api/webhooks/"+id+"/redeliver", `{"deliveries":["`+ids[0]+`"]}`).is(http.StatusOK)
	require.Len(t, again["deliveries"], 1)
	require.Empty(t, operator.post("/api/webhooks/"+id+"/redeliver", `{"all_dead":true}`).is(http.StatusOK)["deliveries"])
	operator.post("/api/webhooks/"+id+"/redeliver", `{"deliveries":["nothing"]}`).is(http.StatusNotFound)
	operator.post("/api/webhooks/"+id+"/redeliver", `{}`).is(http.StatusBadRequest)
	operator.post("/api/webhooks/"+id+"/redeliver", `{"all_dead":true,"deliveries":["x"]}`).is(http.StatusBadRequest)
	operator.get("/api/webhooks/" + id + "/deliveries?limit=many").is(http.StatusBadRequest)
	operator.get("/api/webhooks/nothing/deliveries").is(http.StatusNotFound)
	operator.post("/api/webhooks/nothing/test", "").is(http.StatusNotFound)

	made = a.post("/api/tokens", `{"role":"viewer","name":"window-shopper"}`).is(http.StatusOK)
	viewer := a.in(t)
	viewer.token = made["token"].(string)
	viewer.post("/api/webhooks/"+id+"/test", "").is(http.StatusForbidden)
	viewer.get("/api/webhooks/" + id + "/deliveries").is(http.StatusForbidden)
}
