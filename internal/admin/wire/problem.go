package wire

// Problem is the body of every error: the sentence that clients in the field show, with the members of RFC 9457 beside.
type Problem struct {
	Message string `json:"error" doc:"What went wrong, in a sentence"`
	Type    string `json:"type" doc:"Names the kind of error" example:"about:blank"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	// AmbiguousMatches is set when a bare path stands for several keys, and never otherwise: clients tell the two
	// kinds of 409 apart by it.
	AmbiguousMatches []string `json:"ambiguous_matches,omitempty"`
	Field            string   `json:"field,omitempty" doc:"The member of the request that was wrong"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Message }

// Kinds of problems that have a name of their own; all others are about:blank.
const (
	ProblemBlank     = "about:blank"
	ProblemAmbiguous = "urn:waygate:ambiguous"
	ProblemProtected = "urn:waygate:protected"
	ProblemInForce   = "urn:waygate:in-force"
	ProblemUnknown   = "urn:waygate:unknown-route"
	ProblemFixed     = "urn:waygate:configured-elsewhere"
	// ProblemOutcome says that a change was sent to the store and its answer was lost: it may have happened.
	ProblemOutcome = "urn:waygate:unknown-outcome"
)
