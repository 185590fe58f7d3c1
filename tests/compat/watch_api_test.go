package compat

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

func watchCreate(r *pb.WatchCreateRequest) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}}
}

func watchCancel(id int64) *pb.WatchRequest {
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: id}}}
}

var watchProgress = &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}

// One turn of a conversation: something is sent on the stream or done to the store, then so many
// answers are due.
type turn struct {
	send *pb.WatchRequest
	do   proto.Message
	due  int
}

// The same conversation on one watch stream gets the same answers, field by field.
func TestWatchStreamsAnswerAlike(t *testing.T) {
	k := []byte("k")
	put := func(key, value string) proto.Message {
		return &pb.PutRequest{Key: []byte(key), Value: []byte(value)}
	}
	before := []proto.Message{put("k", "1"), put("k", "2"), put("k", "3"), put("k2", "x"), put("k", "4"), &pb.CompactionRequest{Revision: 4}}

	for name, turns := range map[string][]turn{
		"now": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1}, {do: put("k", "5"), due: 1}, {do: put("other", "5")},
			{do: put("k", "6"), due: 1}, {send: watchCancel(0), due: 1}, {do: put("k", "7")},
			{send: watchProgress}, {send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1},
		},
		"past": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, RangeEnd: []byte("l"), StartRevision: 5, PrevKv: true}), due: 2},
			{do: put("k", "5"), due: 1}, {send: watchProgress, due: 1},
		},
		"compacted": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, StartRevision: 2}), due: 2},
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, StartRevision: 4}), due: 2},
		},
		"future": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, StartRevision: 9}), due: 1},
			{do: put("k", "7")}, {do: put("k", "8")}, {do: put("k", "9"), due: 1},
		},
		"filters": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NOPUT}}), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: []byte("d"), Filters: []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NODELETE}}), due: 1},
			{do: put("k", "5")}, {do: &pb.DeleteRangeRequest{Key: k}, due: 1}, {do: put("d", "1"), due: 1}, {do: &pb.DeleteRangeRequest{Key: []byte("d")}},
			{send: watchProgress, due: 1},
		},
		"ids": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, WatchId: 7}), due: 1}, {send: watchCreate(&pb.WatchCreateRequest{Key: k, WatchId: 7}), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1}, {send: watchCreate(&pb.WatchCreateRequest{Key: k, WatchId: 1}), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1}, {send: watchCancel(99)}, {send: watchCancel(7), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: k, WatchId: 7}), due: 1}, {send: watchCreate(&pb.WatchCreateRequest{Key: k, WatchId: -5}), due: 1},
		},
		"ranges": {
			{send: watchCreate(&pb.WatchCreateRequest{}), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: []byte("z"), RangeEnd: []byte("a")}), due: 1},
			{send: watchCreate(&pb.WatchCreateRequest{Key: []byte("m"), RangeEnd: []byte{0}}), due: 1},
			{do: put("k", "5")}, {do: put("q", "5"), due: 1},
		},
		"transaction": {
			{send: watchCreate(&pb.WatchCreateRequest{Key: []byte("a"), RangeEnd: []byte("z"), PrevKv: true}), due: 1},
			{do: &pb.TxnRequest{Success: []*pb.RequestOp{putOp("k"), putOp("b"), deleteOp("k2", ""), putOp("c")}}, due: 1},
			{do: &pb.DeleteRangeRequest{Key: []byte("a"), RangeEnd: []byte("z")}, due: 1},
			{do: &pb.TxnRequest{Success: []*pb.RequestOp{deleteOp("k2", "")}}}, {send: watchProgress, due: 1},
		},
		"progress without watches": {{send: watchProgress}, {send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1}, {send: watchProgress, due: 1}},
		"nothing in the request":   {{send: &pb.WatchRequest{}}, {send: watchCreate(&pb.WatchCreateRequest{Key: k}), due: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var heard [2][]*pb.WatchResponse
			servers := peers.StartBoth(t)
			for i, s := range servers {
				m := newMember(t, s)
				for _, request := range before {
					m.do(t, request)
				}
				heard[i] = converse(t, m, turns)
			}
			if diff := cmp.Diff(heard[0], heard[1], protocmp.Transform()); diff != "" {
				t.Errorf("answers differ (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
			}
		})
	}
}

// converse takes the turns in order and returns all answers. An answer that is not due shows in the
// place of the next one that is.
func converse(t *testing.T, m member, turns []turn) (heard []*pb.WatchResponse) {
	t.Helper()
	stream, err := pb.NewWatchClient(m.Client(t).ActiveConnection()).Watch(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, turn := range turns {
		if turn.send != nil {
			if err := stream.Send(turn.send); err != nil {
				t.Fatalf("%s: turn %d: %v", m.Name, i, err)
			}
		}
		if turn.do != nil {
			if a := m.do(t, turn.do); a.Error != "" {
				t.Fatalf("%s: turn %d: %s", m.Name, i, a.Error)
			}
		}
		for range turn.due {
			response, err := stream.Recv()
			if err != nil {
				t.Fatalf("%s: turn %d: %v; heard so far:\n%s", m.Name, i, err, listed(heard))
			}
			heard = append(heard, response)
		}
	}
	return heard
}

func listed(responses []*pb.WatchResponse) (text string) {
	for _, r := range responses {
		text += fmt.Sprintln(r)
	}
	return text
}
