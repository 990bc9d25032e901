package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// identity makes a certificate for "waygate.test" that signs itself, as PEM, and the same for use.
func identity(t *testing.T, serial int64) (cert, key []byte, pair tls.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "waygate.test"}, DNSNames: []string{"waygate.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	pair, err = tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	return cert, key, pair
}

// handshake connects a client to a server and gives the serial number of the certificate the client saw.
func handshake(t *testing.T, server *tls.Config, with ...tls.Certificate) (int64, error) {
	t.Helper()
	// A real connection: on a pipe, the last message of a handshake can block both ends.
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("x"))
			_ = conn.Close()
		}
	}()
	raw, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // a listener of this test
	require.NoError(t, err)
	client := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, Certificates: with, NextProtos: []string{"h2"}}) //nolint:gosec // what counts is which certificate it is
	defer client.Close()
	// A refused client learns it at its first read.
	if _, err := client.Read(make([]byte, 1)); err != nil {
		return 0, err
	}
	require.Equal(t, "h2", client.ConnectionState().NegotiatedProtocol)
	return client.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

func TestTLSFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	files := TLS{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	write := func(cert, key []byte) {
		require.NoError(t, os.WriteFile(files.CertFile, cert, 0o600))
		require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
	}
	cert, key, _ := identity(t, 1)
	write(cert, key)

	now := time.Now()
	k := &keeper{files: files, protos: []string{"h2"}, log: zap.NewNop(), now: func() time.Time { return now }}
	require.NoError(t, k.load())
	server := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current(), nil }}
	sees := func(want int64) {
		t.Helper()
		got, err := handshake(t, server)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	sees(1)

	cert2, key2, _ := identity(t, 2)
	write(cert2, key2)
	sees(1) // looked at less than a second ago
	now = now.Add(recheck)
	sees(2)

	write([]byte("not a certificate"), key2)
	now = now.Add(recheck)
	sees(2) // what cannot be used is not used
	require.NoError(t, os.Remove(files.CertFile))
	now = now.Add(recheck)
	sees(2)
	write(cert, key)
	now = now.Add(recheck)
	sees(1)
}

func TestMutualTLSAsksForACertificate(t *testing.T) {
	dir := t.TempDir()
	files := TLS{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca")}
	cert, key, _ := identity(t, 1)
	ca, _, known := identity(t, 2)
	_, _, stranger := identity(t, 3)
	require.NoError(t, os.WriteFile(files.CertFile, cert, 0o600))
	require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
	require.NoError(t, os.WriteFile(files.ClientCA, ca, 0o600))
	server, err := files.Config(zap.NewNop(), "h2")
	require.NoError(t, err)

	got, err := handshake(t, server, known)
	require.NoError(t, err)
	require.Equal(t, int64(1), got)
	_, err = handshake(t, server)
	require.ErrorContains(t, err, "certificate required")
	_, err = handshake(t, server, stranger)
	require.Error(t, err)
}

func TestTLSFilesMustFit(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := identity(t, 1)
	_, other, _ := identity(t, 2)
	for name, text := range map[string][]byte{"cert": cert, "key": key, "other": other} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name  string
		files TLS
		want  string
	}{
		{name: "no key", files: TLS{CertFile: at("cert")}, want: "both --tls-cert and --tls-key"},
		{name: "authorities alone", files: TLS{ClientCA: at("cert")}, want: "both --tls-cert and --tls-key"},
		{name: "key of another", files: TLS{CertFile: at("cert"), KeyFile: at("other")}, want: "TLS certificate"},
		{name: "no such file", files: TLS{CertFile: at("cert"), KeyFile: at("nowhere")}, want: "no such file"},
		{name: "no authorities", files: TLS{CertFile: at("cert"), KeyFile: at("key"), ClientCA: at("key")}, want: "holds no certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.files.Config(zap.NewNop())
			require.ErrorContains(t, err, tt.want)
		})
	}
	none, err := TLS{}.Config(zap.NewNop())
	require.NoError(t, err)
	require.Nil(t, none)
}
