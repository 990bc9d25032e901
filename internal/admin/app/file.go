package app

import (
	"fmt"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state/filestore"
)

// openFile opens the store of the file backend and tells what the start found.
func (c *Config) openFile(log *zap.Logger) (*opened, error) {
	s, err := filestore.Open(c.FilePath, filestore.Options{OnError: func(err error) {
		log.Error("the document file cannot be written; the changes are safe in the log", zap.Error(err))
	}})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	found := s.Opened()
	if found.Torn > 0 {
		log.Warn("the log ended in a torn line, which was cut off", zap.Int64("bytes", found.Torn))
	}
	if found.Imported > 0 {
		log.Info("the document was edited by hand and is committed so", zap.Int("fields", found.Imported))
	}
	if found.Rebuilt {
		log.Warn("the document file was gone and is written anew from the log")
	}
	return &opened{Backend: s, close: s.Close, gen: 1, warnings: func() []string { return nil }}, nil
}
