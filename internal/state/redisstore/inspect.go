package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// fitness is what a server was found to be.
type fitness struct {
	keeping  keeping
	warnings []Warning
}

// server is what a server says of itself; what it may not say is empty.
type server struct {
	version, role       string
	policy              string // maxmemory-policy
	appendOnly, fsync   string
	configRead, inspect bool // whether CONFIG GET and INFO were allowed
}

// inspect asks a server what it is and refuses one that would lose or forget what it is told.
func inspect(ctx context.Context, node *redis.Client, names keys, admin bool) (fitness, error) {
	s, err := asked(ctx, node)
	if err != nil {
		return fitness{}, err
	}
	if err := s.fit(); err != nil {
		return fitness{}, err
	}
	if err := permitted(ctx, node, names, admin); err != nil {
		return fitness{}, err
	}
	return fitness{keeping: s.keeping(), warnings: s.warnings(admin)}, nil
}

// asked collects what the server says. What is forbidden is left out, and so is what a proxy does not know.
func asked(ctx context.Context, node *redis.Client) (server, error) {
	var s server
	hello, err := node.Do(ctx, "HELLO").Slice()
	if err != nil && word(err) == "" {
		return s, err
	}
	if first := word(err); first == "NOAUTH" || first == "LOADING" {
		return s, err
	}
	fields := pairs(texts(hello))
	s.version, s.role = fields["version"], fields["role"]
	info, err := node.Info(ctx, "server", "replication", "memory", "persistence").Result()
	switch {
	case err == nil:
		s.inspect = true
		s.tell(info)
	case word(err) == "" || word(err) == "LOADING":
		return s, err
	}
	config, err := node.Do(ctx, "CONFIG", "GET", "maxmemory-policy", "appendonly", "appendfsync").Slice()
	switch {
	case err == nil:
		fields := pairs(texts(config))
		s.configRead = fields["appendfsync"] != ""
		s.set(&s.policy, fields["maxmemory-policy"])
		s.set(&s.appendOnly, fields["appendonly"])
		s.set(&s.fsync, fields["appendfsync"])
	case word(err) == "":
		return s, err
	}
	return s, nil
}

// tell reads the text of INFO.
func (s *server) tell(info string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "redis_version":
			if s.version == "" {
				s.version = value
			}
		case "role":
			s.role = value
		case "maxmemory_policy":
			s.policy = value
		case "aof_enabled":
			s.appendOnly = map[string]string{"1": "yes", "0": "no"}[value]
		}
	}
}

// set overwrites a field by what is known better.
func (s *server) set(field *string, value string) {
	if value != "" {
		*field = value
	}
}

// fit refuses a server that must not be used.
func (s *server) fit() error {
	major, _, _ := strings.Cut(s.version, ".")
	n, err := strconv.Atoi(major)
	switch {
	case s.version != "" && (err != nil || n < 7):
		return refused("it is version %s, and 7.0 is the oldest that will do", s.version)
	case s.role == "slave" || s.role == "replica":
		return refused("it is a replica: let the URL name its primary, or let sentinels find it (redis+sentinel://host:26379/name-of-the-primary)")
	case s.policy != "" && s.policy != "noeviction":
		return refused("its maxmemory-policy is %s, which may evict what blocks a route: run \"CONFIG SET maxmemory-policy noeviction\" "+
			"and write \"maxmemory-policy noeviction\" into its redis.conf", s.policy)
	default:
		return nil
	}
}

// permitted refuses a user who may not do what we need, and names what that is.
func permitted(ctx context.Context, node *redis.Client, names keys, admin bool) error {
	if !admin {
		// The first thing every reader does needs most of its rights.
		_, err := pulseScript.RunRO(ctx, node, []string{names.meta(), names.state()}).Result()
		return err
	}
	all := []string{names.meta(), names.state(), names.log(), names.private(), names.idem("x"), names.fleet("x"), names.staged("x"), names.desk("x")}
	denied, err := grantsScript.RunRO(ctx, node, all, names.events()).StringSlice()
	if err != nil {
		return err
	}
	if len(denied) > 0 {
		return refused("the ACL of our user forbids %s: docs/redis.md has the rule an admin needs", strings.Join(denied, ", "))
	}
	return nil
}

// warnings tells what stays unknown or is weak. A reader neither needs to know how durable the store is nor is told.
func (s *server) warnings(admin bool) []Warning {
	var out []Warning
	if s.policy == "" {
		out = append(out, Warning{WarnPolicyHidden, "neither CONFIG GET nor INFO may be read here: " +
			"make sure that maxmemory-policy is noeviction, or blocks may vanish"})
	}
	if !admin {
		return out
	}
	if s.appendOnly == "yes" && s.fsync == "" {
		out = append(out, Warning{WarnFsyncHidden, "CONFIG GET may not be read here: appendfsync is taken to be everysec"})
	}
	if s.keeping().durability == state.DurableNone {
		out = append(out, Warning{WarnNotDurable, "this Redis has no append-only file that is synced: what it acknowledged is lost " +
			"when it stops; set \"appendonly yes\" and \"appendfsync everysec\" or \"always\""})
	}
	return out
}

// pairs makes a map of a list of names and values.
func pairs(list []string) map[string]string {
	out := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		out[list[i]] = list[i+1]
	}
	return out
}

// String is for messages.
func (w Warning) String() string { return fmt.Sprintf("%s: %s", w.Name, w.Text) }
