package state_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func FuzzDecideAgainstScan(f *testing.F) {
	f.Add(uint64(1), "GET", "/a/b", "")
	f.Add(uint64(2), "HEAD", "/A/xqy", "POST")
	f.Add(uint64(3), "OPTIONS", "/%C3%A9?_method=GET", "")
	f.Add(uint64(4), "GET", "/a.S/me?connect=v1", "")
	f.Fuzz(func(t *testing.T, seed uint64, method, target, override string) {
		d := diceOf(seed)
		doc := d.document(t, 1+d.IntN(24))
		s, err := state.Compile(doc)
		require.NoError(t, err)
		sent := d.request()
		sent.Method, sent.Target = method, target
		if override != "" {
			sent.Overrides = []string{override}
		}
		for _, req := range []*state.Request{sent, d.request(), d.request(), d.request()} {
			now := d.instant()
			require.Equal(t, scanDecide(doc, req, now), s.Decide(req, now), "%+v at %s", req, now)
		}
	})
}

func TestDecideEqualsTheScan(t *testing.T) {
	d := diceOf(99)
	causes := map[state.Cause]int{}
	unreadable := 0
	for range 4000 {
		doc := d.document(t, 1+d.IntN(24))
		s, err := state.Compile(doc)
		require.NoError(t, err)
		for range 12 {
			req, now := d.request(), d.instant()
			got := s.Decide(req, now)
			require.Equal(t, scanDecide(doc, req, now), got, "%+v at %s", req, now)
			causes[got.Cause]++
			if got.Unreadable && !got.Refused() {
				unreadable++
			}
		}
	}
	for _, c := range []state.Cause{state.CauseNone, state.CauseDeprecated, state.CauseEnvGated, state.CauseMaintenance, state.CauseDisabled, state.CauseUnreadable} {
		require.Greater(t, causes[c], 200, "the dice must show every cause: %v", causes)
	}
	require.Positive(t, unreadable)
}

func TestApplyEqualsCompile(t *testing.T) {
	d := diceOf(5)
	for range 60 {
		doc := d.document(t, d.IntN(10))
		s, err := state.Compile(doc)
		require.NoError(t, err)
		for range 40 {
			c := state.Change{Entry: state.Entry{Kind: state.KindChange, Patch: state.Patch{}}}
			for range 1 + d.IntN(3) {
				d.change(t, c.Patch)
			}
			before := s
			frame, err := c.Frame(doc.Meta)
			require.NoError(t, err)
			s, err = s.Apply(frame)
			require.NoError(t, err)

			fields, err := s.Document().Fields()
			require.NoError(t, err)
			fresh, err := state.NewDocument(state.Meta{}).With(fields, s.Document().Meta)
			require.NoError(t, err)
			compiled, err := state.Compile(fresh)
			require.NoError(t, err)
			for range 12 {
				req, now := d.request(), d.instant()
				require.Equal(t, compiled.Decide(req, now), s.Decide(req, now), "%+v at %s", req, now)
				require.Equal(t, scanDecide(doc, req, now), before.Decide(req, now), "the snapshot before must stay as it was")
			}
			doc = s.Document()
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{
		"/", "GET:/payments", "s:ANY:/a/{id:int}/x{y}z/**", "/a%2541/%", "/%7B", "/{p:path}", "pay:get:/x", "/caf%C3%A9/É", "/a\x1f", "__global__", "/{a%252F}", "/**",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, shown, err := state.ParseKey(text)
		if err != nil {
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.NotEmpty(t, invalid.Problem)
			return
		}
		requireStable(t, k, shown)
		require.True(t, state.Key{Path: "/**"}.Contains(k))
		require.Equal(t, k.IsTemplate(), k.IsTemplate() && k.IsSet())
		// The key as a block refuses a request that is spelled like it, unless no such request can be read.
		f := factsOf(t)
		require.NoError(t, f.patch.SetRoute(state.Route{Key: k, Shown: shown, Standing: &state.Block{Effect: state.EffectDisabled}}))
		method := k.Method
		if method == "" {
			method = "GET"
		}
		req := state.Request{Method: method, Target: diceOf(1).targetOf(k), Service: k.Service}
		d := f.compile().Decide(&req, epoch0)
		require.True(t, d.Refused(), "%s passes %s", k, req.Target)
	})
}

// targetOf is a request target that a key matches.
func (d dice) targetOf(k state.Key) string {
	return (&url.URL{Path: d.requestOf(k)}).EscapedPath()
}
