package state

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStepsKeepTheirVersions(t *testing.T) {
	for _, tt := range []struct {
		name string
		hash func(int) uint64
		keys int
	}{
		{name: "hashes that differ", hash: func(k int) uint64 { return fold(uint64(k)+1, 0x9e3779b97f4a7c15) }, keys: 3000},
		{name: "hashes that agree in all but few bits", hash: func(k int) uint64 { return uint64(k) << 54 }, keys: 900},
		{name: "hashes of one line", hash: func(k int) uint64 { return uint64(k) << 44 }, keys: 900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			type version struct {
				steps steps
				want  map[int]int // keys behind each step
			}
			rng := rand.New(rand.NewPCG(1, 9))
			now := version{want: map[int]int{}}
			var old []version
			for range 60 {
				old = append(old, version{now.steps, maps.Clone(now.want)})
				e := new(edit)
				for range 200 {
					k, by := rng.IntN(tt.keys), 1
					if now.want[k] > 0 && rng.IntN(3) > 0 {
						by = -1
					}
					now.steps.change(e, tt.hash(k), toAny, by)
					if now.want[k] += by; now.want[k] == 0 {
						delete(now.want, k)
					}
				}
			}
			for _, v := range append(old, now) {
				require.Equal(t, len(v.want), v.steps.count)
				for k := range tt.keys {
					require.Equal(t, v.want[k] > 0, v.steps.get(tt.hash(k)) == toAny, k)
				}
			}
			require.LessOrEqual(t, len(now.steps.pages), 2*tt.keys, "hashes that collide must not blow the steps up")
		})
	}
}

func TestStepsLeadOnToAllThatWasSaid(t *testing.T) {
	var s steps
	e := new(edit)
	s.change(e, 7<<20, toAny, 1)
	s.change(e, 7<<20, toRest, 1)
	require.Equal(t, toAny|toRest, s.get(7<<20))
	s.change(e, 7<<20, toAny, -1)
	require.NotZero(t, s.get(7<<20)&toRest)
	s.change(e, 7<<20, toRest, -1)
	require.Zero(t, s.get(7<<20))
	require.Zero(t, s.count)
}

func TestFitsIsTheMatchOfThePattern(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	texts := []string{"a", "ab", "{}", "a{}", "{}b", "a{}b", "50%25", "**"}
	words := []string{"a", "b", "ab", "aab", "abb", "aqb", "50%", "q"}
	matched := 0
	for range 50_000 {
		canonical, path := "", ""
		for i := range 1 + rng.IntN(4) {
			text := texts[rng.IntN(len(texts)-1)]
			if i > 0 && rng.IntN(5) == 0 {
				canonical += "/**"
				break
			}
			canonical += "/" + text
		}
		for range 1 + rng.IntN(4) {
			path += "/" + words[rng.IntN(len(words))]
		}
		want := takeApart(canonical).matches(path)
		require.Equal(t, want, fits(unescape(canonical), path), "%s %s", canonical, path)
		if want {
			matched++
		}
	}
	require.Greater(t, matched, 1000)
	require.True(t, fits("/**", "/"))
	require.True(t, fits("/{}/**", "/a"))
	require.False(t, fits("/{}", "/"))
}
