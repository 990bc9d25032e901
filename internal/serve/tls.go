package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// TLS names the files of a server's certificate, all PEM. Embed it in the struct of a server's settings.
type TLS struct {
	CertFile string `env:"WAYGATE_TLS_CERT"      flag:"tls-cert"      value:"FILE" usage:"certificate chain of the server, PEM"`
	KeyFile  string `env:"WAYGATE_TLS_KEY"       flag:"tls-key"       value:"FILE" usage:"key of the certificate, PEM"`
	ClientCA string `env:"WAYGATE_TLS_CLIENT_CA" flag:"tls-client-ca" value:"FILE" usage:"accept only clients with a certificate of these authorities, PEM"`
}

// recheck is how often at most the files are looked at; they are looked at only when somebody connects.
const recheck = time.Second

// Config is the configuration of a listener that speaks TLS 1.2 or later with these files; nil where none is named.
// Protos are the application protocols offered (ALPN). When the files change, connections made from then on use the
// new ones; files that cannot be used are logged and the old ones stay in use.
func (t TLS) Config(log *zap.Logger, protos ...string) (*tls.Config, error) {
	switch {
	case t == TLS{}:
		return nil, nil //nolint:nilnil // no files, no TLS: not an error
	case t.CertFile == "" || t.KeyFile == "":
		return nil, errors.New("TLS needs both --tls-cert and --tls-key")
	}
	k := &keeper{files: t, protos: protos, log: log, now: time.Now}
	if err := k.load(); err != nil {
		return nil, err
	}
	first := k.config
	outer := first.Clone()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current(), nil }
	return outer, nil
}

// keeper holds the configuration made of the files as they were when they last could be used.
type keeper struct {
	files  TLS
	protos []string
	log    *zap.Logger
	now    func() time.Time

	mu      sync.Mutex
	config  *tls.Config
	seen    []fs.FileInfo
	checked time.Time
}

// current is the configuration for one more connection.
func (k *keeper) current() *tls.Config {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Sub(k.checked) < recheck {
		return k.config
	}
	k.checked = now
	if seen, err := k.stat(); err == nil && slices.EqualFunc(seen, k.seen, same) {
		return k.config
	}
	if err := k.load(); err != nil {
		k.log.Error("the changed TLS files cannot be used; the old ones stay in use", zap.Error(err))
	} else {
		k.log.Info("TLS files reloaded", zap.String("cert", k.files.CertFile))
	}
	return k.config
}

// load makes the configuration anew; on an error the old one stays.
func (k *keeper) load() error {
	// Looked at before they are read: a change in between is then seen at the next look.
	seen, err := k.stat()
	if err != nil {
		return fmt.Errorf("TLS files: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(k.files.CertFile, k.files.KeyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: k.protos}
	if k.files.ClientCA != "" {
		text, err := os.ReadFile(k.files.ClientCA)
		if err != nil {
			return fmt.Errorf("TLS client authorities: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("TLS client authorities: %s holds no certificate in PEM form", k.files.ClientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	k.config, k.seen = config, seen
	return nil
}

// stat looks at the files, through symbolic links: that is how mounted secrets change.
func (k *keeper) stat() ([]fs.FileInfo, error) {
	var all []fs.FileInfo
	for _, path := range []string{k.files.CertFile, k.files.KeyFile, k.files.ClientCA} {
		if path == "" {
			continue
		}
		stat, err := os.Stat(path)
		if err != nil {
			return nil, err //nolint:wrapcheck // the error names the file
		}
		all = append(all, stat)
	}
	return all, nil
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
