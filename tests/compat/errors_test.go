package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

func putOp(key string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key)}}}
}

func deleteOp(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}}
}

func rangeOp(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func txnOp(t *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: t}}
}

func repeated(n int, op func(i int) *pb.RequestOp) (ops []*pb.RequestOp) {
	for i := range n {
		ops = append(ops, op(i))
	}
	return ops
}

// Requests that are refused, or only just not, get the same code, text and answer.
func TestBadRequestsAreAnsweredAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	members := [2]member{newMember(t, servers[0]), newMember(t, servers[1])}
	k, big := []byte("k"), bytes.Repeat([]byte{'v'}, 2<<20)
	numbered := func(i int) *pb.RequestOp { return putOp(fmt.Sprint("n", i)) }
	ranges := func(int) *pb.RequestOp { return rangeOp(&pb.RangeRequest{Key: k}) }

	for i, request := range []proto.Message{
		&pb.PutRequest{Key: k, Value: []byte("1")}, &pb.PutRequest{Key: k, Value: []byte("2")},
		&pb.PutRequest{Key: k, Value: []byte("3")}, &pb.PutRequest{Key: k, Value: []byte("4")},
		&pb.CompactionRequest{Revision: 3},

		&pb.RangeRequest{}, &pb.RangeRequest{RangeEnd: []byte("z")},
		&pb.RangeRequest{Key: k, SortOrder: 7}, &pb.RangeRequest{Key: k, SortTarget: 9},
		&pb.RangeRequest{Key: k, Revision: 2}, &pb.RangeRequest{Key: k, Revision: 3},
		&pb.RangeRequest{Key: k, Revision: 999}, &pb.RangeRequest{Key: k, Revision: -3},
		&pb.RangeRequest{Key: []byte("z"), RangeEnd: []byte("a")}, &pb.RangeRequest{Key: k, Limit: -1},
		&pb.RangeRequest{Key: k, CountOnly: true, KeysOnly: true},

		&pb.PutRequest{}, &pb.PutRequest{Value: []byte("v")}, &pb.PutRequest{Key: k, Lease: 5},
		&pb.PutRequest{Key: k, Value: []byte("v"), IgnoreValue: true},
		&pb.PutRequest{Key: k, Lease: 5, IgnoreLease: true},
		&pb.PutRequest{Key: []byte("absent"), IgnoreValue: true}, &pb.PutRequest{Key: []byte("absent"), IgnoreLease: true},
		&pb.PutRequest{Key: k, Lease: -1},
		&pb.PutRequest{Key: k, Value: big}, &pb.PutRequest{Key: k, Value: big[:1536*1024]},
		&pb.PutRequest{Key: k, Value: big[:1536*1024-100]}, &pb.PutRequest{Key: k, Value: big[:1536*1024-6]},
		&pb.PutRequest{Key: big[:1000*1000]},

		&pb.DeleteRangeRequest{}, &pb.DeleteRangeRequest{Key: []byte("z"), RangeEnd: []byte("a")},

		&pb.TxnRequest{}, &pb.TxnRequest{Success: []*pb.RequestOp{{}}},
		&pb.TxnRequest{Compare: []*pb.Compare{{}}}, &pb.TxnRequest{Compare: []*pb.Compare{{Key: k}}},
		&pb.TxnRequest{Compare: []*pb.Compare{{Key: k, Result: 9, Target: 9}}},
		&pb.TxnRequest{Success: repeated(128, numbered)}, &pb.TxnRequest{Success: repeated(129, numbered)},
		&pb.TxnRequest{Failure: repeated(129, numbered)}, &pb.TxnRequest{Success: repeated(129, ranges)},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a"), putOp("a")}},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a")}, Failure: []*pb.RequestOp{putOp("a")}},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("b"), deleteOp("a", "c")}},
		&pb.TxnRequest{Success: []*pb.RequestOp{deleteOp("a", "c"), putOp("c")}},
		&pb.TxnRequest{Success: []*pb.RequestOp{deleteOp("a", "c"), deleteOp("b", "d")}},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a"), txnOp(&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a")}})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{
			Success: []*pb.RequestOp{putOp("a")}, Failure: []*pb.RequestOp{putOp("a")}})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{Success: repeated(127, numbered)})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{Success: repeated(128, numbered)})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{txnOp(&pb.TxnRequest{Compare: []*pb.Compare{{}}})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{rangeOp(&pb.RangeRequest{Key: k, Revision: 2})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a"), rangeOp(&pb.RangeRequest{Key: k, Revision: 2})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{putOp("a"), rangeOp(&pb.RangeRequest{Key: k, Revision: 999})}},
		&pb.TxnRequest{Success: []*pb.RequestOp{rangeOp(&pb.RangeRequest{Key: k, SortOrder: 5})}},
		&pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("z"), KeysOnly: true},

		&pb.CompactionRequest{}, &pb.CompactionRequest{Revision: 3}, &pb.CompactionRequest{Revision: 999},
		&pb.CompactionRequest{Revision: -1}, &pb.CompactionRequest{Revision: 2, Physical: true},
		&pb.HashKVRequest{Revision: 2}, &pb.HashKVRequest{Revision: 999}, &pb.HashKVRequest{Revision: -3},

		&pb.LeaseGrantRequest{ID: 9, TTL: 600}, &pb.LeaseGrantRequest{ID: 9, TTL: 600},
		&pb.LeaseGrantRequest{ID: 10}, &pb.LeaseGrantRequest{ID: 11, TTL: -1},
		&pb.LeaseGrantRequest{ID: 12, TTL: 9000000000}, &pb.LeaseGrantRequest{ID: 13, TTL: 9000000001},
		&pb.LeaseGrantRequest{ID: -14, TTL: 600}, &pb.LeaseRevokeRequest{ID: 99}, &pb.LeaseRevokeRequest{},
		&pb.LeaseTimeToLiveRequest{ID: 99}, &pb.LeaseTimeToLiveRequest{},
	} {
		want, got := members[0].do(t, request), members[1].do(t, request)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			text := fmt.Sprintf("%v", request)
			t.Errorf("request %d, %T{%.300s}, differs (- %s, + %s):\n%s", i, request, text, servers[0].Name, servers[1].Name, diff)
		}
	}
}

// What gRPC itself refuses.
func TestUnknownMethodsAreAnsweredAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	for _, method := range []string{"/etcdserverpb.KV/Nothing", "/etcdserverpb.Nothing/Range", "/nothing/x"} {
		var said [2]string
		for i, s := range servers {
			err := s.Client(t).ActiveConnection().Invoke(withTimeout(t), method, &pb.RangeRequest{}, &pb.RangeResponse{})
			said[i] = status.Convert(err).String()
		}
		if said[0] != said[1] {
			t.Errorf("%s: %s says %q, %s says %q", method, servers[0].Name, said[0], servers[1].Name, said[1])
		}
	}
}

// RangeStream cuts a list into the same messages, for small rows, large ones, and both mixed; and
// refuses the same requests.
func TestRangeStreamAnswersAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	members := [2]member{newMember(t, servers[0]), newMember(t, servers[1])}
	fill := func(prefix string, keys, valueBytes int) {
		for i := range keys {
			for _, m := range members {
				m.do(t, &pb.PutRequest{Key: fmt.Appendf(nil, "%s%03d", prefix, i), Value: bytes.Repeat([]byte{'v'}, valueBytes)})
			}
		}
	}
	fill("k", 60, 1)
	fill("m", 70, 30_000)
	fill("n", 12, 700_000)
	fill("o", 200, 50)
	k, end, top := []byte("k"), []byte("l"), []byte("z")
	for _, r := range []*pb.RangeRequest{
		{Key: k, RangeEnd: end}, {Key: k, RangeEnd: end, Limit: 25}, {Key: k, RangeEnd: end, CountOnly: true},
		{Key: k, RangeEnd: end, Limit: 1}, {Key: k, RangeEnd: end, Limit: 10}, {Key: k, RangeEnd: end, Limit: 60},
		{Key: k, RangeEnd: end, Limit: 61}, {Key: k, RangeEnd: end, Limit: 25, CountOnly: true},
		{Key: k, RangeEnd: end, KeysOnly: true}, {Key: []byte("none")}, {Key: []byte("k007")},
		{Key: k, RangeEnd: end, Revision: 20}, {Key: k, RangeEnd: end, Revision: 20, Limit: 12}, {Key: k, RangeEnd: end, Revision: 900}, {},
		{Key: k, RangeEnd: end, SortOrder: pb.RangeRequest_DESCEND}, {Key: k, RangeEnd: end, SortTarget: pb.RangeRequest_MOD, SortOrder: pb.RangeRequest_ASCEND},
		{Key: k, RangeEnd: end, MinModRevision: 3}, {Key: k, RangeEnd: end, SortOrder: pb.RangeRequest_ASCEND},
		{Key: k, RangeEnd: end, SortOrder: 7}, {Key: k, RangeEnd: end, SortOrder: pb.RangeRequest_DESCEND, MaxCreateRevision: 9},
		{Key: []byte("m"), RangeEnd: []byte("n")}, {Key: []byte("n"), RangeEnd: []byte("o")},
		{Key: []byte{0}, RangeEnd: []byte{0}}, {Key: k, RangeEnd: top, Limit: 140}, {Key: k, RangeEnd: top, Serializable: true},
		{Key: top, RangeEnd: k}, {Key: k, RangeEnd: top, KeysOnly: true},
	} {
		var shown [2][]answer
		for i, m := range members {
			shown[i] = rangeStream(t, m, r)
		}
		if diff := cmp.Diff(shown[0], shown[1], protocmp.Transform()); diff != "" {
			t.Errorf("RangeStream %v differs (- %s, + %s):\n%.3000s", r, servers[0].Name, servers[1].Name, diff)
		}
	}
	for i, m := range members {
		m.do(t, &pb.CompactionRequest{Revision: 30})
		if got := rangeStream(t, m, &pb.RangeRequest{Key: k, RangeEnd: end, Revision: 20}); !strings.Contains(got[0].Error, "has been compacted") {
			t.Errorf("%s reads a compacted revision: %v", servers[i].Name, got)
		}
	}
}

func rangeStream(t *testing.T, m member, r *pb.RangeRequest) (all []answer) {
	t.Helper()
	stream, err := m.kv.RangeStream(withTimeout(t), r)
	if err != nil {
		t.Fatal(err)
	}
	for {
		piece, err := stream.Recv()
		if err == io.EOF {
			return all
		}
		if err != nil {
			return append(all, answer{Error: status.Convert(err).String()})
		}
		all = append(all, answer{Response: piece})
	}
}

// The two HTTP pages this server has answer like the original's.
func TestHTTPPagesAnswerAlike(t *testing.T) {
	servers := peers.StartBoth(t)
	for _, c := range []struct{ method, path string }{
		{"GET", "/version"}, {"GET", "/health"}, {"GET", "/health?serializable=true"}, {"GET", "/health?exclude=NOSPACE"},
		{"POST", "/version"}, {"PUT", "/health"}, {"GET", "/nothing"},
	} {
		var shown [2]string
		for i, s := range servers {
			shown[i] = fetch(t, s, c.method, c.path)
		}
		if shown[0] != shown[1] {
			t.Errorf("%s %s: %s says %q, %s says %q", c.method, c.path, servers[0].Name, shown[0], servers[1].Name, shown[1])
		}
	}
}

func fetch(t *testing.T, s *peers.Server, method, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(withTimeout(t), method, "http://"+s.Addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s %s", response.Status, response.Header.Get("Content-Type"), response.Header.Get("Allow"), body)
}

// Bytes that are no request, and clients that vanish, leave the server in service.
func TestGarbageOnThePortLeavesTheServerAlive(t *testing.T) {
	s := peers.StartKvorum(t)
	for _, garbage := range []string{
		"\x00", "garbage\r\n\r\n", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\xff\xff\x04\x00\x00\x00\x00\x00",
		strings.Repeat("A", 1<<16),
	} {
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, garbage)
		conn.Close()
	}
	// A watch whose client goes in mid-stream.
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		client := s.Client(t)
		watch, err := pb.NewWatchClient(client.ActiveConnection()).Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := watch.Send(watchCreate(&pb.WatchCreateRequest{Key: []byte("k"), PrevKv: true})); err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		client.Close()
		cancel()
	}
	mustCtl(t, s, "put k v")
	mustCtl(t, s, "get k")
}

// Start-up is refused with the original's words and exit code.
func TestBadFlagsAreRefusedAlike(t *testing.T) {
	for _, flags := range [][]string{
		{"--nonsense"}, {"--listen-client-urls=bad"}, {"--listen-client-urls=http://127.0.0.1:x"}, {"positional"},
		{"--heartbeat-interval=abc"}, {"--quota-backend-bytes=x"}, {"--initial-cluster-state=maybe"},
		{"--initial-cluster=foo=http://127.0.0.1:20380", "--name=bar"}, {"--heartbeat-interval=100", "--election-timeout=200"},
		{"--listen-client-urls=http://127.0.0.1:20399"}, {"--listen-peer-urls=ftp://127.0.0.1:20380"},
		{"--election-timeout=60000", "--heartbeat-interval=100"}, {"--advertise-client-urls=http://"},
	} {
		t.Run(strings.ReplaceAll(strings.Join(flags, " "), "/", "|"), func(t *testing.T) {
			want := refusal(t, peers.Tool(t, "etcd"), flags)
			got := refusal(t, peers.Kvorum(t), flags)
			// We may say in front of an error where it happened.
			for i := range min(len(want.Said), len(got.Said)) {
				if strings.HasSuffix(got.Said[i], ": "+want.Said[i]) {
					got.Said[i] = want.Said[i]
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs (- reference, + kvorum):\n%s", diff)
			}
		})
	}
}

type refusalShown struct {
	Status int
	Said   []string // the first line, or what the log gives as errors
}

func refusal(t *testing.T, binary string, flags []string) refusalShown {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(flags, "--data-dir="+filepath.Join(t.TempDir(), "data"))...)
	cmd.Env = []string{}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v starts", binary, flags)
	}
	shown := refusalShown{Status: cmd.ProcessState.ExitCode()}
	for line := range strings.Lines(stderr.String()) {
		var entry struct{ Level, Msg, Error string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			shown.Said = append(shown.Said, strings.TrimSpace(line))
			break
		}
		if entry.Error != "" && !slices.Contains(shown.Said, entry.Error) {
			shown.Said = append(shown.Said, entry.Error)
		}
	}
	return shown
}
