package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed page
var pageFiles embed.FS

// pageTemplate reads a page and the style that stands in it, with the policy that admits this style and nothing else.
func pageTemplate(name string) (page *template.Template, style template.CSS, policy string, err error) {
	css, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return nil, "", "", fmt.Errorf("read the style: %w", err)
	}
	page, err = template.ParseFS(pageFiles, "page/"+name)
	if err != nil {
		return nil, "", "", fmt.Errorf("read the page: %w", err)
	}
	sum := sha256.Sum256(css)
	policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return page, template.CSS(css), policy, nil //nolint:gosec // our own file
}

// docsPage is the description of the API for people, drawn once.
type docsPage struct {
	text   []byte
	policy string
}

type docsGroup struct {
	Name  string
	Calls []docsCall
}

type docsCall struct {
	ID, Method, Path, Summary, AnswerName string
	Inputs, Body, Answer                  []docsMember
}

type docsMember struct {
	Name, In, Doc string
	Required      bool
}

func newDocsPage(described *huma.OpenAPI) (docsPage, error) {
	page, style, policy, err := pageTemplate("docs.html")
	if err != nil {
		return docsPage{}, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Style": style, "Description": described.Info.Description, "Base": described.Servers[0].URL, "Groups": docsGroups(described),
	})
	if err != nil {
		return docsPage{}, fmt.Errorf("draw the docs page: %w", err)
	}
	return docsPage{text: out.Bytes(), policy: policy}, nil
}

// ServeHTTP implements http.Handler.
func (d *docsPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", d.policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(d.text) // the client may be gone; there is nobody to tell
}

func docsGroups(described *huma.OpenAPI) []docsGroup {
	groups := map[string]*docsGroup{}
	for path, item := range described.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil || len(op.Tags) == 0 {
				continue
			}
			g := groups[op.Tags[0]]
			if g == nil {
				g = &docsGroup{Name: op.Tags[0]}
				groups[op.Tags[0]] = g
			}
			g.Calls = append(g.Calls, docsCallOf(described, path, op))
		}
	}
	var all []docsGroup
	for _, g := range groups {
		slices.SortFunc(g.Calls, func(a, b docsCall) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b docsGroup) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func docsCallOf(described *huma.OpenAPI, path string, op *huma.Operation) docsCall {
	c := docsCall{ID: op.OperationID, Method: op.Method, Path: path[1:], Summary: op.Summary}
	for _, p := range op.Parameters {
		c.Inputs = append(c.Inputs, docsMember{Name: p.Name, In: p.In, Doc: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		_, c.Body = docsMembers(described, op.RequestBody.Content["application/json"])
	}
	if ok := op.Responses["200"]; ok != nil {
		c.AnswerName, c.Answer = docsMembers(described, ok.Content["application/json"])
	}
	return c
}

// docsMembers names a schema and lists its members.
func docsMembers(described *huma.OpenAPI, content *huma.MediaType) (name string, members []docsMember) {
	if content == nil || content.Schema == nil {
		return "", nil
	}
	schema := content.Schema
	if schema.Type == huma.TypeArray && schema.Items != nil {
		name, schema = "array of ", schema.Items
	}
	if schema.Ref != "" {
		schema = described.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	for member, s := range schema.Properties {
		members = append(members, docsMember{Name: member, In: typeName(s), Doc: s.Description, Required: slices.Contains(schema.Required, member)})
	}
	slices.SortFunc(members, func(a, b docsMember) int { return cmp.Compare(a.Name, b.Name) })
	if len(members) == 0 {
		return name + typeName(schema), nil
	}
	return name + "object", members
}

func typeName(s *huma.Schema) string {
	switch {
	case s.Ref != "":
		return "object"
	case s.Type == huma.TypeArray && s.Items != nil:
		return "array of " + typeName(s.Items)
	case s.Format == "date-time":
		return "time"
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum...)
	default:
		return s.Type
	}
}
