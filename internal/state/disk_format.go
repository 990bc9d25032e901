package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A snapshot file has three lines: the form and the SHA-256 of all that follows; the place; the content.
const savedForm = "waygate snapshot 1 "

// savedHead is the second line of a snapshot file.
type savedHead struct {
	Meta
	At time.Time `json:"at"`
}

// savedBody is the third line of a snapshot file.
type savedBody struct {
	Fields  Patch             `json:"fields"`
	Private map[string][]byte `json:"private,omitzero"`
}

// encode gives the bytes of a snapshot file.
func (s *Saved) encode() ([]byte, error) {
	fields, err := s.Document.Fields()
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(savedHead{Meta: s.Document.Meta, At: s.At.UTC()})
	if err != nil {
		return nil, fmt.Errorf("encode the place: %w", err)
	}
	body, err := json.Marshal(savedBody{Fields: fields, Private: s.Private})
	if err != nil {
		return nil, fmt.Errorf("encode the content: %w", err)
	}
	rest := make([]byte, 0, len(head)+len(body)+2)
	rest = append(append(append(append(rest, head...), '\n'), body...), '\n')
	sum := sha256.Sum256(rest)
	return append([]byte(savedForm+hex.EncodeToString(sum[:])+"\n"), rest...), nil
}

// parseSaved reads the bytes of a snapshot file. What it refuses is ErrDamaged.
func parseSaved(text []byte) (Saved, error) {
	s, err := parseSavedParts(text)
	if err != nil && !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return Saved{}, fmt.Errorf("snapshot: %w", err)
	}
	return s, nil
}

func parseSavedParts(text []byte) (Saved, error) {
	first, rest, ok := bytes.Cut(text, []byte("\n"))
	sum := sha256.Sum256(rest)
	if !ok || string(first) != savedForm+hex.EncodeToString(sum[:]) {
		return Saved{}, fmt.Errorf("the checksum does not fit: %w", ErrDamaged)
	}
	second, third, ok := bytes.Cut(rest, []byte("\n"))
	var head savedHead
	var body savedBody
	if !ok {
		return Saved{}, fmt.Errorf("there is no content: %w", ErrDamaged)
	}
	if err := json.Unmarshal(second, &head); err != nil {
		return Saved{}, fmt.Errorf("place: %w", err)
	}
	if head.Epoch == "" {
		return Saved{}, fmt.Errorf("the place has no epoch: %w", ErrDamaged)
	}
	if err := json.Unmarshal(third, &body); err != nil {
		return Saved{}, fmt.Errorf("content: %w", err)
	}
	doc, err := NewDocument(head.Meta).With(body.Fields, head.Meta)
	if err != nil {
		return Saved{}, err
	}
	return Saved{Document: doc, Private: body.Private, At: head.At}, nil
}

// after reports whether s is to be preferred to other: it is newer, or written later at the same place.
func (s *Saved) after(other Saved) bool {
	if other.Document == nil {
		return true
	}
	a, b := s.Document.Meta, other.Document.Meta
	return newer(a, b) || !newer(b, a) && s.At.After(other.At)
}

// headOf tells where the snapshot in a file stands, without reading all of it: the zero Meta where that cannot be told.
func headOf(path string) Meta {
	f, err := os.Open(path)
	if err != nil {
		return Meta{}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, headSize))
	if err != nil {
		return Meta{}
	}
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	var head savedHead
	if json.Unmarshal(second, &head) != nil {
		return Meta{}
	}
	return head.Meta
}

// replaceFile puts text in the place of a file in one step that survives a crash: the file is the old one or the new
// one, and once it returns it is the new one. Only its owner may read it.
func replaceFile(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
