package api

import (
	"bytes"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// icalendar is a text in the form of RFC 5545, being written.
type icalendar struct {
	text bytes.Buffer
}

func (c *icalendar) begin(component string) { c.line("BEGIN", component) }
func (c *icalendar) end(component string)   { c.line("END", component) }

// foldAt is how many bytes a line has at most (RFC 5545, 3.1).
const foldAt = 75

// line writes a property, folded between characters. The value is written as it is: see icalText.
func (c *icalendar) line(name, value string) {
	rest := name + ":" + value
	for room := foldAt; len(rest) > room; room = foldAt - 1 { // the blank before it counts as well
		n := room
		for !utf8.RuneStart(rest[n]) {
			n--
		}
		c.text.WriteString(rest[:n] + "\r\n ")
		rest = rest[n:]
	}
	c.text.WriteString(rest + "\r\n")
}

// icalText is a value of type TEXT (RFC 5545, 3.3.11). Control characters, which no such value can hold, are left out.
func icalText(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\n', r == '\r':
			out.WriteString(`\n`)
		case strings.ContainsRune(`\;,`, r):
			out.WriteRune('\\')
			out.WriteRune(r)
		case r == '\t' || !unicode.IsControl(r):
			out.WriteRune(r)
		}
	}
	return out.String()
}

// icalTime is an instant in UTC (RFC 5545, 3.3.5), which knows no parts of a second.
func icalTime(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
