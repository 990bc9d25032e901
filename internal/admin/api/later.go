package api

import (
	"net/http"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
)

// Addresses that clients in the field ask and that need a word of their own.
const (
	sdkEventsPath = "/api/sdk/events"
	importPath    = "/api/import"
	trimPath      = "/api/audit/trim"
	feedPath      = "/api/calendar.ics"
)

// later registers the addresses of what older servers offer and this one does not: rate limits and feature flags, in
// the form in which the clients take a no. The list of rate limits is empty rather than refused, because the SDK reads
// it when it starts.
func (s *server) later() {
	refuse := func(what string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := principal(r.Context()).May(people.ScopeRead); err != nil {
				write(w, problemOf(err))
				return
			}
			write(w, newProblem(http.StatusNotImplemented, wire.ProblemBlank, what+" are not served by this server"))
		}
	}
	s.mux.HandleFunc("GET /api/rate-limits", func(w http.ResponseWriter, r *http.Request) {
		if err := principal(r.Context()).May(people.ScopeRead); err != nil {
			write(w, problemOf(err))
			return
		}
		writeJSON(w, http.StatusOK, []struct{}{})
	})
	for _, pattern := range []string{
		"/api/rate-limits", "/api/rate-limits/{rest...}", "/api/global-rate-limit", "/api/global-rate-limit/{rest...}",
		"/api/services/{service}/rate-limit", "/api/services/{service}/rate-limit/{rest...}",
	} {
		s.mux.HandleFunc(pattern, refuse("rate limits"))
	}
	for _, pattern := range []string{"/api/flags", "/api/flags/{rest...}", "/api/segments", "/api/segments/{rest...}"} {
		s.mux.HandleFunc(pattern, refuse("feature flags"))
	}
	s.mux.HandleFunc(sdkEventsPath, func(w http.ResponseWriter, r *http.Request) {
		linger(r.Context())
		unknown(w, r)
	})
}
