package redisstore

import (
	"strconv"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// keeping is how a server keeps what it acknowledged.
type keeping struct {
	durability state.Durability
	// wait says that each commit is followed by WAITAOF 1 0, which answers once the server's own file is synced.
	wait bool
	// fallback is the durability without that command.
	fallback state.Durability
}

// keeping decides by version, appendonly and appendfsync. WAITAOF exists since 7.2; where the operating system alone
// decides when to sync (appendfsync no) it could wait for half a minute, so it is not asked.
func (s *server) keeping() keeping {
	if s.appendOnly != "yes" || s.fsync == "no" {
		return keeping{durability: state.DurableNone, fallback: state.DurableNone}
	}
	k := keeping{durability: state.DurableEverySec}
	if s.fsync == "always" {
		k.durability = state.DurableAlways
	}
	k.fallback = k.durability
	if hasWaitAOF(s.version) {
		k.durability, k.wait = state.DurableWaitAOF, true
	}
	return k
}

// hasWaitAOF reports whether a version is 7.2 or later.
func hasWaitAOF(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 7 || major == 7 && minor >= 2)
}

// without is the keeping of a server that answered WAITAOF with an error: the file was switched off meanwhile, or the
// ACL forbids the command.
func (k keeping) without(err error) keeping {
	if strings.Contains(err.Error(), "appendonly") {
		return keeping{durability: state.DurableNone, fallback: state.DurableNone}
	}
	return keeping{durability: k.fallback, fallback: k.fallback}
}

// synced reports whether the reply of WAITAOF says that the server's own file holds the writes before it.
func synced(reply any) bool {
	counts, _ := reply.([]any)
	if len(counts) != 2 {
		return false
	}
	local, _ := counts[0].(int64)
	return local >= 1
}
