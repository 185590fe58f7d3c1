package differential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"kvorum/tests/compat/peers"
)

// stoppers end the process of the reference; but for the alarms without a name, which it keeps, and
// which no check of its own ever looks for.
func stoppers() (steps []call) {
	const unnamed = 3
	for _, action := range []pb.AlarmRequest_AlarmAction{unnamed, 99, -1, math.MaxInt32, math.MinInt32} {
		for _, kind := range []pb.AlarmType{pb.AlarmType_NONE, pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT, unnamed} {
			steps = append(steps, alarmCall(action, 1, kind))
		}
	}
	for _, kind := range []pb.AlarmType{unnamed, -1, math.MaxInt32} {
		steps = append(steps, alarmCall(pb.AlarmRequest_ACTIVATE, 1, kind))
	}
	keepValue := putOp(&pb.PutRequest{Key: []byte("b"), IgnoreValue: true})
	keepLease := putOp(&pb.PutRequest{Key: []byte("b"), Value: []byte("new"), IgnoreLease: true})
	other := putOp(&pb.PutRequest{Key: []byte("0"), Value: []byte("new")})
	for _, keep := range []*pb.RequestOp{keepValue, keepLease} {
		steps = append(steps,
			txnOf(deleteFrom("a"), keep), txnOf(deleteFrom("b"), keep), txnOf(deleteFrom("\x00"), keep),
			txnOf(other, deleteFrom("a"), keep), txnOf(nested(deleteFrom("a")), keep),
			txnOf(deleteFrom("a"), nested(keep)), txnOf(nested(deleteFrom("a")), nested(nested(keep))),
			txnOf(nested(deleteFrom("c"), nested(deleteFrom("a"), nested(keep)))))
	}
	return steps
}

// gatewayPaths are those of the stoppers' methods.
var gatewayPaths = map[string]string{
	"etcdserverpb.KV/Txn": "/v3/kv/txn", "etcdserverpb.Maintenance/Alarm": "/v3/maintenance/alarm",
}

// overGateway sends the call's request as JSON, and renders a refusal as the call itself does.
func overGateway(t *testing.T, c call, m *member) string {
	t.Helper()
	body, err := protojson.Marshal(c.request)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post("http://"+m.Addr+gatewayPaths[c.method], "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var refusal struct {
		Code    codes.Code
		Message string
	}
	if err := json.NewDecoder(response.Body).Decode(&refusal); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v: %s", refusal.Code, refusal.Message)
}

// What stops the reference is refused, whichever way it comes: InvalidArgument, nothing applied, and the server lives.
func TestRequestsThatStopTheReferenceAreRefused(t *testing.T) {
	if originalUnderTest(t) {
		t.Skip("the original is under test")
	}
	m := connect(t, peers.StartKvorum(t, commonFlags...))
	defer m.close()
	for _, key := range []string{"a", "b", "c"} {
		put := call{method: "etcdserverpb.KV/Put", request: &pb.PutRequest{Key: []byte(key), Value: []byte("old")}}
		if a := perform(put, m); a.Error != "" {
			t.Fatalf("%v: %v", put, a)
		}
	}
	before := contents(t, m)
	for _, s := range stoppers() {
		if a := perform(s, m); !strings.HasPrefix(a.Error, "InvalidArgument: etcdserver: ") {
			t.Errorf("%v is answered %v", s, a)
		} else if text := overGateway(t, s, m); text != a.Error {
			t.Errorf("%v is answered %v by the gateway, and %v else", s, text, a)
		}
		if now := contents(t, m); now != before {
			t.Fatalf("%v is refused and changes\n%s\nto\n%s", s, before, now)
		}
	}
	m.Stop() // fails the test if the process is gone
	m.Start()
	if now := contents(t, m); now != before {
		t.Errorf("started again, it has\n%s\ninstead of\n%s", now, before)
	}
}

// contents is all the requests above could change: revision, rows, their hash, alarms.
func contents(t *testing.T, m *member) string {
	t.Helper()
	var shown []string
	for _, s := range []step{
		call{method: "etcdserverpb.KV/Range", request: &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}},
		call{method: "etcdserverpb.Maintenance/HashKV", request: &pb.HashKVRequest{}},
		alarmCall(pb.AlarmRequest_GET, 0, pb.AlarmType_NONE),
	} {
		a := perform(s, m)
		if a.Error != "" {
			t.Fatalf("%v: %v", s, a)
		}
		for _, message := range a.Messages {
			message.(interface{ GetHeader() *pb.ResponseHeader }).GetHeader().RaftTerm = 0
		}
		shown = append(shown, a.String())
	}
	return strings.Join(shown, "\n")
}
