package app_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/app"
)

func TestTLSAndHTTP2(t *testing.T) {
	cfg := plain()
	cfg.CertFile, cfg.KeyFile = certificate(t)
	a := start(t, cfg)
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the test's own certificate
			ForceAttemptHTTP2: protocol == "HTTP/2.0",
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+a.ready.Listen[0]+"/waygate/api/routes", nil)
		require.NoError(t, err)
		resp, err := (&http.Client{Transport: transport}).Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, protocol, resp.Proto)
		transport.CloseIdleConnections()
	}
}

// certificate makes a certificate for localhost.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

func TestTheCommandLine(t *testing.T) {
	tests := []struct {
		name, in   string
		args       []string
		environ    []string
		status     int
		out, error string
	}{
		{"help", "", []string{"--help"}, nil, 0, "--snapshot-dir", ""},
		{"the version", "", []string{"--version"}, nil, 0, "waygate-admin version ", ""},
		{"an unknown flag", "", []string{"--nope"}, nil, 2, "", "nope"},
		{"an unknown command", "", []string{"explode"}, nil, 2, "", "hash-password"},
		{"an unknown backend", "", nil, []string{"WAYGATE_BACKEND=mysql"}, 2, "", "memory, file, redis"},
		{"a password", "sesame\n", []string{"hash-password"}, nil, 0, "$argon2id$v=19$", ""},
		{"no password", "", []string{"hash-password"}, nil, 2, "", "standard input"},
		{"help about a password", "", []string{"hash-password", "--help"}, nil, 0, "standard input", ""},
		{"a password for all to see", "", []string{"hash-password", "sesame"}, nil, 2, "", "takes no arguments"},
		{"a password that is too long", strings.Repeat("é", 1025), []string{"hash-password"}, nil, 2, "", "at most 1024 characters"},
		{"no address", "", []string{"--listen=8000"}, nil, 2, "", "HOST:PORT"},
		{"no address of the operations", "", []string{"--ops-listen=9002"}, nil, 2, "", "--ops-listen"},
		{"open to others", "", []string{"--listen=:0"}, nil, 2, "", "--allow-open"},
		{"a base path", "", []string{"--base-path=waygate"}, nil, 2, "", "like /waygate"},
		{"half a certificate", "", []string{"--tls-cert=x"}, nil, 2, "", "--tls-key"},
		{"a certificate that is not there", "", []string{"--tls-cert=x", "--tls-key=y"}, nil, 2, "", "no such file"},
		{"a term", "", []string{"--cli-token-ttl=0s"}, nil, 2, "", "longer than nothing"},
		{"a users file", "", []string{"--users-file=nowhere"}, nil, 1, "", "users file"},
		{"init of memory", "", []string{"init"}, []string{"WAYGATE_BACKEND=memory"}, 2, "", "nothing to create"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			dir := t.TempDir()
			t.Chdir(dir)
			status := app.Main(t.Context(), app.Process{
				Args: tt.args, Environ: tt.environ, Dir: dir, In: strings.NewReader(tt.in), Out: &out, Err: &errOut,
			})
			require.Equal(t, tt.status, status, "%s%s", &out, &errOut)
			require.Contains(t, out.String(), tt.out)
			require.Contains(t, errOut.String(), tt.error)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left, "what does not start leaves nothing behind")
		})
	}
}
