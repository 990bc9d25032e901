package webhook

import (
	"fmt"
	"strings"
)

// slackMessage is the body of an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
// The attachment is the plain form that receivers in the field know; the blocks above it add what it has no place for.
type slackMessage struct {
	Text        string            `json:"text"`
	Blocks      []slackBlock      `json:"blocks"`
	Attachments []slackAttachment `json:"attachments"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackAttachment struct {
	Color  string `json:"color"`
	Text   string `json:"text"`
	Footer string `json:"footer"`
	TS     int64  `json:"ts"`
}

// maxSlackPath is how much of a path stands in a block, which takes 3,000 characters.
const maxSlackPath = 2500

func slackOf(ev *Event) slackMessage {
	headline := fmt.Sprintf("*%s*: `%s`", ev.shout(), fit(strings.ReplaceAll(ev.Path, "`", "'"), maxSlackPath, slackSafe))
	text := headline
	if ev.Reason != "" {
		text += "\n> " + strings.ReplaceAll(slackSafe(cut(ev.Reason, maxReason)), "\n", "\n> ")
	}
	var details []slackText
	for _, f := range ev.facts() {
		details = append(details, slackText{"mrkdwn", "*" + f.name + ":* " + slackSafe(f.value)})
	}
	return slackMessage{
		Text: slackSafe(ev.shout() + ": " + ev.Path),
		Blocks: []slackBlock{
			{Type: "section", Text: &slackText{"mrkdwn", headline}},
			{Type: "context", Elements: details},
		},
		Attachments: []slackAttachment{{Color: fmt.Sprintf("#%06x", ev.colour()), Text: text, Footer: "waygate", TS: ev.At.Unix()}},
	}
}

// slackSafe escapes what would be a link or a mention: https://docs.slack.dev/messaging/formatting-message-text.
func slackSafe(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
