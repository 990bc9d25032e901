package webhook

import "net/http"

// Through has the dispatcher send through a transport of the test's, which must be set before Run.
func (d *Dispatcher) Through(t http.RoundTripper) {
	d.client = func(*Endpoint) (*http.Client, error) {
		return &http.Client{Transport: t, Timeout: d.cfg.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}, nil
	}
}

// What tests outside of the package look at.
var (
	Render  = render  //nolint:gochecknoglobals // for tests
	Samples = samples //nolint:gochecknoglobals // for tests
	Public  = public  //nolint:gochecknoglobals // for tests
	StampOf = stampOf //nolint:gochecknoglobals // for tests
)

// Passes reports whether a filter passes a record.
var Passes = (*Filter).passes //nolint:gochecknoglobals // for tests

// Skips reports whether an endpoint is sent nothing of an event.
var Skips = (*Endpoint).skips //nolint:gochecknoglobals // for tests
