package state

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// version is a table with what it must hold.
type version struct {
	table table[int, int]
	want  map[int]int
}

func (v version) check(t *testing.T, hash func(int) uint64) {
	t.Helper()
	require.Equal(t, len(v.want), v.table.count)
	for k, want := range v.want {
		have := v.table.get(hash(k), k)
		require.NotNil(t, have)
		require.Equal(t, want, *have)
	}
	all := map[int]int{}
	for k, value := range v.table.all() {
		_, twice := all[k]
		require.False(t, twice)
		all[k] = *value
	}
	require.Equal(t, v.want, all)
}

func TestTableKeepsItsVersions(t *testing.T) {
	spread := func(k int) uint64 { return fold(uint64(k)+1, 0x9e3779b97f4a7c15) }
	for _, tt := range []struct {
		name  string
		hash  func(int) uint64
		edits int
		size  int // changes of one edit
		keys  int
	}{
		{name: "small edits", hash: spread, edits: 400, size: 3, keys: 300},
		{name: "large edits", hash: spread, edits: 20, size: 3000, keys: 20_000},
		{name: "one edit of everything", hash: spread, edits: 1, size: 50_000, keys: 40_000},
		{name: "hashes that agree in all but few bits", hash: func(k int) uint64 { return uint64(k % 7) }, edits: 30, size: 40, keys: 900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 9))
			now := version{want: map[int]int{}}
			var old []version
			for range tt.edits {
				old = append(old, version{table: now.table, want: maps.Clone(now.want)})
				e := new(edit)
				for range tt.size {
					k := rng.IntN(tt.keys)
					if rng.IntN(3) == 0 {
						now.table.drop(e, tt.hash(k), k)
						delete(now.want, k)
						continue
					}
					value := rng.Int()
					now.table.put(e, tt.hash(k), k, value)
					now.want[k] = value
				}
			}
			now.check(t, tt.hash)
			for i := 0; i < len(old); i += 1 + len(old)/12 {
				old[i].check(t, tt.hash)
			}
			require.Nil(t, now.table.get(tt.hash(-5), -5))
			require.LessOrEqual(t, len(now.table.pages), max(64, 2*tt.keys), "hashes that collide must not blow the table up")
		})
	}
}

func TestTableChangesLittle(t *testing.T) {
	var large table[int, int]
	hash := func(k int) uint64 { return fold(uint64(k)+1, 0x9e3779b97f4a7c15) }
	e := new(edit)
	for k := range 200_000 {
		large.put(e, hash(k), k, k)
	}
	next := large
	next.put(new(edit), hash(7), 7, 8)
	touched := 0
	for i := range next.pages {
		if next.pages[i] != large.pages[i] {
			touched++
		}
	}
	places := 1 << (next.depth - next.pages[next.place(hash(7))].depth)
	require.Equal(t, places, touched, "one page, at all its places")
}

func TestTreeKeepsItsVersions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	now, want := tree[int, int]{compare: cmp.Compare[int]}, map[int]int{}
	type kept struct {
		tree tree[int, int]
		want map[int]int
	}
	var old []kept
	e := new(edit)
	for i := range 3000 {
		if i%10 == 0 {
			e = new(edit)
		}
		if i%300 == 0 {
			old = append(old, kept{now, maps.Clone(want)})
		}
		k := rng.IntN(500)
		if rng.IntN(3) == 0 {
			now = now.without(e, k)
			delete(want, k)
			continue
		}
		value := rng.IntN(1000)
		now = now.with(e, k, value, fold(uint64(k)+1, 0x9e3779b97f4a7c15), int64(value))
		want[k] = value
	}
	for _, v := range append(old, kept{now, want}) {
		require.Equal(t, v.want, maps.Collect(v.tree.all()))
		last, high := -1, int64(0)
		for k, value := range v.tree.all() {
			require.Greater(t, k, last)
			last, high = k, max(high, int64(value))
		}
		if v.tree.root != nil {
			require.Equal(t, high, v.tree.root.high)
			require.Less(t, v.tree.root.depth(), 40)
		}
	}
}

func (b *branch[K, V]) depth() int {
	if b == nil {
		return 0
	}
	return 1 + max(b.left.depth(), b.right.depth())
}

func TestSegmentsHashAlikeWhereverTheyStand(t *testing.T) {
	for _, segment := range []string{"a", "1234567", "12345678", "123456789", "1234567812345678", "12345678123456789", "éé", ""} {
		alone, end := hashSegment(5, segment, 0)
		require.Equal(t, len(segment), end)
		for _, before := range []string{"/", "/x/", "/12345678/"} {
			for _, after := range []string{"", "/", "/x", "/12345678/9"} {
				path := before + segment + after
				hash, end := hashSegment(5, path, len(before))
				require.Equal(t, len(before)+len(segment), end, path)
				require.Equal(t, alone, hash, path)
			}
		}
		other, _ := hashSegment(6, segment, 0)
		require.NotEqual(t, alone, other)
		other, _ = hashSegment(5, segment+"x", 0)
		require.NotEqual(t, alone, other)
	}
}
