package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/crash"
)

// describe makes the huma API on the server's mux.
func (s *server) describe() huma.API {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Waygate", Version: s.cfg.Version,
				Description: "Switches routes behind Envoy off and on. A route key is [service:][METHOD:]/path; in an address it is one segment, base64url without padding or percent-encoded. An empty body is {}, and the content type is not looked at. Every error is a Problem.",
			},
			Servers: []*huma.Server{{URL: s.cfg.BasePath + "/"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"header": {Type: "apiKey", In: "header", Name: tokenHeader},
					"bearer": {Type: "http", Scheme: "bearer"},
					"cookie": {Type: "apiKey", In: "cookie", Name: cookieName},
				},
			},
			Security:       []map[string][]string{{"header": {}}, {"bearer": {}}, {"cookie": {}}},
			OnAddOperation: []huma.AddOpFunc{finish},
		},
		OpenAPIPath:   "/api/openapi",
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{inWords},
	}
	if s.cfg.BasePath == "" {
		config.Servers = []*huma.Server{{URL: "/"}}
	}
	described := huma.NewAPI(config, humago.NewAdapter(s.mux, ""))
	described.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) { next(&call{humaContext: ctx}) })
	return described
}

// decode reads JSON in which a member that is null counts as absent.
func decode(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("this is not the JSON that is expected here: %w", err)
	}
	if whole, ok := v.(*any); ok {
		dropNulls(*whole)
	}
	return nil
}

func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil {
				delete(v, name)
			}
			dropNulls(member)
		}
	case []any:
		for _, member := range v {
			dropNulls(member)
		}
	}
}

// inWords turns huma's own errors into problems.
func inWords(ctx huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := validation(e)
	if c, ok := ctx.(*call); ok {
		c.status = p.Status
	}
	return p, nil
}

type humaContext huma.Context

// call is huma's context of one call, in which what does not validate is 400, and the body, which was read already,
// has no deadline.
type call struct {
	humaContext
	status int // of the answer, where it is not the one that huma would give
}

// Unwrap gives the adapter its own context.
func (c *call) Unwrap() huma.Context { return c.humaContext }

// SetStatus implements huma.Context.
func (c *call) SetStatus(code int) {
	if c.status != 0 {
		code = c.status
	}
	c.humaContext.SetStatus(code)
}

// SetHeader implements huma.Context. Errors are JSON like everything else.
func (c *call) SetHeader(name, value string) {
	if name == "Content-Type" && value == "application/problem+json" {
		value = "application/json"
	}
	c.humaContext.SetHeader(name, value)
}

// SetReadDeadline implements huma.Context.
func (c *call) SetReadDeadline(time.Time) error { return nil }

// finish completes the description of an operation: its errors, and whether it needs a body.
func finish(api *huma.OpenAPI, op *huma.Operation) {
	schema := api.Components.Schemas.Schema(problemType(), true, "Problem")
	op.Responses["default"] = &huma.Response{
		Description: "Any error",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return
	}
	body := op.RequestBody.Content["application/json"].Schema
	if body.Ref != "" {
		body = api.Components.Schemas.SchemaFromRef(body.Ref)
	}
	op.RequestBody.Required = len(body.Required) > 0
}

// answer is what a handler gives huma to write.
type answer[T any] struct{ Body T }

// operation says what an address is for; needs is the scope it takes.
func operation(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/api" + path, Tags: []string{tag}, Summary: summary,
		Responses: map[string]*huma.Response{}, MaxBodyBytes: -1, // the gate bounds bodies
	}
}

// handle registers a call: the scope is checked, the answer wrapped, the error put into words.
func handle[I, O any](s *server, described huma.API, op huma.Operation, needs people.Scope, do func(context.Context, people.Principal, *I) (O, error)) {
	huma.Register(described, op, func(ctx context.Context, in *I) (*answer[O], error) {
		who := principal(ctx)
		if needs != "" {
			if err := who.May(needs); err != nil {
				return nil, problemOf(err)
			}
		}
		out, err := do(ctx, who, in)
		if err != nil {
			p := problemOf(err)
			if p.Status == http.StatusInternalServerError {
				s.cfg.Log.Error("a call failed", zap.String("call", op.OperationID), zap.Error(err))
			}
			return nil, p
		}
		crash.Point("answer")
		return &answer[O]{Body: out}, nil
	})
}

func problemType() reflect.Type { return reflect.TypeFor[wire.Problem]() }
