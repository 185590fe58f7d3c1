package compat

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"kvorum/tests/compat/peers"
)

// A list is longer than what is read of it at once. It shows one revision all the same, while its
// first and its last key change together all the time and every revision but the newest is compacted.
func TestLongListsShowOneRevision(t *testing.T) {
	const keys = 3000
	m := newMember(t, peers.StartKvorum(t))
	key := func(i int) []byte { return fmt.Appendf(nil, "k%05d", i) }
	for first := 0; first < keys; first += 100 {
		txn := &pb.TxnRequest{}
		for i := first; i < first+100; i++ {
			txn.Success = append(txn.Success, putOp(string(key(i))))
		}
		m.do(t, txn)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			value := fmt.Append(nil, n)
			both := &pb.TxnRequest{}
			for _, i := range []int{0, keys - 1} {
				both.Success = append(both.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{
					RequestPut: &pb.PutRequest{Key: key(i), Value: value}}})
			}
			if done, err := m.kv.Txn(ctx, both); err == nil && n%5 == 0 {
				m.kv.Compact(ctx, &pb.CompactionRequest{Revision: done.Header.Revision})
			}
		}
	})

	check := func(how string, list *pb.RangeResponse) {
		if len(list.Kvs) != keys || list.Count != keys || list.More {
			t.Fatalf("%s: %d rows, count %d, more %v", how, len(list.Kvs), list.Count, list.More)
		}
		if first, last := string(list.Kvs[0].Value), string(list.Kvs[keys-1].Value); first != last {
			t.Fatalf("%s at revision %d: first says %s, last says %s", how, list.Header.Revision, first, last)
		}
		if newest := slices.MaxFunc(list.Kvs, byRevision); newest.ModRevision > list.Header.Revision {
			t.Fatalf("%s at revision %d holds revision %d", how, list.Header.Revision, newest.ModRevision)
		}
	}
	all := &pb.RangeRequest{Key: []byte("k"), RangeEnd: []byte("l")}
	unary, streamed, overtaken := 0, 0, 0
	for ctx.Err() == nil {
		list, err := m.kv.Range(withTimeout(t), all)
		if err != nil {
			t.Fatal(err) // not even when a compaction overtook it
		}
		check("Range", list)
		unary++
		switch list, err := joined(m.kv.RangeStream(withTimeout(t), all)); {
		case status.Code(err) == codes.OutOfRange:
			overtaken++ // as the original's may be
		case err != nil:
			t.Fatal(err)
		default:
			check("RangeStream", list)
			streamed++
		}
	}
	writer.Wait()
	t.Logf("%d lists, %d streamed, %d streams overtaken by a compaction", unary, streamed, overtaken)
	if unary < 10 || streamed == 0 {
		t.Errorf("too few lists to tell")
	}
}

func byRevision(a, b *mvccpb.KeyValue) int { return cmp.Compare(a.ModRevision, b.ModRevision) }

func joined(stream pb.KV_RangeStreamClient, err error) (*pb.RangeResponse, error) {
	all := &pb.RangeResponse{}
	for err == nil {
		var piece *pb.RangeStreamResponse
		if piece, err = stream.Recv(); err == nil {
			proto.Merge(all, piece.RangeResponse)
		}
	}
	if err == io.EOF {
		return all, nil
	}
	return nil, err
}
