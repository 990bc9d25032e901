package app

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/proof"
	"github.com/waygate/waygate/internal/state"
)

// checkpointEvery is how far apart checkpoints lie at least.
const checkpointEvery = time.Minute

// notary signs where the log stands, each time that it moved, and puts that where the store cannot reach.
type notary struct {
	namespace string
	key       ed25519.PrivateKey
	out       *os.File
	close     func() error
	// view gives where the log stands, the zero Meta while nobody knows, and the time.
	view func() (state.Meta, time.Time)
	log  *zap.Logger
	// moved holds the news that the log did.
	moved chan struct{}
	last  state.Meta
	// proven is the place of the last checkpoint in the file when it was opened.
	proven state.Meta
}

// newNotary opens the file and the key; nil where no checkpoints are wanted.
func newNotary(cfg *Config, view func() (state.Meta, time.Time), log *zap.Logger) (*notary, error) {
	if cfg.CheckpointFile == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	key, err := checkpointKey(cfg.CheckpointKey)
	if err != nil {
		return nil, err
	}
	n := &notary{
		namespace: cfg.Namespace, key: key, out: os.Stdout, close: func() error { return nil }, view: view, log: log,
		moved: make(chan struct{}, 1),
	}
	if cfg.CheckpointFile == "-" {
		return n, nil
	}
	f, err := os.OpenFile(cfg.CheckpointFile, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the file of checkpoints: %w", err)
	}
	n.out, n.close = f, f.Close
	if err := n.goOn(f); err != nil {
		return nil, errors.Join(fmt.Errorf("go on in the file of checkpoints: %w", err), f.Close())
	}
	return n, nil
}

// goOn takes off what a crash tore, so that what is added can be read, and reads how far the file proves.
func (n *notary) goOn(f *os.File) error {
	if at, err := f.Stat(); err != nil || !at.Mode().IsRegular() {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	whole := proof.WholeCheckpoints(text)
	if torn := text[whole:]; len(torn) > 0 {
		if !proof.BeginsCheckpoint(torn) {
			return errors.New("it does not end with a checkpoint: keep it, and name another one")
		}
		if err := f.Truncate(int64(whole)); err != nil {
			return err //nolint:wrapcheck // the caller says what was being done
		}
	}
	all, _, err := proof.ParseCheckpoints(text, n.key.Public().(ed25519.PublicKey))
	if err != nil {
		n.log.Error("the file of checkpoints does not verify with our key: keep it, and name another one", zap.Error(err))
	}
	if len(all) > 0 {
		last := all[len(all)-1]
		n.proven = state.Meta{Epoch: last.Epoch, Rev: last.Rev}
	}
	return nil
}

// checkpointKey reads the key, or makes one.
func checkpointKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of checkpoints: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s holds no PKCS #8 key: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a key, but none of Ed25519", path)
	}
	return key, nil
}

// makeKey makes a key that only we can read, and its public key beside it.
func makeKey(path string) (ed25519.PrivateKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	_, err = f.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.WriteFile(path+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o644) //nolint:gosec // a public key
	}
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	return private, nil
}

// Moved tells that the log may have moved. It returns at once. A nil notary does not care.
func (n *notary) Moved() {
	if n == nil {
		return
	}
	select {
	case n.moved <- struct{}{}:
	default:
	}
}

// Run makes checkpoints until ctx ends, and a last one then.
func (n *notary) Run(ctx context.Context) {
	for {
		select {
		case <-n.moved:
		case <-ctx.Done():
			n.sign()
			return
		}
		if !n.sign() {
			continue
		}
		timer := time.NewTimer(checkpointEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			n.sign()
			return
		}
	}
}

// sign makes a checkpoint, unless the log stands where the last one was made.
func (n *notary) sign() bool {
	at, now := n.view()
	if at.Epoch == "" || at == n.last {
		return false
	}
	if at.Epoch == n.proven.Epoch && at.Rev < n.proven.Rev {
		// Our view is still that from before we stopped, or the store went back: then the file proves it.
		n.log.Warn("no checkpoint is made before the log is where the last one was", zap.Uint64("revision", at.Rev), zap.Uint64("last", n.proven.Rev))
		return false
	}
	c := proof.Checkpoint{Namespace: n.namespace, Epoch: at.Epoch, Rev: at.Rev, Head: at.Head, Time: now.UTC().Truncate(time.Millisecond)}
	if err := n.write(c.Sign(n.key)); err != nil {
		n.log.Error("a checkpoint could not be written", zap.Uint64("revision", at.Rev), zap.Error(err))
		return true // again in a minute, if the log moves
	}
	n.last = at
	return true
}

// write adds a checkpoint, whole or not at all.
func (n *notary) write(text []byte) error {
	was, err := n.out.Stat()
	if err != nil {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	_, err = n.out.Write(text)
	if n.out == os.Stdout || !was.Mode().IsRegular() {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	if err = errors.Join(err, n.out.Sync()); err != nil {
		return errors.Join(err, n.out.Truncate(was.Size()))
	}
	return nil
}
