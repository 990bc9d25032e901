package security_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/admin/security"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func write(t *testing.T, f *security.File, line string) {
	t.Helper()
	_, err := f.Write([]byte(line))
	require.NoError(t, err)
}

func TestAFileThatIsMovedAwayIsBegunAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "security.log")
		require.NoError(t, os.WriteFile(path, []byte("before\n"), 0o600))
		f, err := security.OpenFile(path)
		require.NoError(t, err)
		write(t, f, "1\n")
		require.Equal(t, "before\n1\n", read(t, path))

		require.NoError(t, os.Rename(path, path+".1"))
		pass(2 * time.Second)
		write(t, f, "2\n")
		require.Equal(t, "2\n", read(t, path))
		stat, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), stat.Mode().Perm(), "for its owner alone")

		require.NoError(t, os.Rename(path, path+".2"))
		require.NoError(t, f.Reopen(), "as a hang-up asks: at once")
		write(t, f, "3\n")
		require.Equal(t, "3\n", read(t, path))

		require.NoError(t, os.Remove(path))
		pass(2 * time.Second)
		write(t, f, "4\n")
		require.Equal(t, "4\n", read(t, path))
		require.Equal(t, "before\n1\n", read(t, path+".1"))
		require.Equal(t, "2\n", read(t, path+".2"))
		require.NoError(t, f.Close())
	})
}

func TestAFileThatCannotBeOpened(t *testing.T) {
	_, err := security.OpenFile(filepath.Join(t.TempDir(), "nowhere", "security.log"))
	require.ErrorContains(t, err, "nowhere/security.log")
}

// full is a file that takes nothing.
type full struct{ zapcore.Core }

func (full) Write(zapcore.Entry, []zapcore.Field) error { return errors.New("no space left on device") }

func TestWhatTheFileCannotTakeIsInTheLog(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	l := security.New(security.Config{Log: zap.New(core), File: full{core}})
	l.Note(denied("192.0.2.1:1"))
	require.Equal(t, 1, lines.Len())
}
