package main

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a laptop may have no tz database of its own
)

// findZone finds a zone by its IANA name; empty is UTC. What the machine takes for local time is none: a command should
// mean the same on every machine.
func findZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	at, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") || strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix") {
		return nil, fmt.Errorf("%q is no time zone: write an IANA name such as Europe/Berlin, or UTC", name)
	}
	return at, nil
}
