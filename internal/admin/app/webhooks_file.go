package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// webhooksFile is a file of endpoints. It is read again when it changes; what cannot be read leaves those before in force.
type webhooksFile struct {
	path  string
	taken []admin.Endpoint // others, whose names are taken
	log   *zap.Logger

	mu      sync.Mutex
	read    []admin.Endpoint
	stamp   fileStamp
	checked time.Time
	failed  string
}

type fileStamp struct {
	mod  time.Time
	size int64
}

// recheckFile is how often the file is looked at, at most.
const recheckFile = time.Second

// openWebhooksFile reads the file; what is wrong with it then is an error with its line.
func openWebhooksFile(path string, taken []admin.Endpoint, log *zap.Logger) (*webhooksFile, error) {
	f := &webhooksFile{path: path, taken: taken, log: log}
	return f, f.reload()
}

// endpoints are those of the file as it was last read well.
func (f *webhooksFile) endpoints() []admin.Endpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	return slices.Clone(f.read)
}

func (f *webhooksFile) trouble() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	return f.failed
}

// look reads the file if it is time to. The caller holds mu.
func (f *webhooksFile) look() {
	if time.Since(f.checked) < recheckFile {
		return
	}
	said := f.failed
	err := f.reload()
	switch {
	case err == nil:
		f.failed = ""
	case err.Error() != said:
		f.failed = err.Error()
		f.log.Error("the webhooks file cannot be read; its endpoints stay as they were", zap.Error(err))
	}
}

// reload reads the file if it changed since it was last read. The caller holds mu, or is alone.
func (f *webhooksFile) reload() error {
	f.checked = time.Now()
	stat, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("webhooks file: %w", err)
	}
	stamp := fileStamp{stat.ModTime(), stat.Size()}
	if f.read != nil && stamp == f.stamp {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("webhooks file: %w", err)
	}
	read, err := parseWebhooks(text, f.taken)
	if err != nil {
		return fmt.Errorf("webhooks file %s: %w", f.path, err)
	}
	if f.read != nil {
		f.log.Info("the webhooks file was read again", zap.Int("endpoints", len(read)))
	}
	f.read, f.stamp = read, stamp
	return nil
}

// fileEndpoint is one endpoint in the file.
type fileEndpoint struct {
	Name       string   `yaml:"name"`
	URL        string   `yaml:"url"`
	Format     string   `yaml:"format"`
	Template   string   `yaml:"template"`
	RoutingKey string   `yaml:"routing_key"`
	Actions    []string `yaml:"actions"`
	Routes     []string `yaml:"routes"`
	Services   []string `yaml:"services"`
	Envs       []string `yaml:"envs"`
	Secret     string   `yaml:"secret"`
	Secrets    []string `yaml:"secrets"` // several while rotating
	Allow      []string `yaml:"allow"`
	Disabled   bool     `yaml:"disabled"`
}

// parseWebhooks reads the text of a webhooks file, strictly.
func parseWebhooks(text []byte, taken []admin.Endpoint) ([]admin.Endpoint, error) {
	var file struct {
		Webhooks []fileEndpoint `yaml:"webhooks"`
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, inLines(err)
	}
	var places struct {
		Webhooks []yaml.Node `yaml:"webhooks"`
	}
	if err := yaml.Unmarshal(text, &places); err != nil {
		return nil, inLines(err)
	}
	names := map[string]bool{}
	for _, e := range taken {
		names[e.Name], names[e.ID] = true, true
	}
	all := make([]admin.Endpoint, 0, len(file.Webhooks))
	for i := range file.Webhooks {
		e := file.Webhooks[i].endpoint()
		err := e.Validate()
		if err == nil && (names[e.ID] || e.Name != "" && names[e.Name]) {
			err = state.Invalid("name", "another webhook has this name, or this address and no name: give each its own")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", places.Webhooks[i].Line, err)
		}
		names[e.ID], names[e.Name] = true, true
		all = append(all, admin.Endpoint{Endpoint: e, Source: admin.SourceFile})
	}
	return all, nil
}

// inLines has an error of the YAML package name members and lines, and no Go types.
func inLines(err error) error {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	said = strings.Join(strings.Fields(strings.TrimPrefix(said, "unmarshal errors:")), " ")
	said = regexp.MustCompile(`field (\S+) not found in type \S+( \{.*?\})?`).ReplaceAllString(said, "there is no member $1 here")
	return errors.New(regexp.MustCompile(`cannot unmarshal !!(\w+) (.*?)into \S+`).ReplaceAllString(said, "a $1 does not belong here"))
}

// endpoint is what stands in the file, under an id that follows from its name, or else from its address.
func (f *fileEndpoint) endpoint() webhook.Endpoint {
	e := webhook.Endpoint{
		Name: f.Name, URL: f.URL, Format: webhook.Format(f.Format), Template: f.Template, RoutingKey: f.RoutingKey,
		Filter: webhook.Filter{Routes: f.Routes, Services: f.Services, Envs: f.Envs}, Allow: f.Allow, Disabled: f.Disabled,
	}
	for _, a := range f.Actions {
		e.Filter.Actions = append(e.Filter.Actions, state.Action(a))
	}
	if f.Secret != "" {
		e.Secrets = append(e.Secrets, webhook.Secret{Value: f.Secret})
	}
	for _, s := range f.Secrets {
		e.Secrets = append(e.Secrets, webhook.Secret{Value: s})
	}
	if f.Disabled {
		e.Why = "in the webhooks file"
	}
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789_-"
	switch name := strings.ToLower(f.Name); {
	case name == "":
		e.ID = admin.EndpointID("file-", f.URL)
	case len(name) <= 40 && strings.Trim(name, plain) == "" && name == f.Name:
		e.ID = "file-" + name
	default:
		e.ID = admin.EndpointID("file-", f.Name)
	}
	return e
}
