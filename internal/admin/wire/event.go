package wire

// Event is what an event of GET /api/events carries: a line of the audit, and what is true of its path after it.
type Event struct {
	AuditEntry
	// State is a Route or a Switch, null for what is neither. Its revision is that of the line, or a later one where the
	// line is so old that only the present state is known.
	State any `json:"state"`
}
