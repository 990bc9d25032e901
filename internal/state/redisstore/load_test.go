package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestContractWithDocumentsReadInPortions(t *testing.T) {
	server := parts.Redis(t, "--hash-max-listpack-entries", "0") // a small hash is never scanned in portions
	open := opener(server.URL())
	statetest.Run(t, func(t *testing.T, handles int) []state.Backend {
		all := open(t, handles)
		for _, s := range all {
			s.(*redisstore.Store).LoadInPortions(1)
		}
		return all
	})
}

// history is every document a store ever was, by epoch and revision.
type history struct {
	mu   sync.Mutex
	docs map[string]*state.Document
}

func at(m state.Meta) string { return fmt.Sprintf("%s.%d", m.Epoch, m.Rev) }

func (h *history) add(doc *state.Document) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.docs[at(doc.Meta)] = doc
}

// A document that is read in portions, while others change, drop and add routes and seed the store, is one that the
// store really was, to the last field.
func TestDocumentReadInPortionsIsOneThatWas(t *testing.T) {
	const known = 400
	server := parts.Redis(t, "--hash-max-listpack-entries", "0")
	s, loading := admin(t, server.URL(), "portions"), admin(t, server.URL(), "portions")
	loading.LoadInPortions(20)
	was := &history{docs: map[string]*state.Document{}}
	doc := large(t, state.Genesis(1).Meta, known)
	require.NoError(t, s.Seed(t.Context(), state.Meta{}, doc, nil))
	was.add(doc)

	ctx, stop := context.WithCancel(t.Context())
	var committing sync.WaitGroup
	committing.Go(func() {
		for i := 1; ctx.Err() == nil; i++ {
			doc = step(t, s, doc, i)
			was.add(doc)
		}
	})
	moved := 0
	for range 60 {
		got, err := loading.Load(t.Context())
		if errors.Is(err, state.ErrGap) {
			continue // seeded three times while it was read
		}
		require.NoError(t, err)
		was.mu.Lock()
		want := was.docs[at(got.Meta)]
		was.mu.Unlock()
		if want == nil {
			continue // committed and not noted yet
		}
		statetest.Same(t, want, got)
		moved++
	}
	stop()
	committing.Wait()
	t.Logf("%d documents compared over %d revisions", moved, len(was.docs))
	require.Greater(t, moved, 10)
}

// goBack puts a store back to an earlier state once a client has made its first HSCAN, as a failover to a replica that
// is behind does.
type goBack struct {
	once sync.Once
	back func()
}

func (g *goBack) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *goBack) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (g *goBack) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "hscan" {
			g.once.Do(g.back)
		}
		return err
	}
}

// A store that goes back while a document is read gives no document that mixes both: it would bear the later revision
// for ever and lack what came before it.
func TestDocumentReadFromAStoreThatGoesBack(t *testing.T) {
	for _, tc := range []struct {
		name string
		then int // how many other changes are made on the older state
	}{{"and stays there", 0}, {"and comes to the same revision", 5}, {"and goes on beyond", 7}} {
		t.Run(tc.name, func(t *testing.T) {
			server := parts.Redis(t, "--hash-max-listpack-entries", "0")
			s, loading, c := admin(t, server.URL(), "back"), admin(t, server.URL(), "back"), raw(t, server)
			loading.LoadInPortions(20)
			doc := large(t, state.Genesis(1).Meta, 400)
			require.NoError(t, s.Seed(t.Context(), state.Meta{}, doc, nil))
			doc = change(t, s, doc, "GET:/before")

			saved := map[string]string{}
			for _, key := range []string{"meta", "state", "log", "private"} {
				key = "{wg:back}:" + key
				text, err := c.Dump(t.Context(), key).Result()
				require.NoError(t, err)
				saved[key] = text
			}
			older := doc
			for i := range 5 {
				doc = change(t, s, doc, fmt.Sprintf("GET:/lost/%d", i))
			}
			loading.Hook(&goBack{back: func() {
				for key, text := range saved {
					require.NoError(t, c.RestoreReplace(context.Background(), key, 0, text).Err())
				}
				for i := range tc.then {
					older = change(t, s, older, fmt.Sprintf("GET:/other/%d", i))
				}
			}})
			got, err := loading.Load(t.Context())
			require.NoError(t, err)
			require.Equal(t, older.Meta, got.Meta)
			statetest.Same(t, older, got)
		})
	}
}

// change blocks a key and gives what the document is then.
func change(t *testing.T, s *redisstore.Store, doc *state.Document, key string) *state.Document {
	c := statetest.Block(t, key, "x")
	r, err := s.Commit(context.Background(), doc.Meta, c)
	require.NoError(t, err)
	next, err := doc.With(c.Patch, statetest.After(doc.Meta, r))
	require.NoError(t, err)
	return next
}

// step changes some routes, or now and then seeds the store, and gives what it is then.
func step(t *testing.T, s *redisstore.Store, doc *state.Document, i int) *state.Document {
	if i%300 == 0 {
		next := state.Meta{Epoch: state.NewEpoch(), Gen: doc.Gen + 1, Rev: doc.Rev + 1000, Head: doc.Head}
		seeded, err := doc.With(nil, next)
		require.NoError(t, err)
		require.NoError(t, s.Seed(context.Background(), doc.Meta, seeded, nil))
		return seeded
	}
	change := statetest.Block(t, fmt.Sprintf("GET:/new/%d", i%20), fmt.Sprint(i))
	for range 3 {
		key := fmt.Sprintf("orders:GET:/v1/customers/%d/orders/{id}/lines", rand.IntN(400))
		if rand.IntN(2) == 0 {
			change.Patch.DropRoute(statetest.Key(t, key))
			continue
		}
		require.NoError(t, change.Patch.SetRoute(statetest.Blocked(t, key, fmt.Sprint(i))))
	}
	r, err := s.Commit(context.Background(), doc.Meta, change)
	require.NoError(t, err)
	next, err := doc.With(change.Patch, statetest.After(doc.Meta, r))
	require.NoError(t, err)
	return next
}
