package authz

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/waygate/waygate/internal/state"
)

// Numbers of the fields that are read, from envoy/service/auth/v3/attribute_context.proto and external_auth.proto.
const (
	checkAttributes = 1 // CheckRequest.attributes

	attributesRequest    = 4  // AttributeContext.request
	attributesExtensions = 10 // AttributeContext.context_extensions

	requestHTTP = 2 // AttributeContext.Request.http

	httpMethod    = 2 // AttributeContext.HttpRequest.…
	httpHeaders   = 3
	httpPath      = 4
	httpQuery     = 7
	httpFragment  = 8
	httpHeaderMap = 13

	headerMapHeaders = 1 // config.core.v3.HeaderMap.headers
)

// Keys of context_extensions, by which the operator of a gateway says where a request belongs. Nothing that a client
// sends has a say in this.
const (
	extensionService = "waygate.service"
	extensionEnv     = "waygate.env"
)

// maxNoted bounds how many headers of one kind are noted; a request with more of them cannot be read.
const maxNoted = 64

// request is a check as it was read from the wire. Its strings share the memory of the message.
type request struct {
	state.Request
	contentType string
	// remove are headers that the client must not have sent and that the ready-made answer does not name.
	remove []string

	query string
	// shownPath is what the headers say the path is; it must be what the path is.
	shownPath  string
	pathShown  bool
	fragmented bool
	broken     bool
	// misnamed is what the gateway calls a service, but none can have that name.
	misnamed string
}

// read scans the bytes of a CheckRequest into r, which is empty. What it does not understand it leaves out, and r is
// then unreadable: that is a matter for the verdict, not an error.
//
// Strings are taken as they are. Generated types refuse those that are not UTF-8, and with them the whole check.
func (r *request) read(message []byte, defaults *state.Request) {
	r.inside(message, checkAttributes, (*request).readAttributes)
	switch {
	case r.Service == "":
		r.Service = defaults.Service
	case !state.IsService(r.Service):
		// No key can be of it. Taken at its word, it would open all that is blocked for the service that was meant.
		r.misnamed, r.Service = r.Service, ""
	}
	if r.Env == "" {
		r.Env = defaults.Env
	}
	differs := r.pathShown && r.shownPath != r.Target
	if r.query != "" && !strings.Contains(r.Target, "?") {
		r.Target += "?" + r.query
		differs = differs && r.shownPath != r.Target
	}
	// Over HTTP/2 Envoy shows a byte that is not UTF-8 as "!" in the path and forwards the byte: then only the header
	// tells, and nothing can be said of the request.
	r.Unreadable = r.broken || r.fragmented || differs
}

// inside reads the fields of a message that have one number; nothing else in it is of interest.
func (r *request) inside(message []byte, wanted protowire.Number, read func(*request, []byte)) {
	f := fields{rest: message}
	for number, content, ok := f.next(); ok; number, content, ok = f.next() {
		if number == wanted {
			read(r, content)
		}
	}
	r.broken = r.broken || f.broken
}

func (r *request) readAttributes(attributes []byte) {
	f := fields{rest: attributes}
	for number, content, ok := f.next(); ok; number, content, ok = f.next() {
		switch number {
		case attributesRequest:
			r.inside(content, requestHTTP, (*request).readHTTP)
		case attributesExtensions:
			r.readExtension(content)
		}
	}
	r.broken = r.broken || f.broken
}

func (r *request) readExtension(entry []byte) {
	key, value, _, broken := pair(entry)
	switch key {
	case extensionService:
		r.Service = value
	case extensionEnv:
		r.Env = value
	}
	r.broken = r.broken || broken
}

// readHTTP reads the request itself. Method and path are never taken from the headers: what a gateway is told to show
// of those may leave them out.
func (r *request) readHTTP(message []byte) {
	f := fields{rest: message}
	for number, content, ok := f.next(); ok; number, content, ok = f.next() {
		switch number {
		case httpMethod:
			r.Method = text(content)
		case httpPath:
			r.Target = text(content)
		case httpQuery:
			r.query = text(content)
		case httpFragment:
			r.fragmented = len(content) > 0
		case httpHeaders:
			r.readHeader(content)
		case httpHeaderMap:
			r.inside(content, headerMapHeaders, (*request).readHeader)
		}
	}
	r.broken = r.broken || f.broken
}

// readHeader reads one header of either form: an entry of a map of strings, or a HeaderValue, whose value can be raw.
func (r *request) readHeader(entry []byte) {
	name, value, raw, broken := pair(entry)
	r.broken = r.broken || broken
	if raw != "" {
		value = raw
	}
	switch kindOf(name) {
	case headerPath:
		r.broken = r.broken || r.pathShown && r.shownPath != value
		r.shownPath, r.pathShown = value, true
	case headerContentType:
		r.contentType = value
	case headerPreflight:
		r.Preflight = true
	case headerOverride:
		r.note(&r.Overrides, value)
	case headerForged:
		r.note(&r.remove, name)
	case headerOther:
	}
}

// note adds to one of the lists, whose length a client decides.
func (r *request) note(list *[]string, what string) {
	if len(*list) >= maxNoted {
		r.broken = true
		return
	}
	*list = append(*list, what)
}

// reset empties r for the next check; what its lists have grown to stays.
func (r *request) reset() {
	clear(r.Overrides)
	clear(r.remove)
	*r = request{Request: state.Request{Overrides: r.Overrides[:0]}, remove: r.remove[:0]}
}
