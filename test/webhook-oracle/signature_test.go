// Package oracle holds our signatures to the library of those who wrote the standard: https://www.standardwebhooks.com.
// It is a module of its own so that the product does not depend on it.
package oracle_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state/memstore"
)

// none are no endpoints.
type none struct{}

func (none) Endpoints(context.Context) ([]webhook.Endpoint, error) { return nil, nil }
func (none) Disable(_ context.Context, _, _ string) error          { return nil }

func TestTheStandardsLibraryVerifiesEveryFormat(t *testing.T) {
	old, fresh := webhook.NewSecret(), webhook.NewSecret()
	type request struct {
		header http.Header
		body   []byte
	}
	var mu sync.Mutex
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, request{r.Header, body})
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	store := memstore.New()
	t.Cleanup(store.Close)
	d := webhook.New(webhook.Config{Log: store, Desk: store, Endpoints: none{}, Owner: "x"})
	for _, f := range webhook.Formats() {
		e := webhook.Endpoint{ID: "e", URL: server.URL, Allow: []string{at.Host}, Format: f, Secrets: []webhook.Secret{old, fresh}}
		switch f {
		case webhook.FormatPagerDuty:
			e.RoutingKey = "key"
		case webhook.FormatTemplate:
			e.Template = `{"e": {{json .Event}}}`
		}
		_, _ = d.Test(t.Context(), e) // the store is empty: there is no delivery log
	}
	require.Greater(t, len(got), 100)
	for _, secret := range []webhook.Secret{old, fresh} {
		oracle, err := standard.NewWebhook(secret.Value)
		require.NoError(t, err)
		for _, r := range got {
			require.NoError(t, oracle.Verify(r.body, r.header))
			require.Error(t, oracle.Verify(append(r.body, ' '), r.header))
		}
	}
	other, err := standard.NewWebhook(webhook.NewSecret().Value)
	require.NoError(t, err)
	require.Error(t, other.Verify(got[0].body, got[0].header))
}

func TestASecretThatIsOverSignsNoMore(t *testing.T) {
	old, fresh := webhook.NewSecret(), webhook.NewSecret()
	old.Until = time.Now().Add(-time.Second)
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	t.Cleanup(server.Close)
	store := memstore.New()
	t.Cleanup(store.Close)
	d := webhook.New(webhook.Config{Log: store, Desk: store, Endpoints: none{}, Owner: "x"})
	_, err := d.Test(t.Context(), webhook.Endpoint{
		ID: "e", URL: server.URL, Allow: []string{"127.0.0.1"}, Secrets: []webhook.Secret{old, fresh},
		Filter: webhook.Filter{Actions: webhook.Actions()[:1]},
	})
	require.NoError(t, err)
	verifies := func(s webhook.Secret) error {
		oracle, err := standard.NewWebhook(s.Value)
		require.NoError(t, err)
		return oracle.Verify(body, header)
	}
	require.NoError(t, verifies(fresh))
	require.Error(t, verifies(old))
}
