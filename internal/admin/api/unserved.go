package api

import (
	"net/http"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
)

// sdkEventsPath is where an older SDK asks for events, again and again.
const sdkEventsPath = "/api/sdk/events"

// unserved registers the addresses of what older servers offer and this one does not: rate limits and feature flags, in
// the form in which the clients take a no. The list of rate limits is empty rather than refused, because the SDK reads
// it when it starts.
func (s *server) unserved() {
	answer := func(pattern string, say func(http.ResponseWriter)) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := principal(r.Context()).May(people.ScopeRead); err != nil {
				write(w, problemOf(err))
				return
			}
			say(w)
		})
	}
	refuse := func(what string, patterns ...string) {
		for _, pattern := range patterns {
			answer(pattern, func(w http.ResponseWriter) {
				write(w, newProblem(http.StatusNotImplemented, wire.ProblemBlank, what+" are not served by this server"))
			})
		}
	}
	answer("GET /api/rate-limits", func(w http.ResponseWriter) { writeJSON(w, http.StatusOK, []struct{}{}) })
	refuse(
		"rate limits", "/api/rate-limits", "/api/rate-limits/{rest...}", "/api/global-rate-limit", "/api/global-rate-limit/{rest...}",
		"/api/services/{service}/rate-limit", "/api/services/{service}/rate-limit/{rest...}",
	)
	refuse("feature flags", "/api/flags", "/api/flags/{rest...}", "/api/segments", "/api/segments/{rest...}")
	s.mux.HandleFunc(sdkEventsPath, func(w http.ResponseWriter, r *http.Request) {
		linger(r.Context())
		unknown(w, r)
	})
}
