package stream

import (
	"net/http"
	"strconv"
	"strings"
)

// place is a place in a log as clients name it: an event's id.
type place struct {
	epoch string
	rev   uint64
	// parts are how many parts of the frame after that the client has, of one that is told in several events.
	parts int
	// now asks for whatever comes next, and for nothing before.
	now bool
}

// String is the id of an event.
func (p place) String() string {
	text := p.epoch + "." + strconv.FormatUint(p.rev, 10)
	if p.parts > 0 {
		text += "+" + strconv.Itoa(p.parts)
	}
	return text
}

// askedPlace reads where a client wants to go on: after the last event it got, or after the place it names, which may
// be "now". What is no place is none, and the document is sent first.
func askedPlace(r *http.Request) place {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	return parsePlace(text)
}

func parsePlace(text string) place {
	if text == "now" {
		return place{now: true}
	}
	dot := strings.LastIndexByte(text, '.')
	if dot < 1 {
		return place{}
	}
	number, more, inside := strings.Cut(text[dot+1:], "+")
	rev, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return place{}
	}
	parts := 0
	if inside {
		if parts, err = strconv.Atoi(more); err != nil || parts < 1 {
			return place{}
		}
	}
	return place{epoch: text[:dot], rev: rev, parts: parts}
}
