package authz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

const checkMethod = "/envoy.service.auth.v3.Authorization/Check"

// startEdge serves on a Unix socket until the test ends, and gives a client.
func startEdge(t *testing.T, s *Server, options ...grpc.DialOption) (*Edge, *grpc.ClientConn) {
	t.Helper()
	e := NewEdge(s)
	path := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- e.Serve(l, nil) }()
	conn, err := grpc.NewClient("unix://"+path, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		e.grpc.Stop()
		require.NoError(t, <-served)
	})
	return e, conn
}

// raw is a codec that sends bytes as they are and takes bytes as they come.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func TestAGeneratedClientIsAnswered(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	_, conn := startEdge(t, s)
	client := envoy_service_auth_v3.NewAuthorizationClient(conn)
	passed, err := client.Check(t.Context(), asked("GET", "/orders", nil))
	require.NoError(t, err)
	require.Zero(t, passed.GetStatus().GetCode())
	refused, err := client.Check(t.Context(), asked("GET", "/payments", nil))
	require.NoError(t, err)
	require.Equal(t, int32(503), int32(refused.GetDeniedResponse().GetStatus().GetCode()))
	zipped, err := client.Check(t.Context(), asked("GET", "/payments", nil), grpc.UseCompressor(gzip.Name))
	require.NoError(t, err)
	require.NotNil(t, zipped.GetDeniedResponse())
	require.Equal(t, Totals{Checks: 3, Refused: 2}, s.Totals())
}

func TestManyChecksAtOnceAreAnsweredEachWithItsOwn(t *testing.T) {
	_, conn := startEdge(t, newTestServer(t, gate(t), Options{}))
	client := envoy_service_auth_v3.NewAuthorizationClient(conn)
	var all sync.WaitGroup
	wrong := make(chan string, 1)
	for i := range 16 {
		all.Go(func() {
			path, want := "/orders", int32(0)
			if i%2 == 0 {
				path, want = "/payments", 7
			}
			for range 200 {
				got, err := client.Check(t.Context(), asked("GET", path, nil))
				if err != nil || got.GetStatus().GetCode() != want {
					select {
					case wrong <- path:
					default:
					}
				}
			}
		})
	}
	all.Wait()
	require.Empty(t, wrong)
}

func TestNoBytesAreAnError(t *testing.T) {
	_, conn := startEdge(t, newTestServer(t, gate(t), Options{}), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
	notUTF8 := wire(t, asked("GET", "/payments", map[string]string{"x-name": "0123456789"}))
	notUTF8 = bytes.Replace(notUTF8, []byte("0123456789"), []byte("\xff\xfe\x80\xc0\xaf\xed\xa0\x80\x00\n"), 1)
	large := wire(t, asked("GET", "/payments", map[string]string{"x-large": string(bytes.Repeat([]byte("a"), 5<<20))}))
	tests := []struct {
		name    string
		message []byte
		want    string
	}{
		{name: "nothing", message: []byte{}, want: "UNREADABLE_REQUEST"},
		{name: "garbage", message: []byte("\xff\xff\xff"), want: "UNREADABLE_REQUEST"},
		{name: "strings that are not UTF-8", message: notUTF8, want: "MAINTENANCE_MODE"},
		{name: "large", message: large, want: "MAINTENANCE_MODE"},
		{name: "very large", message: append(append([]byte{0x9a, 0x03}, binary.AppendUvarint(nil, 17<<20)...), append(make([]byte, 17<<20), large...)...), want: "MAINTENANCE_MODE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			require.NoError(t, conn.Invoke(t.Context(), checkMethod, &tt.message, &got))
			require.Equal(t, tt.want, codeOf(t, got))
		})
	}
}

func TestACheckWithNoMessageOrTwoIsAnswered(t *testing.T) {
	_, conn := startEdge(t, newTestServer(t, gate(t), Options{}), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
	for messages := range 4 {
		stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, checkMethod)
		require.NoError(t, err)
		message := wire(t, asked("GET", "/orders", nil))
		for i := range messages {
			err := stream.SendMsg(&message)
			if i > 1 && errors.Is(err, io.EOF) {
				break // two are enough for an answer, which may be there by now
			}
			require.NoError(t, err)
		}
		require.NoError(t, stream.CloseSend())
		var got []byte
		require.NoError(t, stream.RecvMsg(&got))
		want := "UNREADABLE_REQUEST"
		if messages == 1 {
			want = ""
		}
		require.Equal(t, want, codeOf(t, got), "%d messages", messages)
	}
}

func TestAnUnknownMethodIsUnimplemented(t *testing.T) {
	_, conn := startEdge(t, newTestServer(t, gate(t), Options{}))
	err := conn.Invoke(t.Context(), "/envoy.service.auth.v3.Authorization/Other", &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestHealth(t *testing.T) {
	s := newTestServer(t, gate(t), Options{OnStale: StaleClosed})
	e, conn := startEdge(t, s)
	client := healthpb.NewHealthClient(conn)
	is := func(service string) string {
		got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			return status.Code(err).String()
		}
		return got.GetStatus().String()
	}
	const serving, not = "SERVING", "NOT_SERVING"
	e.Refresh(false)
	require.Equal(t, []string{serving, serving, "NotFound"}, []string{is(""), is(serviceName), is("other")})

	watch, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	other, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "other"})
	require.NoError(t, err)
	next := func(w healthpb.Health_WatchClient) string {
		got, err := w.Recv()
		if err != nil {
			return status.Code(err).String()
		}
		return got.GetStatus().String()
	}
	require.Equal(t, serving, next(watch))
	require.Equal(t, "SERVICE_UNKNOWN", next(other))

	s.SetStale(true)
	e.Refresh(false)
	require.Equal(t, not, next(watch))
	require.Equal(t, []string{not, serving}, []string{is(""), is(serviceName)}, "checks are answered: a gateway must not stop asking")
	s.SetStale(false)
	e.Refresh(false)
	e.Refresh(false)
	require.Equal(t, serving, next(watch))
	e.Refresh(true)
	require.Equal(t, not, next(watch))
	require.Equal(t, []string{not, not}, []string{is(""), is(serviceName)})

	list, err := client.List(t.Context(), &healthpb.HealthListRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetStatuses(), 2)

	// Watches end with the server and do not hold it up.
	e.Stop(t.Context())
	require.Equal(t, "Unavailable", next(watch))
	require.Equal(t, "Unavailable", next(other))
}

func TestStopAnswersWhatIsUnderWay(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	e, conn := startEdge(t, s, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, checkMethod)
	require.NoError(t, err)
	message := wire(t, asked("GET", "/payments", nil))
	require.NoError(t, stream.SendMsg(&message))
	require.Eventually(t, func() bool { return s.Totals().Checks == 1 }, 20*time.Second, time.Millisecond)

	stopped := make(chan struct{})
	go func() {
		e.Stop(t.Context())
		close(stopped)
	}()
	require.NoError(t, stream.CloseSend())
	var got []byte
	require.NoError(t, stream.RecvMsg(&got))
	require.Equal(t, "MAINTENANCE_MODE", codeOf(t, got))
	answered := time.Now()
	<-stopped
	require.Less(t, time.Since(answered), 3*time.Second)
}

func TestStopCutsWhatTakesTooLong(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	e, conn := startEdge(t, s)
	// A check whose message never ends.
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, checkMethod)
	require.NoError(t, err)
	_, err = healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err) // the stream before it has arrived as well
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e.Stop(ctx)
	require.Error(t, stream.RecvMsg(new(healthpb.HealthCheckResponse)))
}

func TestStopCutsWhoSaysNothing(t *testing.T) {
	s := newTestServer(t, gate(t), Options{})
	e, conn := startEdge(t, s)
	silent, err := net.Dial("unix", strings.TrimPrefix(conn.Target(), "unix://")) //nolint:noctx // a socket of this test
	require.NoError(t, err)
	defer silent.Close()
	_, err = io.ReadFull(silent, make([]byte, 9))
	require.NoError(t, err, "who is let in hears the server's settings")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	e.Stop(ctx)
	require.Less(t, time.Since(began), greeting/2)
	_, err = io.Copy(io.Discard, silent)
	require.NoError(t, err)
}

func TestAQuietConnectionIsAConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port of this test
	require.NoError(t, err)
	l = quiet(l)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // a port of this test
	require.NoError(t, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(t, err)

	// More than fits into the buffers of the sockets, so that both sides have to wait.
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	received := make([]byte, len(sent))
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := client.Write(binary.BigEndian.AppendUint32(nil, uint32(len(sent)))); err == nil {
			_, _ = client.Write(sent)
		}
	})
	var size [4]byte
	_, err = io.ReadFull(server, size[:])
	require.NoError(t, err)
	_, err = io.ReadFull(server, received)
	require.NoError(t, err)
	both.Wait()
	require.True(t, bytes.Equal(sent, received))
	both.Go(func() { _, _ = server.Write(received) })
	clear(sent)
	_, err = io.ReadFull(client, sent)
	require.NoError(t, err)
	both.Wait()
	require.True(t, bytes.Equal(sent, received))

	n, err := server.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err = server.Read(size[:])
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.NoError(t, server.SetReadDeadline(time.Time{}))

	require.NoError(t, client.Close())
	_, err = server.Read(size[:])
	require.EqualError(t, err, "EOF")
	require.NoError(t, server.Close())
	_, err = server.Read(size[:])
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = server.Write(size[:])
	require.ErrorIs(t, err, net.ErrClosed)
}

// held is a listener from which nobody is accepted before it is being shut.
type held struct {
	*net.UnixListener
	asked, shut chan struct{}
	ask, end    func()
}

func newHeld(t *testing.T, path string) *held {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	h := &held{UnixListener: l, asked: make(chan struct{}), shut: make(chan struct{})}
	h.ask, h.end = sync.OnceFunc(func() { close(h.asked) }), sync.OnceFunc(func() { close(h.shut) })
	return h
}

func (h *held) Accept() (net.Conn, error) {
	h.ask()
	<-h.shut
	return h.UnixListener.Accept()
}

func (h *held) SetDeadline(at time.Time) error {
	defer h.end()
	return h.UnixListener.SetDeadline(at)
}

func (h *held) Close() error {
	defer h.end()
	return h.UnixListener.Close()
}

func TestWhoCameBeforeAStopIsServed(t *testing.T) {
	e := NewEdge(newTestServer(t, gate(t), Options{}))
	l := newHeld(t, filepath.Join(t.TempDir(), "a.sock"))
	served := make(chan error, 1)
	go func() { served <- e.Serve(l, nil) }()
	<-l.asked
	var answers sync.WaitGroup
	errs := make(chan error, 20)
	for range cap(errs) {
		raw, err := net.Dial("unix", l.Addr().String()) //nolint:noctx // a socket of this test
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, raw.Close()) })
		answers.Go(func() {
			// A client of HTTP/2 that says its preface and settings hears the server's settings, and that it goes.
			_, err := io.WriteString(raw, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			if err == nil {
				_, err = io.ReadFull(raw, make([]byte, 9))
			}
			errs <- err
		})
	}
	stopped := make(chan struct{})
	go func() {
		e.Stop(t.Context())
		close(stopped)
	}()
	answers.Wait()
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	<-stopped
	require.NoError(t, <-served)
}
