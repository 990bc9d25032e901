package webhook

import (
	"encoding/json"
	"text/template"

	"github.com/waygate/waygate/internal/state"
)

// parseTemplate reads the text of FormatTemplate; what it refuses is an *state.InvalidError.
func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		return nil, state.Invalid("template", "the format %q needs a template that yields JSON", FormatTemplate)
	}
	t, err := template.New("template").Option("missingkey=error").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return nil, state.Invalid("template", "the template cannot be read: %s", err)
	}
	return t, nil
}

// asJSON writes a value as JSON, for templates.
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err //nolint:wrapcheck // the template says where
}
