package webhook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

var update = flag.Bool("update", false, "rewrite golden files") //nolint:gochecknoglobals // a flag of tests

// formatted are endpoints of each format.
func formatted() []webhook.Endpoint {
	var all []webhook.Endpoint
	for _, f := range webhook.Formats() {
		e := webhook.Endpoint{ID: "e", URL: "https://hooks.example.com/", Format: f}
		switch f {
		case webhook.FormatPagerDuty:
			e.RoutingKey = strings.Repeat("0123456789abcdef", 2)
		case webhook.FormatTemplate:
			e.Template = `{"what": {{json (upper .Event)}}, "where": {{json .Path}}, "status": {{json .State.status}}}`
		}
		all = append(all, e)
	}
	return all
}

func schemaOf(t *testing.T, f webhook.Format) *schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "schemas", string(f)+".json"))
	if f == webhook.FormatTemplate {
		return &schema{Type: "object"}
	}
	require.NoError(t, err)
	s := &schema{}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	require.NoError(t, strict.Decode(s))
	return s
}

// What receivers read byte by byte stays what it is, and is what their makers say they read.
func TestPayloadsAreWhatTheyWere(t *testing.T) {
	for _, e := range formatted() {
		t.Run(string(e.Format), func(t *testing.T) {
			require.NoError(t, e.Validate())
			var all bytes.Buffer
			s := schemaOf(t, e.Format)
			for _, ev := range webhook.Samples(&webhook.Endpoint{ID: "e"}, time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC)) {
				ev.Test = false
				body, err := webhook.Render(&e, &ev)
				require.NoError(t, err)
				require.NoError(t, s.check(body), "%s", body)
				require.NoError(t, json.Indent(&all, body, "", "  "))
				all.WriteByte('\n')
			}
			path := filepath.Join("testdata", "payloads", string(e.Format)+".json")
			if *update {
				require.NoError(t, os.WriteFile(path, all.Bytes(), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), all.String())
		})
	}
}

// Whatever people write stays inside the bounds and means nothing to the receiver.
func TestOddEventsFitToo(t *testing.T) {
	for _, e := range formatted() {
		s := schemaOf(t, e.Format)
		for _, reason := range []string{
			"", strings.Repeat("ä€😀", 1000), "<!channel> *b* [x](https://evil.example) `c` & @everyone\nsecond\x00", "\xff\xfe",
			strings.Repeat("\n", 1500), strings.Repeat("*", 1500), strings.Repeat("<", 1500),
		} {
			for _, path := range []string{"a", "&", "`"} {
				ev := webhook.Event{
					ID: "msg_x", Action: state.ActionDisable, Path: "GET:/" + strings.Repeat(path, 2000), Reason: reason, After: state.Disabled,
					At: time.Unix(1, 0), State: json.RawMessage(`{"status":"disabled"}`), Actor: strings.Repeat("a_*", 300),
				}
				body, err := webhook.Render(&e, &ev)
				require.NoError(t, err)
				require.NoError(t, s.check(body), "%s", body)
				require.NotContains(t, string(body), "<!channel>")
			}
		}
	}
}

func TestTheGenericPayloadIsTheContract(t *testing.T) {
	ev := webhook.Event{
		Action: state.ActionMaintenanceOn, Path: "GET:/payments", Reason: "DB migration",
		At: time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC), State: json.RawMessage(`{"path":"GET:/payments"}`),
	}
	body, err := webhook.Render(&webhook.Endpoint{}, &ev)
	require.NoError(t, err)
	// To the byte: the order of the members is part of it.
	want := `{"event":"maintenance_on","path":"GET:/payments","reason":"DB migration","timestamp":"2025-06-01T02:00:00Z","state":{"path":"GET:/payments"}}`
	require.Contains(t, []string{want}, string(body))
}

func TestTheSlackAttachmentIsTheContract(t *testing.T) {
	ev := webhook.Event{Action: state.ActionDisable, Path: "GET:/payments", Reason: "DB migration", After: state.Disabled, At: time.Unix(1748743200, 0)}
	body, err := webhook.Render(&webhook.Endpoint{Format: webhook.FormatSlack}, &ev)
	require.NoError(t, err)
	require.Contains(t, string(body), `"attachments":[{"color":"#e01e5a","text":"*DISABLE*: `+"`GET:/payments`"+`\n\u003e DB migration","footer":"waygate","ts":1748743200}]`)
}

// An admin may be started after the event: then there is no state, and that is no reason to fail.
func TestATemplateGoesWithoutAState(t *testing.T) {
	e := webhook.Endpoint{Format: webhook.FormatTemplate, Template: `{"status": {{json .State.status}}, "all": {{json .State}}}`}
	body, err := webhook.Render(&e, &webhook.Event{State: json.RawMessage("null")})
	require.NoError(t, err)
	require.JSONEq(t, `{"status": null, "all": null}`, string(body))
}

// Only a verb can be wide: stars and numbers in the text around it are what chats and tickets are written with.
func TestATemplateMayPrintStarsAndNumbers(t *testing.T) {
	for text, want := range map[string]string{
		`{{json (printf "*%s*: ticket 12345, 100%% of %-5s|" .Event .Path)}}`: `"*disable*: ticket 12345, 100% of /a   |"`,
		`{{json (printf "%%%5s" .Path)}}`:                                     `"%   /a"`,
	} {
		body, err := webhook.Render(&webhook.Endpoint{Format: webhook.FormatTemplate, Template: text}, &webhook.Event{Action: state.ActionDisable, Path: "/a"})
		require.NoError(t, err)
		require.JSONEq(t, want, string(body))
	}
	for _, format := range []string{"%1000s", "%.1000s", "%*d", "%.*d", "%[1]*d", "%-+# 01000d", "%%%1000s", "%5%%1000s"} {
		e := webhook.Endpoint{Format: webhook.FormatTemplate, Template: `{{json (printf "` + format + `" 7 7)}}`}
		_, err := webhook.Render(&e, &webhook.Event{})
		require.ErrorContains(t, err, "three digits", format)
	}
}

// What opens the way is no reason to page anybody, even where something wider blocks still: nothing would resolve that.
func TestPagerDutyIsTriggeredByBlocksOnly(t *testing.T) {
	e := webhook.Endpoint{Format: webhook.FormatPagerDuty, RoutingKey: "k"}
	for action, says := range map[state.Action]bool{
		state.ActionDisable: true, state.ActionMaintenanceOn: true, state.ActionEnvGate: true, state.ActionRestore: true, state.ActionImport: true,
		state.ActionEnable: false, state.ActionMaintenanceOff: false, state.ActionScheduleCancel: false, state.ActionDeprecate: false,
		state.ActionForget: false, state.ActionServiceOff: false, state.ActionGlobalOff: false,
	} {
		require.Equal(t, says, !webhook.Skips(&e, &webhook.Event{Action: action, After: state.Maintenance}), action)
	}
	require.False(t, webhook.Skips(&e, &webhook.Event{Action: state.ActionEnable, After: state.Active}))
}

// An incident ends only when requests pass.
func TestPagerDutyResolvesOnlyWhatPasses(t *testing.T) {
	e := webhook.Endpoint{Format: webhook.FormatPagerDuty, RoutingKey: "k"}
	for after, want := range map[state.Status]string{
		state.Active: "resolve", state.Deprecated: "resolve", state.Maintenance: "trigger", state.Disabled: "trigger", state.EnvGated: "trigger",
	} {
		body, err := webhook.Render(&e, &webhook.Event{Action: state.ActionEnable, Path: "GET:/users/{id}", After: after})
		require.NoError(t, err)
		require.Contains(t, string(body), `"event_action":"`+want+`","dedup_key":"waygate:GET:/users/{}"`)
	}
}
