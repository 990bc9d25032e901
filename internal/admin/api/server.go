package api

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/admin/wire"
)

// Config is what the API serves and how.
type Config struct {
	Service *admin.Service
	People  *people.People
	// Endpoints are who is told of changes.
	Endpoints *admin.Endpoints
	// Stream shows the log; nil answers 404 at its addresses.
	Stream Stream
	// BasePath is where everything but the operations' addresses lives: empty, or a slash and what follows, without one
	// at the end.
	BasePath string
	// LocalOnly checks that Host names this machine; for servers without users that listen on loopback.
	LocalOnly bool
	// Version is that of the build.
	Version string
	// Security takes what was refused; nil takes nothing.
	Security *security.Log
	Log      *zap.Logger
}

// Stream shows the log to those who follow it, and bounds such calls itself.
type Stream interface {
	// ServeHTTP serves GET /api/stream and the addresses below it.
	http.Handler
	// Events serves GET /api/events with what tell makes of the log.
	Events(w http.ResponseWriter, r *http.Request, tell stream.Tell)
}

// Bounds of a call.
const (
	maxImport   = 32 << 20
	maxBody     = 1 << 20
	maxLogin    = 64 << 10        // anybody may send one
	callFor     = 4 * time.Second // clients in the field give up after five
	importFor   = time.Minute
	callsAtOnce = 256
	slowRefusal = time.Second
)

// server is the API.
type server struct {
	cfg    Config
	mux    *http.ServeMux
	origin *http.CrossOriginProtection
	slots  chan struct{}
	poured chan struct{} // of answers as long as the log
	docs   docsPage
	home   home
}

// New makes the handler of everything below the base path. The operations' addresses are Operations.
func New(cfg Config) (http.Handler, error) {
	s, _, err := build(cfg)
	return s, err
}

func build(cfg Config) (*server, huma.API, error) {
	if err := CheckBasePath(cfg.BasePath); err != nil {
		return nil, nil, err
	}
	s := &server{
		cfg: cfg, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), slots: make(chan struct{}, callsAtOnce),
		poured: make(chan struct{}, poursAtOnce),
	}
	described := s.describe()
	s.routes(described)
	s.switches(described)
	s.changes(described)
	s.windowCalls(described)
	s.calendarCalls(described)
	s.auth(described)
	s.fleet(described)
	s.auditing(described)
	s.webhookCalls(described)
	s.deliveryCalls(described)
	s.history(described)
	s.tools(described)
	s.unserved()
	s.following(described)
	if err := s.pages(); err != nil {
		return nil, nil, err
	}
	var err error
	if s.docs, err = newDocsPage(described.OpenAPI()); err != nil {
		return nil, nil, err
	}
	return s, described, nil
}

// CheckBasePath refuses what nothing can be below.
func CheckBasePath(base string) error {
	if !regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`).MatchString(base) || path.Clean("/"+base) != "/"+strings.TrimPrefix(base, "/") {
		return fmt.Errorf("base path %q: write it like /waygate, with a slash first and none last", base)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.witness(w, r, s.serve) }

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w, r)
	headers(w.Header())
	if s.cfg.LocalOnly && !overSocket(r) && !localHost(r.Host) {
		visitOf(r.Context()).kind = security.WrongHost
		write(w, newProblem(http.StatusForbidden, wire.ProblemBlank,
			"this server has no users and is for this machine alone: address it as localhost, or configure users"))
		return
	}
	below, ok := strings.CutPrefix(r.URL.EscapedPath(), s.cfg.BasePath)
	if !ok || below != "" && below[0] != '/' || s.cfg.BasePath == "" && below == "" {
		s.outside(w, r)
		return
	}
	if below == "" {
		http.Redirect(w, r, s.cfg.BasePath+"/", http.StatusFound)
		return
	}
	// Clean addresses only: ServeMux would answer others with a redirect.
	if strings.TrimSuffix(path.Clean(below), "/") != strings.TrimSuffix(below, "/") || len(below) > 1 && strings.HasSuffix(below, "/") {
		s.gate(w, r, below, unknown)
		return
	}
	s.gate(w, r, below, func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, inside(r, below)) })
}

// inside is the request as the mux sees it: without the base path, and with the key of the root path, /, in base64url,
// because the mux does not take %2F for a segment.
func inside(r *http.Request, below string) *http.Request {
	segments := strings.Split(below, "/")
	for i, segment := range segments {
		if strings.EqualFold(segment, "%2F") {
			segments[i] = wire.Segment("/")
		}
	}
	sub := new(http.Request)
	*sub = *r
	sub.URL = new(url.URL)
	*sub.URL = *r.URL
	sub.URL.RawPath = strings.Join(segments, "/")
	sub.URL.Path, _ = url.PathUnescape(sub.URL.RawPath) // it is the escaped form of a path that was read before
	return sub
}

// outside answers addresses that are not below the base path.
func (s *server) outside(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		http.Redirect(w, r, s.cfg.BasePath+"/", http.StatusFound)
		return
	}
	write(w, newProblem(http.StatusNotFound, wire.ProblemBlank, fmt.Sprintf("nothing is here: everything is below %s/", s.cfg.BasePath)))
}

func headers(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

func (s *server) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(v)
	}
	s.cfg.Log.Error("a call panicked", zap.Any("panic", v), zap.String("path", r.URL.Path), zap.ByteString("stack", debug.Stack()))
	write(w, newProblem(http.StatusInternalServerError, wire.ProblemBlank, "something went wrong inside the server"))
}

// dispatch finds the call. What the mux does not know is answered in JSON.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern != "" {
		r.Header.Del("Accept") // every answer of a call is JSON
		s.mux.ServeHTTP(w, r)
		return
	}
	heard := &eavesdropper{header: http.Header{}}
	s.mux.ServeHTTP(heard, r)
	if heard.status != http.StatusMethodNotAllowed {
		unknown(w, r)
		return
	}
	w.Header().Set("Allow", heard.header.Get("Allow"))
	write(w, newProblem(http.StatusMethodNotAllowed, wire.ProblemBlank,
		fmt.Sprintf("%s is not possible here, only %s", r.Method, heard.header.Get("Allow"))))
}

// eavesdropper hears what the mux would answer.
type eavesdropper struct {
	header http.Header
	status int
}

func (e *eavesdropper) Header() http.Header         { return e.header }
func (e *eavesdropper) Write(b []byte) (int, error) { return len(b), nil }
func (e *eavesdropper) WriteHeader(status int)      { e.status = status }

// unknown answers an address that does not exist.
func unknown(w http.ResponseWriter, r *http.Request) {
	sentence := "there is no such address"
	if strings.Contains(r.URL.Path, "/api/routes/") {
		sentence += ": a route key stands in one segment, as base64url without padding or percent-encoded (GET%3A%2Fpayments)"
	}
	write(w, newProblem(http.StatusNotFound, wire.ProblemBlank, sentence))
}
