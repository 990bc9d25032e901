package webhook

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// render writes an event in the endpoint's format. The same event gives the same bytes on every admin.
func render(e *Endpoint, ev *Event) ([]byte, error) {
	switch e.format() {
	case FormatSlack:
		return encode(slackOf(ev))
	case FormatTeams:
		return encode(teamsOf(ev))
	case FormatPagerDuty:
		return encode(pagerDutyOf(e.RoutingKey, ev))
	case FormatDiscord:
		return encode(discordOf(ev))
	case FormatTemplate:
		return fill(e.Template, ev)
	default:
		return encode(genericOf(ev))
	}
}

func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the event: %w", err)
	}
	return text, nil
}

// skips reports whether the endpoint's format has nothing to say about an event.
func (e *Endpoint) skips(ev *Event) bool {
	return e.format() == FormatPagerDuty && !incident(ev)
}

// generic is the plain form of an event. Its members never change.
type generic struct {
	Event     state.Action    `json:"event"`
	Path      string          `json:"path"`
	Reason    string          `json:"reason"`
	Timestamp string          `json:"timestamp"`
	State     json.RawMessage `json:"state"`
}

func genericOf(ev *Event) generic {
	return generic{Event: ev.Action, Path: ev.Path, Reason: ev.Reason, Timestamp: stamp(ev.At), State: ev.State}
}

// shout is the name of the event as headlines carry it.
func (e *Event) shout() string {
	name := strings.ToUpper(string(e.Action))
	if e.Test {
		return "TEST: " + name
	}
	return name
}

// change tells the status before and after in words.
func (e *Event) change() string {
	switch {
	case e.After == "":
		return ""
	case e.Before == "" || e.Before == e.After:
		return string(e.After)
	default:
		return string(e.Before) + " → " + string(e.After)
	}
}

// fact is one line of detail beside the headline.
type fact struct{ name, value string }

// facts are the details that there are, in the order in which people read them.
func (e *Event) facts() []fact {
	var all []fact
	add := func(name, value string) {
		if value != "" {
			all = append(all, fact{name, cut(value, 500)})
		}
	}
	add("Status", e.change())
	add("Service", e.Service)
	if !e.Start.IsZero() {
		add("Start", stamp(e.Start))
	}
	if !e.Until.IsZero() {
		add("Until", stamp(e.Until))
	}
	add("By", e.Actor)
	add("At", stamp(e.At))
	return all
}

// Colours of what the status after means.
const (
	colourOpen    = 0x2eb67d
	colourPartly  = 0xecb22e
	colourBlocked = 0xe01e5a
)

func (e *Event) colour() int {
	switch e.After {
	case state.Active:
		return colourOpen
	case state.Disabled:
		return colourBlocked
	default:
		return colourPartly
	}
}

// fit is text as escape writes it, shortened so that this is at most n bytes.
func fit(text string, n int, escape func(string) string) string {
	for {
		if out := escape(text); len(out) <= n {
			return out
		}
		text = cut(text, len(text)*3/4)
	}
}

// maxReason is how much of a reason goes into a message for people, in bytes.
const maxReason = 1500
