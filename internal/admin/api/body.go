package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/waygate/waygate/internal/admin/wire"
)

// readBody reads the body before anything is worked on, so that a slow client holds up nobody but itself. What is
// empty becomes {}.
func readBody(w http.ResponseWriter, r *http.Request, below string) *problem {
	if r.Body == nil || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	limit := int64(maxBody)
	switch below {
	case importPath:
		limit = maxImport
	case loginPath, loginFormPath:
		limit = maxLogin
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, wire.ProblemBlank, fmt.Sprintf("a body has at most %d bytes", tooBig.Limit))
	}
	if err != nil {
		return newProblem(http.StatusBadRequest, wire.ProblemBlank, "the body could not be read to its end")
	}
	if coding := r.Header.Get("Content-Encoding"); compressed(text) && coding != "" {
		return newProblem(http.StatusUnsupportedMediaType, wire.ProblemBlank, fmt.Sprintf("the body is compressed (%.20q), which is not read here: send it as it is", coding))
	}
	if below != loginFormPath {
		if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))); len(text) == 0 {
			text = []byte("{}")
		}
		r.Header.Del("Content-Type")
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return nil
}

// compressed reports whether a body that has a coding is no JSON by its first byte. A name in the header alone says
// little: clients write "utf-8" there.
func compressed(text []byte) bool {
	return len(text) > 0 && !bytes.ContainsAny(text[:1], "{[ \t\r\n\xef\"")
}
