package proof

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Checkpoint says that a log had a head at a revision, at an instant. Signed, it is six lines, each with a newline,
// and an empty one after them:
//
//	waygate checkpoint 1
//	namespace default
//	epoch 4QJ…
//	revision 42
//	head 5e88…
//	time 2026-12-01T02:00:00Z
//	signature base64…
//
// The signature is Ed25519 (RFC 8032) over the lines before its own, newlines included.
type Checkpoint struct {
	Namespace string
	Epoch     string
	Rev       uint64
	Head      state.Head
	Time      time.Time
}

const (
	checkpointForm  = "waygate checkpoint 1"
	signatureMember = "signature "
	checkpointEnd   = "\n\n"
)

// Text is what is signed.
func (c *Checkpoint) Text() []byte {
	return fmt.Appendf(nil, "%s\nnamespace %s\nepoch %s\nrevision %d\nhead %s\ntime %s\n",
		checkpointForm, c.Namespace, c.Epoch, c.Rev, c.Head, c.Time.UTC().Format(time.RFC3339Nano))
}

// Sign gives the checkpoint with its signature, as it stands in a file.
func (c *Checkpoint) Sign(key ed25519.PrivateKey) []byte {
	text := c.Text()
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return fmt.Appendf(text, "%s%s\n\n", signatureMember, signature)
}

// errCheckpoint is a checkpoint that cannot be read.
var errCheckpoint = errors.New("it does not have the form of a checkpoint")

// ParseCheckpoints reads a file of checkpoints and checks each signature, and that they rise. The error names the first
// that is bad, by its number. A last one without its end is what a crash leaves: it is not counted, and torn says so.
func ParseCheckpoints(file []byte, key ed25519.PublicKey) (all []Checkpoint, torn bool, err error) {
	whole := WholeCheckpoints(file)
	torn = whole < len(file)
	for i, block := range strings.Split(string(file[:whole]), checkpointEnd) {
		if strings.TrimSpace(block) == "" {
			continue
		}
		text, signature, _ := strings.Cut(block, "\n"+signatureMember)
		c, err := parseCheckpoint(text + "\n")
		if err != nil {
			return all, false, fmt.Errorf("checkpoint %d: %w", i+1, err)
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(signature)
		if err != nil || !ed25519.Verify(key, []byte(text+"\n"), raw) {
			return all, false, fmt.Errorf("checkpoint %d (revision %d): its signature does not fit", i+1, c.Rev)
		}
		if n := len(all); n > 0 && (c.Namespace != all[n-1].Namespace || c.Rev < all[n-1].Rev) {
			return all, false, fmt.Errorf("checkpoint %d (revision %d): it does not come after the one before it (revision %d)", i+1, c.Rev, all[n-1].Rev)
		}
		all = append(all, c)
	}
	return all, torn, nil
}

// WholeCheckpoints is how much of a file of checkpoints, in bytes, ends with the end of one.
func WholeCheckpoints(file []byte) int {
	end := bytes.LastIndex(file, []byte(checkpointEnd))
	if end < 0 {
		return 0
	}
	return end + len(checkpointEnd)
}

// BeginsCheckpoint reports whether a text is the beginning of a checkpoint.
func BeginsCheckpoint(text []byte) bool {
	n := min(len(text), len(checkpointForm))
	return string(text[:n]) == checkpointForm[:n]
}

func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	names := []string{"", "namespace ", "epoch ", "revision ", "head ", "time "}
	if len(lines) != len(names) || lines[0] != checkpointForm {
		return Checkpoint{}, errCheckpoint
	}
	values := make([]string, len(names))
	for i, name := range names[1:] {
		value, ok := strings.CutPrefix(lines[i+1], name)
		if !ok {
			return Checkpoint{}, errCheckpoint
		}
		values[i+1] = value
	}
	c := Checkpoint{Namespace: values[1], Epoch: values[2]}
	var err1, err2, err3 error
	c.Rev, err1 = strconv.ParseUint(values[3], 10, 64)
	err2 = c.Head.UnmarshalText([]byte(values[4]))
	c.Time, err3 = time.Parse(time.RFC3339Nano, values[5])
	if errors.Join(err1, err2, err3) != nil || string(c.Text()) != text {
		return Checkpoint{}, errCheckpoint
	}
	return c, nil
}
