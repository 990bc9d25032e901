package schedule

import (
	"archive/zip"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// database is the tz database that comes with Go, by the names of zones. Machines may have one with more written out in
// tables and less left to rules, which is read in another way; the images have this one.
type database map[string]string

func readDatabase(t *testing.T) database {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	all := database{}
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		require.NoError(t, err)
		rules, err := io.ReadAll(r)
		require.NoError(t, err)
		all[f.Name] = string(rules)
	}
	require.Greater(t, len(all), 500)
	return all
}

func (d database) zone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocationFromTZData(name, []byte(d[name]))
	require.NoError(t, err)
	return zone
}

// names are all zones, but of those that are the same by other names, one.
func (d database) names() []string {
	same := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if _, there := same[d[name]]; !there {
			same[d[name]] = name
		}
	}
	return slices.Sorted(maps.Values(same))
}
