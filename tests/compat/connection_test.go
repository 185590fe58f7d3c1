package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

// rawConn is an HTTP/2 connection whose frames the test sends and sees itself.
type rawConn struct {
	*http2.Framer
	conn     net.Conn
	settings map[http2.SettingID]uint32
}

func dialRaw(t *testing.T, s *peers.Server) *rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(callTimeout))
	io.WriteString(conn, http2.ClientPreface)
	raw := &rawConn{http2.NewFramer(conn, conn), conn, map[http2.SettingID]uint32{}}
	raw.WriteSettings()
	for {
		frame, err := raw.ReadFrame()
		if err != nil {
			t.Fatalf("%s sends no settings: %v", s.Name, err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			settings.ForeachSetting(func(setting http2.Setting) error {
				raw.settings[setting.ID] = setting.Val
				return nil
			})
			raw.WriteSettingsAck()
			return raw
		}
	}
}

// openStream begins a call and leaves it open.
func (c *rawConn) openStream(t *testing.T, id uint32, path string) {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "test"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
}

// Too frequent pings end a connection after as many of them, and with the same words.
func TestTooManyPingsAreAnsweredAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	var shown [2]string
	for i, s := range servers {
		c := dialRaw(t, s)
		acknowledged := 0
		for shown[i] == "" {
			// One at a time: each is counted before the next is sent.
			if err := c.WritePing(false, [8]byte{byte(acknowledged)}); err != nil {
				t.Fatalf("%s took %d pings: %v", s.Name, acknowledged, err)
			}
			for answered := false; !answered; {
				frame, err := c.ReadFrame()
				if err != nil {
					t.Fatalf("%s after %d pings: %v", s.Name, acknowledged, err)
				}
				switch f := frame.(type) {
				case *http2.PingFrame:
					if answered = f.IsAck(); answered {
						acknowledged++
					}
				case *http2.GoAwayFrame:
					answered = true
					shown[i] = fmt.Sprintf("%v %q", f.ErrCode, f.DebugData())
				}
			}
		}
		if acknowledged > 4 {
			t.Errorf("%s answers %d pings in a row", s.Name, acknowledged)
		}
	}
	if shown[0] != shown[1] {
		t.Errorf("%s says %s, %s says %s", servers[0].Name, shown[0], servers[1].Name, shown[1])
	}
}

// A client that a stream keeps open is pinged, and dropped if it does not answer.
func TestSilentClientsArePingedAndDroppedAlike(t *testing.T) {
	for _, s := range peers.StartBoth(t, "--grpc-keepalive-interval=1s", "--grpc-keepalive-timeout=1s") {
		c := dialRaw(t, s)
		c.openStream(t, 1, "/etcdserverpb.Watch/Watch")
		start, pinged := time.Now(), time.Duration(0)
		for {
			frame, err := c.ReadFrame()
			if err != nil {
				break
			}
			if ping, ok := frame.(*http2.PingFrame); ok && !ping.IsAck() && pinged == 0 {
				pinged = time.Since(start)
			}
		}
		dropped := time.Since(start)
		if pinged == 0 || dropped < pinged+500*time.Millisecond || dropped > 8*time.Second {
			t.Errorf("%s pinged after %v and dropped the connection after %v", s.Name, pinged, dropped)
		}
	}
}

func TestConcurrentStreamsAreLimitedAlike(t *testing.T) {
	for _, flags := range [][]string{nil, {"--max-concurrent-streams=7"}, {"--max-concurrent-streams=0"}} {
		var shown [2]string
		for i, s := range peers.StartBoth(t, flags...) {
			most, limited := dialRaw(t, s).settings[http2.SettingMaxConcurrentStreams]
			shown[i] = fmt.Sprint(most, limited)
		}
		if shown[0] != shown[1] {
			t.Errorf("%v: reference %s, kvorum %s", flags, shown[0], shown[1])
		}
	}
}

// Large metadata are no reason to refuse a call.
func TestLargeMetadataAreTakenAlike(t *testing.T) {
	for _, s := range peers.StartBoth(t) {
		ctx := metadata.AppendToOutgoingContext(withTimeout(t), "x-large", string(bytes.Repeat([]byte{'x'}, 200_000)))
		if _, err := pb.NewKVClient(s.Client(t).ActiveConnection()).Range(ctx, &pb.RangeRequest{Key: []byte("k")}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// Compressed requests are taken, and limited by what they unpack to.
func TestCompressedRequestsAreTakenAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	for _, size := range []int{1_000_000, 3_000_000} {
		var shown [2]string
		for i, s := range servers {
			kv := pb.NewKVClient(s.Client(t).ActiveConnection())
			_, err := kv.Put(withTimeout(t), &pb.PutRequest{Key: []byte("k"), Value: make([]byte, size)}, grpc.UseCompressor(gzip.Name))
			shown[i] = status.Code(err).String()
		}
		if shown[0] != shown[1] {
			t.Errorf("%d bytes: reference %s, kvorum %s", size, shown[0], shown[1])
		}
	}
}

// The answer of a defragmentation has no header.
func TestDefragmentAnswersAlike(t *testing.T) {
	var shown [2]answer
	servers := peers.StartBoth(t)
	for i, s := range servers {
		response, err := newMember(t, s).maintenance.Defragment(withTimeout(t), &pb.DefragmentRequest{})
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		shown[i].Response = response
	}
	if diff := cmp.Diff(shown[0], shown[1], protocmp.Transform()); diff != "" {
		t.Errorf("differs (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

func TestHealthServiceAnswersAlike(t *testing.T) {
	var shown [2][]answer
	servers := peers.StartBoth(t)
	for i, s := range servers {
		health := grpc_health_v1.NewHealthClient(s.Client(t).ActiveConnection())
		show := func(response proto.Message, err error) {
			a := answer{Response: response}
			if err != nil {
				a = answer{Error: status.Convert(err).String()}
			}
			shown[i] = append(shown[i], a)
		}
		for _, service := range []string{"", "etcdserverpb.KV", "nothing"} {
			response, err := health.Check(withTimeout(t), &grpc_health_v1.HealthCheckRequest{Service: service})
			show(response, err)
			ctx, cancel := context.WithCancel(withTimeout(t))
			watch, err := health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
			if err != nil {
				t.Fatal(err)
			}
			watched, err := watch.Recv()
			show(watched, err)
			cancel()
		}
		list, err := health.List(withTimeout(t), &grpc_health_v1.HealthListRequest{})
		show(list, err)
	}
	if diff := cmp.Diff(shown[0], shown[1], protocmp.Transform()); diff != "" {
		t.Errorf("differs (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

// Large responses of a watch that allows fragments are cut at the same events; of one that does
// not, they are sent whole.
func TestWatchFragmentsAreCutAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	type fragment struct {
		Events   int
		Fragment bool
		Revision int64
	}
	var shown [2][]fragment
	for i, s := range servers {
		kv := newMember(t, s)
		for n := range 30 {
			kv.do(t, &pb.PutRequest{Key: fmt.Appendf(nil, "k%d", n), Value: bytes.Repeat([]byte{'v'}, 60_000+n*777)})
		}
		kv.do(t, &pb.PutRequest{Key: []byte("k"), Value: bytes.Repeat([]byte{'v'}, 1_200_000)})
		for _, fragments := range []bool{true, false} {
			conn, err := grpc.NewClient(s.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			watch, err := pb.NewWatchClient(conn).Watch(withTimeout(t))
			if err != nil {
				t.Fatal(err)
			}
			watch.Send(watchCreate(&pb.WatchCreateRequest{Key: []byte("k"), RangeEnd: []byte("l"), StartRevision: 1, Fragment: fragments}))
			for events := 0; events < 31; {
				response, err := watch.Recv()
				if err != nil {
					t.Fatalf("%s after %d events: %v", s.Name, events, err)
				}
				events += len(response.Events)
				shown[i] = append(shown[i], fragment{len(response.Events), response.Fragment, response.Header.Revision})
			}
		}
	}
	if diff := cmp.Diff(shown[0], shown[1]); diff != "" {
		t.Errorf("differs (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

// A Unix socket serves clients; what lay in its place is removed first.
func TestUnixSocketsServeAlike(t *testing.T) {
	for _, s := range peers.StartBoth(t) {
		path := filepath.Join(t.TempDir(), "s")
		s.Stop()
		s.AddFlags("--listen-client-urls=http://" + s.Addr + ",unix://" + path)
		s.Start()
		s.Kill() // leaves the socket's file behind
		s.Start()
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + path}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Put(withTimeout(t), "k", "v"); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		over := httpOver(path)
		response, err := over.Get("http://localhost/health")
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		if response.Body.Close(); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", s.Name, response.Status)
		}
	}
}

// Who called is in the log of slow calls: of a Unix socket its name, if it has one.
func TestUnixClientsAreNamedAlike(t *testing.T) {
	var named [2][]string
	for i, s := range peers.StartBoth(t) {
		dir := t.TempDir()
		socket, log := filepath.Join(dir, "s"), filepath.Join(dir, "log")
		s.Stop()
		s.AddFlags("--listen-client-urls=http://"+s.Addr+",unix://"+socket, "--log-level=debug", "--log-outputs="+log)
		s.Start()
		for _, name := range []string{"", filepath.Join(dir, "client%20"), "@client-of-" + s.Name} {
			putFromUnix(t, socket, name)
		}
		s.Stop()
		content, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			var entry struct{ Msg, Remote string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request stats" {
				named[i] = append(named[i], strings.NewReplacer(dir, "DIR", s.Name, "NAME").Replace(entry.Remote))
			}
		}
	}
	if diff := cmp.Diff(named[0], named[1]); diff != "" || len(named[0]) != 3 {
		t.Errorf("%q (- reference, + kvorum):\n%s", named, diff)
	}
}

// putFromUnix puts a key over a Unix socket, from one that is bound to the name unless that is empty.
func putFromUnix(t *testing.T, socket, name string) {
	t.Helper()
	dialer := net.Dialer{}
	if name != "" {
		dialer.LocalAddr = &net.UnixAddr{Name: name, Net: "unix"}
	}
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", socket) }
	conn, err := grpc.NewClient("passthrough:///unix", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(dial))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := pb.NewKVClient(conn).Put(withTimeout(t), &pb.PutRequest{Key: []byte("k")}); err != nil {
		t.Errorf("from %q: %v", name, err)
	}
}

// With listeners of its own, HTTP is not among gRPC, nor gRPC among HTTP.
func TestSeparateHTTPListenersServeAlike(t *testing.T) {
	for _, s := range peers.StartBoth(t) {
		path := filepath.Join(t.TempDir(), "s")
		s.Stop()
		s.AddFlags("--listen-client-urls=unix://"+path, "--listen-client-http-urls=http://"+s.Addr)
		s.Start() // asks for /health
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + path}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Get(withTimeout(t), "k"); err != nil {
			t.Errorf("%s: gRPC: %v", s.Name, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := s.Client(t).Get(ctx, "k"); err == nil {
			t.Errorf("%s answers gRPC among HTTP", s.Name)
		}
		if response, err := httpOver(path).Get("http://localhost/health"); err == nil {
			t.Errorf("%s answers HTTP among gRPC: %s", s.Name, response.Status)
		}
	}
}

func httpOver(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", socket)
	}}}
}
