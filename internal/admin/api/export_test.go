package api

import (
	"bytes"
	"fmt"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/stream"
)

// Description is the OpenAPI description of the API as YAML, as docs/openapi.yaml holds it.
func Description() ([]byte, error) {
	roster, err := people.NewRoster("", "", "", zap.NewNop())
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	_, described, err := build(Config{
		BasePath: "/waygate", Version: "1", Log: zap.NewNop(), Stream: stream.New(stream.Config{}), People: people.New(people.Config{Roster: roster, Log: zap.NewNop()}),
	})
	if err != nil {
		return nil, err
	}
	text, err := described.OpenAPI().YAML()
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}
