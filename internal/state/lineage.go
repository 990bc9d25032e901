package state

// lineage is how another place stands to ours: whether going there loses anything.
type lineage int

const (
	inStep    lineage = iota // our place
	ahead                    // a later revision of our epoch; its log tells whether it grew out of ours
	succeeded                // a newer epoch: its generation is higher
	behind                   // an earlier revision of our epoch: something was lost
	forked                   // our revision with another head: two histories went on from one
	foreign                  // another epoch whose generation is not higher: not ours, and not known to be newer
)

// lineageOf tells how theirs stands to ours.
func lineageOf(ours, theirs Meta) lineage {
	switch {
	case theirs.Epoch != ours.Epoch && theirs.Gen > ours.Gen:
		return succeeded
	case theirs.Epoch != ours.Epoch:
		return foreign
	case theirs.Rev > ours.Rev:
		return ahead
	case theirs.Rev < ours.Rev:
		return behind
	case theirs.Head != ours.Head:
		return forked
	default:
		return inStep
	}
}

// newer reports whether a comes after b by generation, then by revision.
func newer(a, b Meta) bool { return a.Gen > b.Gen || a.Gen == b.Gen && a.Rev > b.Rev }
