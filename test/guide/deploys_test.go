package guide_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/waygate/waygate/internal/parts"
)

func segment(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// both runs a test with our command line and with the published Python one.
func both(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("our command line", func(t *testing.T) { test(t, newPlace(t)) })
	t.Run("the Python command line", func(t *testing.T) {
		p := newPlace(t)
		p.usePython()
		test(t, p)
	})
}

func TestDeployScript(t *testing.T) {
	p := newPlace(t)
	// The stub of uv looks at what is true while the migration runs.
	p.program("uv", "#!/bin/sh\necho uv \"$@\" >> "+p.calls+"\nwaygate -o json global status > "+p.work+"/during.json\n")
	out := p.must(p.script("deploy.sh"))
	require.Contains(t, out, "==> Deploy complete.")

	during, err := os.ReadFile(filepath.Join(p.work, "during.json"))
	require.NoError(t, err)
	var s struct {
		Enabled     bool     `yaml:"enabled"`
		Reason      string   `yaml:"reason"`
		ExemptPaths []string `yaml:"exempt_paths"`
	}
	require.NoError(t, yaml.Unmarshal(during, &s))
	require.True(t, s.Enabled)
	require.Equal(t, "Deploying v1.2.3 — back in ~5 minutes", s.Reason)
	require.Equal(t, []string{"/health", "GET:/readiness"}, s.ExemptPaths)
	require.False(t, p.global())
	require.Equal(t, "uv run alembic upgrade head\ndocker compose up -d --no-deps --build api\n", p.stubCalls())
	require.Equal(t, []string{"global_maintenance_on __global__", "global_maintenance_off __global__"}, p.actions())
}

func TestRollingDeployScript(t *testing.T) {
	p := newPlace(t)
	p.program("docker", "#!/bin/sh\nwaygate status POST:/orders > "+p.work+"/during.txt\n")
	out := p.must(p.script("rolling-deploy.sh"))
	require.Contains(t, out, "Orders service back online.")
	during, err := os.ReadFile(filepath.Join(p.work, "during.txt"))
	require.NoError(t, err)
	require.Contains(t, string(during), "MAINTENANCE")
	require.Contains(t, string(during), "Order service upgrade")
	after := p.route(segment("POST:/orders"))
	require.Equal(t, "active", after.Status)
	require.Nil(t, after.Window)
}

func TestCronLine(t *testing.T) {
	p := newPlace(t)
	text, err := os.ReadFile(p.script("crontab"))
	require.NoError(t, err)
	_, line, ok := strings.Cut(string(text), "0 2 * * 0 ")
	require.True(t, ok)
	// What cron does with it: an escaped percent sign is a percent sign, and the rest goes to sh.
	line = strings.ReplaceAll(strings.ReplaceAll(line, "\\\n", " "), `\%`, "%")
	// It runs on Sundays at two; here a date program stands in for the coming day.
	p.program("date", "#!/bin/sh\nexec /bin/date -d tomorrow \"$@\"\n")
	p.must("sh", "-c", line)
	p.must("sh", "-c", line) // a cron job that runs twice makes one window
	r := p.route(segment("GET:/reports"))
	require.Equal(t, "active", r.Status, "a window for tomorrow does not block now")
	day := time.Now().UTC().AddDate(0, 0, 1).Format("2006-01-02")
	require.NotNil(t, r.Window)
	require.Equal(t, day+"T02:00:00Z", r.Window.Start)
	require.Equal(t, day+"T04:00:00Z", r.Window.End)
}

// workflow is as much of a GitHub workflow as the test runs.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct {
			Name string
			Run  string
			If   string
		}
	}
}

func TestGitHubWorkflow(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		text, err := os.ReadFile(p.script("deploy.yml"))
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w))
		fill := strings.NewReplacer(
			"${{ secrets.WAYGATE_USER }}", userName, "${{ secrets.WAYGATE_PASS }}", password,
			"${{ github.sha }}", "0123abc", "${{ env.IMAGE_TAG }}", "v1",
		)
		ran := 0
		for _, step := range w.Jobs["deploy"].Steps {
			if step.Run == "" {
				continue
			}
			// GitHub runs a step with bash -e; there is no WAYGATE_TOKEN in a workflow: login keeps it.
			out, status := p.run(nil, "bash", "-e", "-c", fill.Replace(step.Run))
			require.Zero(t, status, "%s: %s", step.Name, out)
			ran++
			switch step.Name {
			case "Enable global maintenance", "Run database migrations", "Deploy application":
				require.True(t, p.global(), step.Name)
			default:
				require.False(t, p.global(), step.Name)
			}
		}
		require.Equal(t, 7, ran)
		require.Equal(t, []string{"global_maintenance_on __global__", "global_maintenance_off __global__"}, p.actions())
	})
}

// container is as much of a container in a Kubernetes manifest as the tests run.
type container struct {
	Command   []string
	Lifecycle struct {
		PreStop struct{ Exec struct{ Command []string } } `yaml:"preStop"`
	}
}

type manifest struct {
	Spec struct {
		Template struct {
			Spec struct{ Containers []container }
		}
	}
}

func readManifest(t *testing.T, path string) container {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var m manifest
	require.NoError(t, yaml.Unmarshal(text, &m))
	require.Len(t, m.Spec.Template.Spec.Containers, 1)
	return m.Spec.Template.Spec.Containers[0]
}

func TestPreStopHook(t *testing.T) {
	p := newPlace(t)
	command := readManifest(t, p.script("deployment.yaml")).Lifecycle.PreStop.Exec.Command
	p.must(command[0], command[1:]...)
	r := p.route(segment("GET:/payments"))
	require.Equal(t, "maintenance", r.Status)
	require.Equal(t, "Pod shutting down (rolling update)", r.Reason)
}

func TestPostDeployJob(t *testing.T) {
	both(t, func(t *testing.T, p *place) {
		ours := parts.Binary(t, parts.CLIProgram)
		p.must(ours, "maintenance", "GET:/payments")
		p.must(ours, "global", "enable")
		command := readManifest(t, p.script("post-deploy-job.yaml")).Command
		out, status := p.run(nil, command[0], command[1:]...)
		require.Zero(t, status, out)
		require.Equal(t, "active", p.route(segment("GET:/payments")).Status)
		require.False(t, p.global())
	})
}

// The older command line says "disabled until" in two calls, a disable and a schedule.
func TestDisabledUntilAsThePythonCommandLineSaysIt(t *testing.T) {
	p := newPlace(t)
	ours := parts.Binary(t, parts.CLIProgram)
	p.must(ours, "deprecate", "GET:/payments")
	p.usePython()
	out, status := p.run(nil, "waygate", "login", userName, "--password", password)
	require.Zero(t, status, out)
	out, status = p.run(nil, "waygate", "disable", "GET:/payments", "--reason", "incident 7", "--until", "1m")
	require.Zero(t, status, out)
	r := p.route(segment("GET:/payments"))
	require.Equal(t, "disabled", r.Status)
	require.Equal(t, "incident 7", r.Reason)
	require.Equal(t, []string{"deprecate GET:/payments", "disable GET:/payments", "disable GET:/payments"}, p.actions())

	// To see its end sooner, it is brought forward.
	p.must(ours, "window", "extend", "GET:/payments", "--to", "2s")
	require.Equal(t, "disabled", p.route(segment("GET:/payments")).Status)
	require.Eventually(t, func() bool { return p.route(segment("GET:/payments")).Status == "deprecated" }, 10*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return slices.Contains(p.actions(), "enable GET:/payments") }, 10*time.Second, 50*time.Millisecond)
}
