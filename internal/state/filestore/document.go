package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// document is the content of the document file, and of the seed files in the log.
type document struct {
	Form string `json:"waygate"`
	Help string `json:"help,omitempty"`
	state.Meta
	// Since is the revision that this history began with: the log has all that follow.
	Since uint64 `json:"since"`
	// Private is the revision that last changed the private part.
	Private uint64 `json:"private"`
	// Sum is the SHA-256 of the fields: another one than theirs tells that they were edited.
	Sum string `json:"sum"`

	// Announced is the instant up to which everything that windows do is in the log. It is not to be edited.
	Announced json.RawMessage `json:"announced,omitempty"`

	Global   json.RawMessage            `json:"global,omitempty"`
	Services map[string]json.RawMessage `json:"services"`
	Routes   map[string]json.RawMessage `json:"routes"`
	Windows  map[string]json.RawMessage `json:"windows"`
}

const (
	documentForm = "document 1"
	documentHelp = "While waygate-admin is stopped you may edit what is under global, services, routes and windows; " +
		"the next start commits the difference. Leave the lines up to sum as they are. " +
		"A document that is missing is written anew from the log: to forget everything, remove the log and the private part too."
)

// Names of the fields of a document, by section.
const (
	fieldGlobal    = "g"
	fieldService   = "s:"
	fieldRoute     = "r:"
	fieldWindow    = "w:"
	fieldAnnounced = "a"
)

// newDocument is the document of fields at meta.
func newDocument(meta state.Meta, fields state.Patch, since, private uint64) (*document, error) {
	d := &document{
		Form: documentForm, Help: documentHelp, Meta: meta, Since: since, Private: private,
		Services: map[string]json.RawMessage{}, Routes: map[string]json.RawMessage{}, Windows: map[string]json.RawMessage{},
	}
	for field, value := range fields {
		switch {
		case field == fieldGlobal:
			d.Global = value
		case field == fieldAnnounced:
			d.Announced = value
		case strings.HasPrefix(field, fieldService):
			d.Services[field[len(fieldService):]] = value
		case strings.HasPrefix(field, fieldRoute):
			d.Routes[field[len(fieldRoute):]] = value
		case strings.HasPrefix(field, fieldWindow):
			d.Windows[field[len(fieldWindow):]] = value
		default:
			return nil, fmt.Errorf("field %q belongs to no section: %w", field, state.ErrDamaged)
		}
	}
	sum, err := sumOf(fields)
	d.Sum = sum
	return d, err
}

// fields are the fields as they stand in the file.
func (d *document) fields() state.Patch {
	p := state.Patch{}
	if len(d.Global) > 0 {
		p[fieldGlobal] = d.Global
	}
	if len(d.Announced) > 0 {
		p[fieldAnnounced] = d.Announced
	}
	for name, value := range d.Services {
		p[fieldService+name] = value
	}
	for key, value := range d.Routes {
		p[fieldRoute+key] = value
	}
	for id, value := range d.Windows {
		p[fieldWindow+id] = value
	}
	return p
}

// sumOf is the SHA-256 of fields, however their JSON is laid out.
func sumOf(fields state.Patch) (string, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("sum of the fields: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// writeDocument puts a document in the place of a file.
func (p *paths) writeDocument(path string, d *document) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return p.replace(path, append(text, '\n'), 0o640)
}

// readDocument reads a document file, which may have been edited. What cannot be read is an error that tells where.
func readDocument(path string) (*document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("%s%s: %w (correct it, or remove it: it is written anew from the log): %w",
			path, lineOf(text, err), state.ErrDamaged, err)
	}
	if dec.More() {
		return nil, fmt.Errorf("%s: something follows the document: %w", path, state.ErrDamaged)
	}
	if d.Form != documentForm {
		return nil, fmt.Errorf("%s: it says %q and not %q, is it of another release or another program? %w",
			path, d.Form, documentForm, state.ErrDamaged)
	}
	if d.Epoch == "" {
		return nil, fmt.Errorf("%s: it names no epoch: %w", path, state.ErrDamaged)
	}
	return &d, nil
}

// lineOf tells the line a JSON error is about, where the error knows.
func lineOf(text []byte, err error) string {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	var at int64
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &typed):
		at = typed.Offset
	default:
		return ""
	}
	return fmt.Sprintf(", line %d", 1+bytes.Count(text[:min(at, int64(len(text)))], []byte("\n")))
}

// edited reports whether somebody changed the fields since the document was written.
func (d *document) edited() (bool, error) {
	sum, err := sumOf(d.fields())
	return sum != d.Sum, err
}
