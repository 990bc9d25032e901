package config

import "runtime/debug"

// Version is the version this program was built as: the module's version where it was installed by one, otherwise
// the commit it was built from, and "unknown" where neither is known.
func Version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
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
