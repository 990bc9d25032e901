package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// Options of a [Store] and a [Reader].
type Options struct {
	// Name is shown for our connections in the server's CLIENT LIST; "waygate" when empty.
	Name string
	// KeepLog is about how many entries the log keeps; zero, which is right but for tests, keeps all of them until
	// somebody trims it. Older ones go with the commits, whole nodes of the stream at a time.
	KeepLog int
}

// Reader is a state.Source that needs no right to write, with the one exception of its own report. It is safe for
// concurrent use.
type Reader struct {
	address Address
	keys    keys
	link    dialed
	// secrets says that the private part may be read: what is missing there counts as lost, too.
	secrets bool
	// whole is up to how many fields a document is read in one go, portion how many are asked for at a time beyond.
	whole, portion int64
	// checked is set once the server was found fit.
	checked  atomic.Bool
	keep     atomic.Pointer[keeping]
	warnings atomic.Pointer[[]Warning]
}

// Store is a state.Backend in Redis. It is safe for concurrent use.
type Store struct {
	*Reader
	keepLog int
	walk    walk
}

// Warning is something about the server that an operator should know and that does not stop us.
type Warning struct {
	// Name is one of the constants below, Text a sentence that tells what to do.
	Name string
	Text string
}

// The names of the warnings.
const (
	// WarnUnreachable: the server did not answer yet; it is checked before its first use.
	WarnUnreachable = "unreachable"
	// WarnPolicyHidden: neither CONFIG nor INFO may be read, so nobody knows whether keys are evicted.
	WarnPolicyHidden = "policy_hidden"
	// WarnFsyncHidden: CONFIG may not be read, so the weakest durability an append-only file can have is assumed.
	WarnFsyncHidden = "fsync_hidden"
	// WarnNotDurable: without an append-only file, what was acknowledged is lost when the server stops.
	WarnNotDurable = "not_durable"
)

// Open gives an admin its store in the Redis at url (see [ParseURL]), apart from those of other namespaces.
//
// It fails on what waiting does not cure: a URL or a namespace that cannot be read (an *InvalidError), and a server that
// answers but must not be used ([ErrRefused]): older than 7.0, a replica, one that may evict keys, one that does not
// know us or lets us do too little. A server that does not answer is no reason to fail: the store is given back with
// WarnUnreachable, its calls are state.ErrUnavailable, and the checks are made before its first use.
func Open(ctx context.Context, url, namespace string, opt Options) (*Store, error) {
	r, err := open(ctx, url, namespace, opt, true)
	if err != nil {
		return nil, err
	}
	return &Store{Reader: r, keepLog: max(0, opt.KeepLog)}, nil
}

// OpenReader gives an instance of waygate-authz its source, as [Open] gives an admin its store.
func OpenReader(ctx context.Context, url, namespace string, opt Options) (*Reader, error) {
	return open(ctx, url, namespace, opt, false)
}

func open(ctx context.Context, url, namespace string, opt Options, secrets bool) (*Reader, error) {
	address, err := ParseURL(url)
	if err != nil {
		return nil, err
	}
	names, err := keysOf(namespace)
	if err != nil {
		return nil, err
	}
	if opt.Name == "" {
		opt.Name = "waygate"
	}
	link, err := dial(address, opt.Name)
	if err != nil {
		return nil, err
	}
	r := &Reader{address: address, keys: names, link: link, secrets: secrets, whole: wholeFields, portion: scanFields}
	r.keep.Store(&keeping{durability: state.DurableNone})
	r.warnings.Store(&[]Warning{})
	_, err = within(ctx, commitTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, r.ready(ctx) })
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, ErrRefused) || ctx.Err() != nil:
		_ = r.Close() // nothing was sent that Close could lose
		return nil, fmt.Errorf("open %s: %w", address, err)
	default:
		r.warnings.Store(&[]Warning{{WarnUnreachable, fmt.Sprintf("%s does not answer yet: %v", address, err)}})
		return r, nil
	}
}

// ready checks the server before its first use. Several callers may check at once; it is the same to everybody.
func (r *Reader) ready(ctx context.Context) error {
	if r.checked.Load() {
		return nil
	}
	found, err := onNode(ctx, r.link, r.keys.meta(), func(ctx context.Context, node *redis.Client) (fitness, error) {
		return inspect(ctx, node, r.keys, r.secrets)
	})
	if err != nil {
		return r.refusal(err)
	}
	r.keep.Store(&found.keeping)
	r.warnings.Store(&found.warnings)
	r.checked.Store(true)
	return nil
}

// refusal turns the error replies that no waiting cures into [ErrRefused].
func (r *Reader) refusal(err error) error {
	switch first := word(err); first {
	case "NOPERM":
		return refused("%s (%v): our keys begin with %s, and docs/redis.md has the rules", meanings[first], err, r.keys.tag)
	case "NOAUTH", "WRONGPASS":
		return refused("%s (%v)", meanings[first], err)
	default:
		return err
	}
}

// Warnings are what an operator should know about the server.
func (r *Reader) Warnings() []Warning { return *r.warnings.Load() }

// Durability implements state.Store. It is state.DurableNone until the server answered for the first time.
func (r *Reader) Durability() state.Durability { return r.keep.Load().durability }

// Address says where the store is, without its password.
func (r *Reader) Address() string { return r.address.String() }

// Close drops the connections. Calls that are under way fail.
func (r *Reader) Close() error { return r.link.client.Close() }
