package arch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/waygate/waygate/"

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Standard     bool
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func allowed(path string, prefixes []string) bool {
	for _, p := range prefixes {
		exact, isExact := strings.CutSuffix(p, "$")
		if isExact && path == exact || !isExact && (path == p || strings.HasPrefix(path, p+"/")) {
			return true
		}
	}
	return false
}

func TestEveryPackageImportsOnlyWhatItMay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		may, ok := rules[name]
		if !ok {
			t.Errorf("%s is not in the table of rules: say what it may import", name)
			continue
		}
		for _, path := range p.Imports {
			if !standard(path) && !allowed(path, may) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func TestEveryRuleHasItsPackage(t *testing.T) {
	there := map[string]bool{}
	for _, p := range packages(t) {
		there[strings.TrimPrefix(p.ImportPath, module)] = true
	}
	for name := range rules {
		require.True(t, there[name], "the table names %s, which does not exist", name)
	}
}

// The two halves never see each other, not even in their tests; only test/e2e may know both.
func TestAuthzAndAdminNeverMeet(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range append(append(p.Imports, p.TestImports...), p.XTestImports...) {
			if strings.HasPrefix(name, "internal/authz") && strings.HasPrefix(path, module+"internal/admin") ||
				strings.HasPrefix(name, "internal/admin") && strings.HasPrefix(path, module+"internal/authz") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
