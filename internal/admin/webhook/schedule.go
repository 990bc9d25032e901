package webhook

import (
	"math/rand/v2"
	"time"
)

// schedule is how long after the last attempt each one is made; after the last of them the event is a dead letter.
var schedule = [...]time.Duration{ //nolint:gochecknoglobals // a table
	0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// longest is the longest that pause gives after a number of attempts.
func longest(tries int) time.Duration {
	return max(schedule[min(tries, len(schedule)-1)]*6/5, maxRetryAfter)
}

// pause is how long to wait after a number of attempts that failed, and whether there is another one at all. Up to a
// fifth is added, so that what failed together does not come back together; a receiver may ask for more.
func pause(tries, pace int, asked time.Duration) (time.Duration, bool) {
	if tries >= len(schedule) {
		return 0, false
	}
	wait := schedule[tries] / time.Duration(pace)
	wait += time.Duration(rand.Int64N(int64(wait/5) + 1))
	return max(wait, asked), true
}
