package differential

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// callOf sends a request to the method that takes its like.
func callOf(request proto.Message) call {
	name := strings.TrimSuffix(string(request.ProtoReflect().Descriptor().Name()), "Request")
	service := map[string]string{
		"Range": "KV", "Put": "KV", "DeleteRange": "KV", "Txn": "KV", "Compaction": "KV",
		"LeaseGrant": "Lease", "LeaseRevoke": "Lease", "LeaseTimeToLive": "Lease",
		"HashKV": "Maintenance",
	}[name]
	if name == "Compaction" {
		name = "Compact"
	}
	return call{method: "etcdserverpb." + service + "/" + name, request: request}
}

func put(key, value string) proto.Message {
	return &pb.PutRequest{Key: []byte(key), Value: []byte(value)}
}

// boundaryRequests are refused, or only just not. Chance meets some of them rarely.
func boundaryRequests() []proto.Message {
	k, big := []byte("k"), bytes.Repeat([]byte{'v'}, 2<<20)
	numbered := func(i int) *pb.RequestOp { return putOp(&pb.PutRequest{Key: fmt.Append(nil, "n", i)}) }
	ranges := func(int) *pb.RequestOp { return rangeOp(&pb.RangeRequest{Key: k}) }
	a := putOp(&pb.PutRequest{Key: []byte("a")})
	keepA := putOp(&pb.PutRequest{Key: []byte("a"), IgnoreValue: true})
	return []proto.Message{
		put("k", "1"), put("k", "2"), put("k", "3"), put("k", "4"), &pb.CompactionRequest{Revision: 3},

		&pb.RangeRequest{}, &pb.RangeRequest{RangeEnd: []byte("z")},
		&pb.RangeRequest{Key: k, SortOrder: 7}, &pb.RangeRequest{Key: k, SortTarget: 9},
		&pb.RangeRequest{Key: k, Revision: 2}, &pb.RangeRequest{Key: k, Revision: 3},
		&pb.RangeRequest{Key: k, Revision: 999}, &pb.RangeRequest{Key: k, Revision: -3},
		&pb.RangeRequest{Key: []byte("z"), RangeEnd: []byte("a")}, &pb.RangeRequest{Key: k, Limit: -1},
		&pb.RangeRequest{Key: k, CountOnly: true, KeysOnly: true},

		&pb.PutRequest{}, &pb.PutRequest{Value: []byte("v")}, &pb.PutRequest{Key: k, Lease: 5},
		&pb.PutRequest{Key: k, Value: []byte("v"), IgnoreValue: true},
		&pb.PutRequest{Key: k, Lease: 5, IgnoreLease: true}, &pb.PutRequest{Key: k, Lease: -1},
		&pb.PutRequest{Key: []byte("absent"), IgnoreValue: true},
		&pb.PutRequest{Key: []byte("absent"), IgnoreLease: true},
		&pb.PutRequest{Key: k, Value: big}, &pb.PutRequest{Key: k, Value: big[:1536<<10]},
		&pb.PutRequest{Key: k, Value: big[:1536<<10-100]}, &pb.PutRequest{Key: k, Value: big[:1536<<10-6]},
		&pb.PutRequest{Key: big[:1000*1000]},

		&pb.DeleteRangeRequest{}, &pb.DeleteRangeRequest{Key: []byte("z"), RangeEnd: []byte("a")},

		&pb.TxnRequest{}, &pb.TxnRequest{Success: []*pb.RequestOp{{}}},
		&pb.TxnRequest{Compare: []*pb.Compare{{}}}, &pb.TxnRequest{Compare: []*pb.Compare{{Key: k}}},
		&pb.TxnRequest{Compare: []*pb.Compare{{Key: k, Result: 9, Target: 9}}},
		&pb.TxnRequest{Success: repeated(128, numbered)}, &pb.TxnRequest{Success: repeated(129, numbered)},
		&pb.TxnRequest{Failure: repeated(129, numbered)}, &pb.TxnRequest{Success: repeated(129, ranges)},
		txnOf(nested(repeated(127, numbered)...)).request, txnOf(nested(repeated(128, numbered)...)).request,
		txnOf(txnOp(&pb.TxnRequest{Compare: []*pb.Compare{{}}})).request,

		txnOf(a, a).request, txnOf(a, nested(a)).request, txnOf(deleteOp("a", "c"), deleteOp("b", "d")).request,
		&pb.TxnRequest{Success: []*pb.RequestOp{a}, Failure: []*pb.RequestOp{a}},
		txnOf(txnOp(&pb.TxnRequest{Success: []*pb.RequestOp{a}, Failure: []*pb.RequestOp{a}})).request,
		txnOf(a, deleteOp("0", "c")).request, txnOf(deleteOp("0", "a"), a).request,
		txnOf(deleteOp("a", "0"), a).request, txnOf(nested(deleteOp("a", "a")), a).request,
		txnOf(deleteFrom("a"), a).request, txnOf(nested(deleteFrom("0")), a).request,
		txnOf(keepA, deleteFrom("a")).request, put("a", "1"), txnOf(keepA, deleteFrom("a")).request,
		txnOf(deleteFrom("b"), keepA).request, put("a", "1"), txnOf(deleteFrom("b"), keepA).request,

		txnOf(rangeOp(&pb.RangeRequest{Key: k, Revision: 2})).request,
		txnOf(a, rangeOp(&pb.RangeRequest{Key: k, Revision: 2})).request,
		txnOf(a, rangeOp(&pb.RangeRequest{Key: k, Revision: 999})).request,
		txnOf(rangeOp(&pb.RangeRequest{Key: k, SortOrder: 5})).request,
		&pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("z"), KeysOnly: true},

		&pb.CompactionRequest{}, &pb.CompactionRequest{Revision: 3}, &pb.CompactionRequest{Revision: 999},
		&pb.CompactionRequest{Revision: -1}, &pb.CompactionRequest{Revision: 2, Physical: true},
		&pb.HashKVRequest{Revision: 2}, &pb.HashKVRequest{Revision: 999}, &pb.HashKVRequest{Revision: -3},

		&pb.LeaseGrantRequest{ID: 9, TTL: 600}, &pb.LeaseGrantRequest{ID: 9, TTL: 600},
		&pb.LeaseGrantRequest{ID: 10}, &pb.LeaseGrantRequest{ID: 11, TTL: -1},
		&pb.LeaseGrantRequest{ID: 12, TTL: 9000000000}, &pb.LeaseGrantRequest{ID: 13, TTL: 9000000001},
		&pb.LeaseGrantRequest{ID: -14, TTL: 600}, &pb.LeaseRevokeRequest{ID: 99}, &pb.LeaseRevokeRequest{},
		&pb.LeaseTimeToLiveRequest{ID: 99}, &pb.LeaseTimeToLiveRequest{},
	}
}

// Requests at every boundary get the same code, text and answer.
func TestRequestsAtBoundariesAreAnsweredAlike(t *testing.T) {
	p := startPair(t, plain)
	defer p.end()
	for i, request := range boundaryRequests() {
		s := callOf(request)
		if want, got := p.do(s); !equal(want, got) {
			t.Errorf("request %d, %v, differs (- reference, + kvorum):\n%s", i, s, describe(want, got))
		}
	}
}
