// Package schedule says when windows of maintenance come again: a rule such as "every Sunday at 02:00", counted on the
// clock on the wall of some place, and the instants that this means there.
//
// A rule knows nothing of zones. It yields wall times ([Wall]), as RFC 5545 and cron define them; these are then placed
// in an IANA zone ([Place]), by one definition: a window begins at the first instant at which the clock there reads its
// time or a later one. So a time that the clock leaps over is the first instant after the gap, and one that comes twice
// is its first pass. No day is skipped and none counts twice.
//
// Everything here is a pure function of its arguments and the tz database, and ends: a search goes no further than the
// year 2399.
package schedule
