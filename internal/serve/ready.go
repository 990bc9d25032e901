package serve

import (
	"encoding/json"
	"fmt"

	"github.com/google/renameio/v2"
)

// Ready is what a server says once it answers: where it can be reached.
type Ready struct {
	// Listen are the addresses it serves on, with the ports that were bound.
	Listen []string `json:"listen"`
	// Ops is the address of /livez, /readyz and /metrics; empty where they are off or on the main port.
	Ops string `json:"ops,omitempty"`
}

// Write puts r as one line of JSON into the file at path, in one step, so that whoever sees the file can read it
// whole. An empty path writes nothing.
func (r Ready) Write(path string) error {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the ready file: %w", err)
	}
	if err := renameio.WriteFile(path, append(line, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return nil
}
