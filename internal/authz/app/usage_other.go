//go:build !unix

package app

import "time"

// spentKnown says that processorTime means nothing here.
const spentKnown = false

func processorTime() time.Duration { return 0 }
