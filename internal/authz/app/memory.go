package app

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"go.uber.org/zap"
)

// garbagePercent is how much garbage is let lie before it is collected, in percent of what is in use. Checks leave
// little behind, and collecting it late is most of the saving; the limit bounds what it can come to.
const garbagePercent = 400

// tuneMemory trades memory for processor time, below a limit. What the operator set (GOGC, GOMEMLIMIT) stays.
func tuneMemory(log *zap.Logger) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := memoryLimit(os.ReadFile)
	if limit == 0 {
		return
	}
	debug.SetMemoryLimit(limit)
	debug.SetGCPercent(garbagePercent)
	log.Debug("memory is tuned", zap.Int64("limit", limit), zap.Int("gc_percent", garbagePercent))
}

// memoryLimit is four fifths of what the control group of this process may use, else half of the machine's memory; zero
// where neither is known.
func memoryLimit(read func(string) ([]byte, error)) int64 {
	machine := int64(0)
	if text, err := read("/proc/meminfo"); err == nil {
		rest, ok := strings.CutPrefix(string(text), "MemTotal:")
		fields := strings.Fields(rest)
		if ok && len(fields) > 0 {
			kib, _ := strconv.ParseInt(fields[0], 10, 64) // zero is "not known"
			machine = kib << 10
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := read(path)
		if err != nil {
			continue
		}
		// "max", and a number beyond the machine's memory, are no limit.
		if group, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && (machine == 0 || group < machine) {
			return group / 5 * 4
		}
	}
	return machine / 2
}
