package arch_test

// What the packages may import besides the standard library, by their path in the module: a prefix, or with a final $
// exactly that package.
const (
	state     = module + "internal/state$"
	stateAll  = module + "internal/state"
	statetest = module + "internal/state/statetest"
	crash     = module + "internal/crash"
	config    = module + "internal/config"
	parts     = module + "internal/parts"
	serve     = module + "internal/serve"
	proof     = module + "internal/proof"
	wire      = module + "internal/admin/wire"
	admin     = module + "internal/admin"
	authz     = module + "internal/authz"

	zap     = "go.uber.org/zap"
	grpc    = "google.golang.org/grpc"
	protos  = "google.golang.org/protobuf"
	envoy   = "github.com/envoyproxy/go-control-plane/envoy"
	goRedis = "github.com/redis/go-redis/v9"
	uuid    = "github.com/google/uuid"
	metrics = "github.com/prometheus/client_golang"
	atomics = "github.com/google/renameio/v2"
	testify = "github.com/stretchr/testify/require"
	unix    = "golang.org/x/sys/unix"
)

// rules is the house: each package, and what it may open onto.
var rules = map[string][]string{ //nolint:gochecknoglobals // a table
	// What is true. The standard library only.
	"internal/state":             nil,
	"internal/state/readingtest": nil,
	"internal/state/memstore":    {state},
	"internal/state/filestore":   {state, crash, module + "internal/state/memstore", atomics, unix},
	"internal/state/redisstore":  {state, crash, goRedis},
	"internal/state/httpsource":  {state},
	"internal/state/statetest":   {state, testify, "github.com/anishathalye/porcupine"},

	// Evidence of what the log held.
	"internal/proof": {state},

	// What Envoy hears.
	"internal/authz":     {state, zap, grpc, protos, envoy, metrics, "google.golang.org/genproto/googleapis/rpc"},
	"internal/authz/app": {stateAll, authz, config, serve, zap, grpc, goRedis, metrics},

	// What people do.
	"internal/admin":          {state, crash, module + "internal/admin/people", module + "internal/admin/schedule", module + "internal/admin/webhook", zap, uuid},
	"internal/admin/people":   {state, zap, uuid, "golang.org/x/crypto/argon2"},
	"internal/admin/schedule": {state, "github.com/teambition/rrule-go"},
	"internal/admin/wire":     nil,
	"internal/admin/stream":   {state, zap},
	"internal/admin/security": {module + "internal/admin/people", zap},
	"internal/admin/webhook":  {state, zap},
	"internal/admin/api":      {state, crash, admin, zap, uuid, metrics, "github.com/danielgtaylor/huma/v2"},
	"internal/admin/client":   {wire, uuid},
	"internal/admin/app":      {stateAll, crash, admin, proof, config, serve, zap, uuid, goRedis, metrics, "go.yaml.in/yaml/v3"},

	// What both servers need.
	"internal/config": {zap, "github.com/caarlos0/env/v11", "github.com/spf13/pflag"},
	"internal/serve":  {zap, atomics, unix},

	// Where a test ends a process.
	"internal/crash": nil,

	// The programs.
	"cmd/waygate-authz": {module + "internal/authz/app", config, zap},
	"cmd/waygate-admin": {module + "internal/admin/app", config, zap, "golang.org/x/term"},
	"cmd/waygate":       {state, proof, wire, module + "internal/admin/client", module + "internal/admin/schedule", config, unix, "github.com/spf13/cobra", "golang.org/x/term"},

	// Tests and what they need.
	"internal/arch":  nil,
	"internal/parts": nil,
	"test/demo":      {atomics},
	"test/e2e":       nil,
	"test/guide":     nil,
	"test/kill":      nil,
	"test/run":       nil,
	"test/bench":     {stateAll, authz, parts, "go.yaml.in/yaml/v3", envoy, grpc, protos, "google.golang.org/genproto/googleapis/rpc", "golang.org/x/net/http2"},
}
