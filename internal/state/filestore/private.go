package filestore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/waygate/waygate/internal/state"
)

// privateFile is the content of the private part's file. Which one of the two that can be there is in force, the log
// tells: it names the revision that last changed the private part.
type privateFile struct {
	Form string `json:"waygate"`
	Gen  uint64 `json:"gen"`
	Rev  uint64 `json:"rev"`
	// Sum is the SHA-256 of Fields.
	Sum    string          `json:"sum"`
	Fields json.RawMessage `json:"fields"`
}

const privateForm = "private 1"

// preparePrivate writes the private part of a commit beside the one in force. It counts once the log names it.
func (p *paths) preparePrivate(gen, rev uint64, private map[string][]byte) error {
	fields, err := json.Marshal(private)
	if err != nil {
		return fmt.Errorf("write the private part: %w", err)
	}
	sum := sha256.Sum256(fields)
	text, err := json.Marshal(privateFile{Form: privateForm, Gen: gen, Rev: rev, Sum: hex.EncodeToString(sum[:]), Fields: fields})
	if err != nil {
		return fmt.Errorf("write the private part: %w", err)
	}
	return p.replace(p.privateNext, append(text, '\n'), 0o600)
}

// promotePrivate puts the prepared private part in the place of the one that was in force.
func (p *paths) promotePrivate() error {
	if err := os.Rename(p.privateNext, p.private); err != nil {
		return fmt.Errorf("replace the private part: %w", err)
	}
	return syncDir(p.dir)
}

// readPrivate reads the private part that a revision left, and tidies up what a crash left.
func (p *paths) readPrivate(gen, rev uint64) (map[string][]byte, error) {
	fields, err := readPrivateFile(p.private, gen, rev)
	if err == nil {
		if err := os.Remove(p.privateNext); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove what was not committed: %w", err)
		}
		return fields, nil
	}
	next, nextErr := readPrivateFile(p.privateNext, gen, rev)
	if nextErr != nil {
		return nil, fmt.Errorf("%s must hold the private part as revision %d left it, restore it from a backup: %w",
			p.private, rev, err)
	}
	return next, p.promotePrivate()
}

// readPrivateFile reads a file of the private part, which must be that of a revision.
func readPrivateFile(path string, gen, rev uint64) (map[string][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrDamaged, err)
	}
	var f privateFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, state.ErrDamaged, err)
	}
	sum := sha256.Sum256(f.Fields)
	if f.Form != privateForm || f.Sum != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%s: its checksum does not fit: %w", path, state.ErrDamaged)
	}
	if f.Gen != gen || f.Rev != rev {
		return nil, fmt.Errorf("%s is of revision %d: %w", path, f.Rev, state.ErrDamaged)
	}
	private := map[string][]byte{}
	if err := json.Unmarshal(f.Fields, &private); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, state.ErrDamaged, err)
	}
	return private, nil
}
