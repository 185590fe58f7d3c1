package compat

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

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
