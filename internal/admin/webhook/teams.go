package webhook

// teamsMessage is what an incoming webhook of a Teams workflow takes: a message with one Adaptive Card,
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string `json:"$schema"`
	Type    string `json:"type"`
	Version string `json:"version"`
	Body    []any  `json:"body"`
}

// teamsHeadline is a TextBlock; only text of our own stands in one, because Markdown counts there.
type teamsHeadline struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Size   string `json:"size"`
	Weight string `json:"weight"`
	Color  string `json:"color"`
	Wrap   bool   `json:"wrap"`
}

// teamsText is a RichTextBlock: what stands in one is taken as it is.
type teamsText struct {
	Type    string     `json:"type"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	FontType string `json:"fontType,omitempty"`
}

type teamsFacts struct {
	Type  string      `json:"type"`
	Facts []teamsFact `json:"facts"`
}

type teamsFact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

func teamsOf(ev *Event) teamsMessage {
	color := map[int]string{colourOpen: "Good", colourPartly: "Warning", colourBlocked: "Attention"}[ev.colour()]
	body := []any{
		teamsHeadline{"TextBlock", ev.shout(), "Large", "Bolder", color, true},
		teamsText{"RichTextBlock", []teamsRun{{"TextRun", ev.Path, "Monospace"}}},
	}
	if ev.Reason != "" {
		body = append(body, teamsText{"RichTextBlock", []teamsRun{{Type: "TextRun", Text: cut(ev.Reason, maxReason)}}})
	}
	facts := teamsFacts{Type: "FactSet"}
	for _, f := range ev.facts() {
		facts.Facts = append(facts.Facts, teamsFact{f.name, f.value})
	}
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: teamsCard{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
			Body: append(body, facts),
		},
	}}}
}
