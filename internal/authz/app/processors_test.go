package app

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOneProcessorWhileOneIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var share atomic.Int64 // of one processor, in percent
		var spent time.Duration
		var set []int
		p := &processors{all: 4, now: 4}
		p.set = func(n int) { set = append(set, n) }
		p.spent = func() time.Duration {
			spent += lookEvery * time.Duration(share.Load()) / 100
			return spent
		}
		is := func(want ...int) {
			t.Helper()
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			require.Equal(t, want, slices.Clone(set))
			set = nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			p.run(ctx)
			close(done)
		}()
		share.Store(10)
		time.Sleep(calmBefore - time.Millisecond)
		is()
		time.Sleep(lookEvery)
		is(1)
		share.Store(50)
		time.Sleep(10 * time.Second)
		is() // neither busy nor calm
		share.Store(90)
		time.Sleep(lookEvery)
		is(4)
		share.Store(50)
		time.Sleep(10 * time.Second)
		is()
		share.Store(10)
		time.Sleep(calmBefore + 2*lookEvery)
		is(1)

		// A document is on its way: at once, and for as long as was said.
		p.hold(5 * time.Second)
		p.hold(5 * time.Second)
		is(4)
		time.Sleep(5*time.Second - time.Millisecond)
		is()
		time.Sleep(2 * lookEvery)
		is(1)
		cancel()
		<-done
		is(4)
	})
}

func TestProcessorsAreLeftAloneInOtherPeoplesProcesses(t *testing.T) {
	p := newProcessors(false)
	p.set = func(int) { require.Fail(t, "changed") }
	p.hold(time.Hour)
	p.run(t.Context())

	t.Setenv("GOMAXPROCS", "1")
	require.Zero(t, newProcessors(true).all)
}

func TestAProcessSpendsTime(t *testing.T) {
	before := processorTime()
	require.Eventually(t, func() bool { return processorTime() > before }, patience, time.Microsecond)
}

func TestTheLimitOfMemory(t *testing.T) {
	const machine = "MemTotal:       8388608 kB\nMemFree: 1 kB\n" // 8 GiB
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{name: "nothing known"},
		{name: "machine", files: map[string]string{"/proc/meminfo": machine}, want: 4 << 30},
		{name: "group", files: map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory.max": "1000000000\n"}, want: 800000000},
		{name: "group without a limit", files: map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory.max": "max\n"}, want: 4 << 30},
		{
			name: "old group without a limit", want: 4 << 30,
			files: map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
		},
		{name: "group alone", files: map[string]string{"/sys/fs/cgroup/memory/memory.limit_in_bytes": "1000"}, want: 800},
		{name: "garbage", files: map[string]string{"/proc/meminfo": "MemTotal: lots"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := memoryLimit(func(path string) ([]byte, error) {
				text, ok := tt.files[path]
				if !ok {
					return nil, errors.New("no such file")
				}
				return []byte(text), nil
			})
			require.Equal(t, tt.want, got)
		})
	}
}
