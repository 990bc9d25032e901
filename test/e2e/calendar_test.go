package e2e_test

import (
	"archive/zip"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// booking is one window of a calendar: what the admin is asked for, and when it must refuse, worked out by other means.
type booking struct {
	path   string
	body   map[string]any // of POST /api/windows; nil for one of POST /api/changes
	spans  []spanOf       // by their start, all that are known to the document
	recurs bool
}

// at reports whether the window must refuse at an instant.
func (b *booking) at(t time.Time) bool {
	return slices.ContainsFunc(b.spans, func(s spanOf) bool { return !t.Before(s.start) && t.Before(s.end) })
}

// calendar draws bookings.
type calendar struct {
	*rand.Rand
	zones []zoneOf
	now   time.Time
	n     int
}

// zoneOf is a zone and the instants of the coming year at which its clocks change.
type zoneOf struct {
	*time.Location
	edges []time.Time
}

func newCalendar(t *testing.T, seed uint64) *calendar {
	t.Helper()
	c := &calendar{Rand: rand.New(rand.NewPCG(seed, 4)), now: time.Now()}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	files, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	require.NoError(t, err)
	defer files.Close()
	for _, f := range files.File {
		if strings.HasSuffix(f.Name, "/") || !strings.Contains(f.Name, "/") {
			continue
		}
		zone, err := time.LoadLocation(f.Name)
		require.NoError(t, err)
		z := zoneOf{Location: zone}
		for at := c.now.Truncate(time.Hour); at.Before(c.now.AddDate(1, 0, 0)); at = at.Add(time.Hour) {
			_, before := at.Add(-time.Hour).In(zone).Zone()
			if _, after := at.In(zone).Zone(); before != after {
				z.edges = append(z.edges, at)
			}
		}
		if len(z.edges) > 0 {
			c.zones = append(c.zones, z)
		}
	}
	require.Greater(t, len(c.zones), 50, "zones whose clocks change")
	return c
}

// wallForm is a wall time as the API takes it.
const wallForm = "2006-01-02T15:04"

// first is the first instant at which the clock in a zone shows a wall time or a later one, found by looking at it.
func first(zone *time.Location, wall string) time.Time {
	at, err := time.Parse(wallForm, wall)
	if err != nil {
		panic(err) // the test wrote it
	}
	for at = at.Add(-15 * time.Hour); at.In(zone).Format(wallForm) < wall; {
		at = at.Add(time.Minute)
	}
	return at
}

func (c *calendar) path() string {
	c.n++
	return fmt.Sprintf("/calendar/%d", c.n)
}

// overAnEdge is a window that begins or ends about when the clocks of some place change.
func (c *calendar) overAnEdge() *booking {
	z := c.zones[c.IntN(len(c.zones))]
	edge := z.edges[c.IntN(len(z.edges))]
	shown, err := time.Parse(wallForm, edge.Add(-time.Minute).In(z.Location).Format(wallForm))
	if err != nil {
		panic(err) // it was written so
	}
	start := shown.Add(time.Duration(c.IntN(120)-60) * time.Minute)
	end := start.Add(time.Duration(180+c.IntN(600)) * time.Minute)
	b := &booking{path: c.path(), body: map[string]any{
		"start": start.Format(wallForm), "end": end.Format(wallForm), "timezone": z.String(), "reason": "over an edge",
	}}
	b.spans = []spanOf{{b.path, first(z.Location, start.Format(wallForm)), first(z.Location, end.Format(wallForm))}}
	return b
}

// daily is a window that recurs every day, in some zone, as far as it is known to be spelled out.
func (c *calendar) daily(days int) *booking {
	z := c.zones[c.IntN(len(c.zones))]
	minute := c.IntN(24 * 60)
	b := &booking{path: c.path(), recurs: true}
	at := fmt.Sprintf("%02d:%02d", minute/60, minute%60)
	b.body = map[string]any{"every": "day", "at": at, "for": "90m", "timezone": z.String(), "reason": "daily"}
	for day := range days {
		start := first(z.Location, c.now.In(z.Location).AddDate(0, 0, day-1).Format(time.DateOnly)+"T"+at)
		b.spans = append(b.spans, spanOf{b.path, start, start.Add(90 * time.Minute)})
	}
	return b
}

// soon is a window that begins within a span after an instant.
func (c *calendar) soon(after time.Time, within time.Duration) *booking {
	b := &booking{path: c.path()}
	start := after.Add(time.Duration(c.Int64N(int64(within)))).Truncate(time.Millisecond)
	end := start.Add(time.Second + time.Duration(c.Int64N(int64(within/2)))).Truncate(time.Millisecond)
	b.spans = []spanOf{{b.path, start, end}}
	return b
}
