package config

import (
	"cmp"
	"runtime/debug"
)

// stamped is the version that the build wrote in with the linker ("make build" does, from git describe). The go command
// itself knows the commit only where .git is a directory, so neither in a worktree nor in an image.
//
//nolint:gochecknoglobals // the linker sets variables of packages and nothing else
var stamped string

// Version is the version this program was built as: the one that the build wrote in, the module's version where it was
// installed by one, otherwise the commit it was built from, and "unknown" where none is known.
func Version() string {
	build, ok := debug.ReadBuildInfo()
	if stamped != "" || !ok {
		return cmp.Or(stamped, "unknown")
	}
	version := build.Main.Version
	if version != "" && version != "(devel)" {
		return version
	}
	var revision, modified string
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "+modified"
			}
		}
	}
	if revision == "" {
		return "unknown"
	}
	return revision + modified
}
