package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is one run of the command line in this process.
func call(t *testing.T, env map[string]string, words ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e strings.Builder
	dir := t.TempDir()
	tool := &tool{in: strings.NewReader(""), out: &o, err: &e, env: func(name string) string { return env[name] }, home: dir, dir: dir}
	root := newRoot(tool)
	root.SetArgs(words)
	return tool.exit(root.ExecuteContext(t.Context())), o.String(), e.String()
}

// Wrong usage has status 2 and nothing is sent, whatever is wrong and in whichever option.
func TestWrongUsageIsFoundBeforeACall(t *testing.T) {
	admin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was called", r.Method, r.URL)
	}))
	defer admin.Close()
	refused := func(t *testing.T, want string, words ...string) {
		t.Helper()
		status, out, errOut := call(t, map[string]string{"WAYGATE_SERVER_URL": admin.URL + "/waygate"}, words...)
		require.Equal(t, exitUsage, status, errOut)
		require.Empty(t, out)
		require.Contains(t, errOut, want)
		require.Equal(t, 1, strings.Count(errOut, "\n"), errOut)
	}
	const later = "2037-06-01T02:00Z"
	timed := map[string][]string{
		"disable":           {"disable", "/a", "--until"},
		"maintenance end":   {"maintenance", "/a", "--end"},
		"maintenance start": {"maintenance", "/a", "--start"},
		"maintenance until": {"maintenance", "/a", "--until"},
		"schedule start":    {"schedule", "/a", "--end", later, "--start"},
		"schedule end":      {"schedule", "/a", "--start", later, "--end"},
		"global":            {"global", "enable", "--until"},
		"service":           {"sm", "enable", "orders", "--until"},
		"deprecate":         {"deprecate", "/a", "--sunset"},
		"window add end":    {"window", "add", "/a", "--end"},
		"window add start":  {"window", "add", "/a", "--for", "1h", "--start"},
		"window extend":     {"window", "extend", "/a", "--to"},
		"occurrence":        {"window", "extend", "/a", "--by", "1h", "--occurrence"},
		"window cancel":     {"window", "cancel", "/a", "--occurrence"},
		"down":              {"down", "/a", "--until"},
	}
	for name, words := range timed {
		t.Run(name, func(t *testing.T) {
			for text, want := range map[string]string{
				"6":                 "write 6h for hours from now",
				"":                  "it is empty: give it a value, or leave the option out",
				" ":                 "it is empty",
				"2/3":               "not a time: write 2025-06-01T02:00Z, 18:00 (the next)",
				"next week":         "not a time",
				"06:00 tomorrow pm": "not a time",
				"2027-03-14 02:30":  "does not exist in America/New_York, because the clocks go forward: write 2027-03-14T02:30:00-04:00 (01:30 there)",
				"2026-11-01 01:30":  "comes twice in America/New_York",
			} {
				given := append(append([]string{"--tz", "America/New_York"}, words...), text)
				if name == "down" {
					given = append(given, "--", "true")
				}
				refused(t, want, given...)
			}
		})
	}
	for _, tt := range [][2]string{
		{"disable /a --until=", "it is empty"},
		{"disable /a --until=_", "it is empty"},
		{"maintenance /a --end=", "it is empty"},
		{"maintenance /a --start= --end 2h", "it is empty"},
		{"global enable --until=", "it is empty"},
		{"window add global --cron= --for 2h", "it is empty"},
		{"window cancel /a --occurrence=", "it is empty"},
		{"disable GET:/a,GET:/b", "looks like several routes"},
		{"disable /a,/b", "looks like several routes"},
		{"disable GET:/a_GET:/b", "looks like several routes"},
		{"global enable --exempt /health,GET:/ready", "looks like several routes"},
		{"sm enable orders -e /health,/ready", "looks like several routes"},
		{"global exempt-add /health,GET:/ready", "looks like several routes"},
		{"global exempt-add health", "is not a route key"},
		{"global enable --exempt health", "is not a route key"},
		{"maintenance /a --end 2h --until 3h", "are the same option, and differ"},
		{"window add /a --end 2h --until 3h", "are the same option, and differ"},
		{"maintenance /a --start 3h --end 2h", "a duration counts from now, not from --start; write --end with its date"},
		{"disable /a --rason x", "unknown flag: --rason; try: waygate disable --help"},
		{"window extend /a --end 18:00", "unknown flag: --end; try: waygate window extend --help"},
		{"restore /a --to yesterday", "invalid argument \"yesterday\" for \"--to\" flag: it is no number; try: waygate restore --help"},
		{"env set /a staging,production", "looks like several environments"},
		{"disable /a --wait 10s", "--wait=10s"},
		{"stats", "unknown command \"stats\"; did you mean waygate status?"},
		{"frobnicate", "unknown command \"frobnicate\"; try: waygate --help"},
		{"window add payments --for 1h", "is no target"},
		{"window add service=Or/ders --for 1h", "lower-case letter"},
		{"window add /a", "needs --end or --for"},
		{"window add /a --for 1h --end 2h", "and not both; for example --for 2h ("},
		{"window add /a --for soon", "--for: \"soon\" is no duration"},
		{"window add /a --start 2037-06-01T02:00Z --end 2037-06-01T01:00Z", "is not before --end"},
		{"window add /a --at 02:00 --to 03:00", "give --every, for example"},
		{"window add /a --every day --cron 0 --for 1h", "give one of them"},
		{"window add /a --every day --at 02:00", "needs --for or --to"},
		{"window add /a --every day --at 02:00 --end 3h", "UNTIL in --rrule"},
		{"window add /a --every blue_moon --at 02:00 --for 1h", "every \"blue moon\" is not understood"},
		{"window add /a --rrule FREQ=SOMETIMES --at 02:00 --for 1h", "--rrule: "},
		{"window add /a --cron 0_2_*_* --for 1h", "--cron: "},
		{"window add /a --cron 0_2_*_*_* --at 02:00 --for 1h", "--cron says itself at what time"},
		{"window add /a --every sunday --for 1h", "at what time? give --at"},
		{"window add /a --rrule FREQ=DAILY --for 1h", "at what time? give --at, or --start"},
		{"window add /a --every day --at 02:00 --for 1h --start 18:00", "the date alone"},
		{"window add /a --every day --at 2:00 --for 1h", "--at: \"2:00\" is no time of day"},
		{"window add /a --every day --at 02:00 --to 25:00", "--to: \"25:00\" is no time of day"},
		{"window add /a --for 1h --effect shut", "one of maintenance, disabled, read-only,"},
		{"window extend /a", "say --by how much, or --to when"},
		{"window extend /a --by more", "--by: \"more\" is no duration"},
		{"status --tz Berlin", "write an IANA name"},
		{"calendar --month december", "is no month"},
		{"down /a -- true", "down needs --until"},
		{"down /a --until soon -- true", `--until: "soon" is unclear`},
		{"down /a --until 1h true", "name one target, and the command after --"},
		{"down /a /b --until 1h -- true", "name one target, and the command after --"},
		{"down /a --until 1h --", "name one target, and the command after --"},
		{"down /a --until 1h --wait-for soon -- true", "--wait-for \"soon\" is no duration"},
	} {
		words, want := tt[0], tt[1]
		t.Run(words, func(t *testing.T) {
			given := strings.Fields(words)
			for i := range given {
				given[i] = strings.ReplaceAll(given[i], "_", " ")
			}
			refused(t, want, given...)
		})
	}
}

func TestTheZoneOfTheEnvironment(t *testing.T) {
	status, _, errOut := call(t, map[string]string{"WAYGATE_TZ": "Mars/Olympus"}, "current-service")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errOut, `WAYGATE_TZ: "Mars/Olympus" is not a time zone`)
	status, _, errOut = call(t, map[string]string{"WAYGATE_TZ": "Mars/Olympus"}, "current-service", "--tz", "UTC")
	require.Zero(t, status, errOut)
}
