package webhook_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"time"
	"unicode/utf16"
)

// schema is the part of JSON Schema that the schemas of the receivers need; their files are written from the products'
// public documentation.
type schema struct {
	Type       string             `json:"type"`
	Const      any                `json:"const"`
	Enum       []any              `json:"enum"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Additional *bool              `json:"additionalProperties"`
	Items      *schema            `json:"items"`
	MinItems   int                `json:"minItems"`
	MaxItems   *int               `json:"maxItems"`
	MinLength  int                `json:"minLength"`
	MaxLength  *int               `json:"maxLength"`
	Pattern    string             `json:"pattern"`
	Format     string             `json:"format"`
}

// check says what is wrong with a document.
func (s *schema) check(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return s.value("$", v)
}

func (s *schema) value(at string, v any) error {
	if s.Const != nil && !reflect.DeepEqual(s.Const, v) {
		return fmt.Errorf("%s: %v is not %v", at, v, s.Const)
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		return fmt.Errorf("%s: %v is none of %v", at, v, s.Enum)
	}
	if is := kindOf(v); s.Type != "" && is != s.Type {
		return fmt.Errorf("%s: it is a %s, not a %s", at, is, s.Type)
	}
	switch v := v.(type) {
	case string:
		return s.text(at, v)
	case []any:
		return s.list(at, v)
	case map[string]any:
		return s.object(at, v)
	}
	return nil
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	default:
		return "object"
	}
}

func (s *schema) text(at, v string) error {
	n := len(utf16.Encode([]rune(v)))
	if n < s.MinLength || s.MaxLength != nil && n > *s.MaxLength {
		return fmt.Errorf("%s: %d characters", at, n)
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
		return fmt.Errorf("%s: %q does not fit %s", at, v, s.Pattern)
	}
	if s.Format == "date-time" {
		_, err := time.Parse(time.RFC3339Nano, v)
		return err
	}
	return nil
}

func (s *schema) list(at string, v []any) error {
	if len(v) < s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
		return fmt.Errorf("%s: %d items", at, len(v))
	}
	for i, item := range v {
		if s.Items == nil {
			break
		}
		if err := s.Items.value(fmt.Sprintf("%s[%d]", at, i), item); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) object(at string, v map[string]any) error {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s: %s is missing", at, name)
		}
	}
	for name, member := range v {
		of := s.Properties[name]
		if of == nil {
			if s.Additional != nil && !*s.Additional {
				return fmt.Errorf("%s: nobody knows %s", at, name)
			}
			continue
		}
		if err := of.value(at+"."+name, member); err != nil {
			return err
		}
	}
	return nil
}
