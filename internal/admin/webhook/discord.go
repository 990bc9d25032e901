package webhook

import "strings"

// discordMessage is what a webhook of Discord takes: https://discord.com/developers/docs/resources/webhook#execute-webhook.
type discordMessage struct {
	Username string         `json:"username"`
	Embeds   []discordEmbed `json:"embeds"`
	// Mentions admits none: what people write as a reason must not ring everybody.
	Mentions discordMentions `json:"allowed_mentions"`
}

type discordMentions struct {
	Parse []string `json:"parse"`
}

type discordEmbed struct {
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Color       int            `json:"color"`
	Timestamp   string         `json:"timestamp"`
	Fields      []discordField `json:"fields,omitempty"`
	Footer      discordFooter  `json:"footer"`
}

type discordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

type discordFooter struct {
	Text string `json:"text"`
}

// maxDescription is how long an embed's description may be, in characters.
const maxDescription = 4096

func discordOf(ev *Event) discordMessage {
	text := "`" + strings.ReplaceAll(ev.Path, "`", "'") + "`"
	if ev.Reason != "" {
		text += "\n> " + fit(cut(ev.Reason, maxReason), maxDescription-len(text)-len("\n> "), func(reason string) string {
			return strings.ReplaceAll(discordSafe(reason), "\n", "\n> ")
		})
	}
	embed := discordEmbed{
		Title: ev.shout(), Description: text, Color: ev.colour(), Timestamp: stamp(ev.At), Footer: discordFooter{"waygate"},
	}
	for _, f := range ev.facts() {
		if f.name != "At" { // the embed shows its timestamp
			embed.Fields = append(embed.Fields, discordField{f.name, discordSafe(f.value), true})
		}
	}
	return discordMessage{Username: "waygate", Embeds: []discordEmbed{embed}, Mentions: discordMentions{Parse: []string{}}}
}

// discordSafe keeps text from being Markdown.
func discordSafe(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "[", `\[`, "]", `\]`).Replace(text)
}
