package httpsource

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of a report that an admin takes, in bytes.
const (
	maxReport = 1 << 20
	maxAlarm  = 1024
)

// encodeReport makes the body of a report. What an admin stamps itself is left out, and where the counters are too many
// to be taken, so are they: that the instance is there, and what it enforces, matters more.
func encodeReport(r state.Report) ([]byte, error) {
	r.Seen, r.Age = time.Time{}, 0
	r.Alarm = clip(r.Alarm, maxAlarm)
	text, err := json.Marshal(r)
	if err == nil && len(text) > maxReport {
		r.Hits, r.Unseen = nil, nil
		text, err = json.Marshal(r)
	}
	if err != nil {
		return nil, fmt.Errorf("encode a report: %w", err)
	}
	return text, nil
}

// clip cuts a text to at most n bytes of whole characters.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
