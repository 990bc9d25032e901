package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// identity writes a certificate for "localhost" that signs itself, and its key, and gives it for use.
func identity(t *testing.T, dir string, serial int64) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert"), cert, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), key, 0o600))
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	return pair
}

func TestChecksOverMutualTLS(t *testing.T) {
	redis, _ := seeded(t)
	ours, theirs := t.TempDir(), t.TempDir()
	server, gateway := identity(t, ours, 1), identity(t, theirs, 2)
	r := run(t, "--source", redis.URL(), "--listen", "127.0.0.1:0", "--listen", "unix://"+socket(t), "--tls-cert", filepath.Join(ours, "cert"),
		"--tls-key", filepath.Join(ours, "key"), "--tls-client-ca", filepath.Join(theirs, "cert"))

	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	trusting := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	known := trusting.Clone()
	known.Certificates = []tls.Certificate{gateway}
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, r.ready.Listen[0], credentials.NewTLS(known)), "/payments"))

	_, err := client(t, r.ready.Listen[0], credentials.NewTLS(trusting)).Check(t.Context(), asked("/payments"))
	require.Equal(t, codes.Unavailable, status.Code(err), "without a certificate")
	_, err = client(t, r.ready.Listen[0]).Check(t.Context(), asked("/payments"))
	require.Equal(t, codes.Unavailable, status.Code(err), "without TLS")
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, r.ready.Listen[1]), "/payments"), "a socket needs none")
	r.end()
}
