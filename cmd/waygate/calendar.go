package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
)

func (t *tool) calendarCommand() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: "calendar", Short: "Show the windows of a month", Args: args(cobra.NoArgs),
		Long: `Show a month, Monday first: *2 after a day says that two windows block for some part of it, and [12] is today.
Below are the windows by the day they begin on. Days and times are those of --tz. With --service only what concerns the
service is shown.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at := now()
			first, err := t.month(text, at)
			if err != nil {
				return err
			}
			return t.showCalendar(cmd.Context(), first, at)
		},
	}
	cmd.Flags().StringVar(&text, "month", "", "which `month`, for example 2026-12 (default this one)")
	return cmd
}

// month reads --month; the time has its year and month, and nothing else counts.
func (t *tool) month(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now.In(t.zone.Location), nil
	}
	first, err := time.Parse("2006-01", text)
	if err != nil || first.Year() < 1 {
		return first, usage("--month: %q is no month: write it like 2026-12", text)
	}
	return first, nil
}

func (t *tool) showCalendar(ctx context.Context, month, at time.Time) error {
	service, err := t.serviceName()
	if err != nil {
		return err
	}
	api, err := t.client()
	if err != nil {
		return err
	}
	p := newMonthPage(month, t.zone.Location, at)
	entries, err := api.Calendar(ctx, p.days[0], p.days[len(p.days)-1])
	if err != nil {
		return err
	}
	if service.value != "" {
		entries = slices.DeleteFunc(entries, func(e wire.CalendarEntry) bool { return e.Service != nil && *e.Service != service.value })
	}
	if t.json() {
		return asJSON(t.out, entries)
	}
	p.title = service.value
	p.entries = entries
	return p.print(t.out)
}

// monthPage is a month in a zone, ready to be printed.
type monthPage struct {
	title   string // the service, where only what concerns one is shown
	zone    *time.Location
	now     time.Time
	first   time.Time   // the first day, as if it were UTC
	days    []time.Time // the instant at which each day begins, and at which the next month does
	entries []wire.CalendarEntry
}

func newMonthPage(month time.Time, zone *time.Location, now time.Time) *monthPage {
	p := &monthPage{zone: zone, now: now, first: time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)}
	for d := 1; ; d++ {
		p.days = append(p.days, schedule.Place(schedule.WallOf(p.first.Year(), p.first.Month(), d, 0, 0, 0), zone))
		if d > 1 && p.first.AddDate(0, 0, d-1).Month() != p.first.Month() {
			return p
		}
	}
}

// touching counts the occurrences that block for some part of a day, counted from 0.
func (p *monthPage) touching(day int) int {
	n := 0
	for _, e := range p.entries {
		if e.Start.Before(p.days[day+1]) && (e.End == nil || e.End.After(p.days[day])) {
			n++
		}
	}
	return n
}

// beginsOn is the day, counted from 0, that an occurrence is listed under: that of its start, or the first.
func (p *monthPage) beginsOn(e wire.CalendarEntry) int {
	day := 0
	for day+2 < len(p.days) && !e.Start.Before(p.days[day+1]) {
		day++
	}
	return day
}
