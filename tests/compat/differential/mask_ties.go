package differential

import (
	"bytes"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// maskTies puts pairs that a sort takes for equal into the order of their keys. Where a limit cuts
// through such a group, which of them are left is anybody's choice: then they all look alike.
func maskTies(request *pb.RangeRequest, response *pb.RangeResponse) {
	if request.GetSortTarget() == pb.RangeRequest_KEY || response == nil {
		return
	}
	kvs := response.Kvs
	for first := 0; first < len(kvs); {
		last := first + 1
		for last < len(kvs) && tied(request.SortTarget, kvs[first], kvs[last]) {
			last++
		}
		group := kvs[first:last]
		slices.SortFunc(group, func(a, b *mvccpb.KeyValue) int { return bytes.Compare(a.Key, b.Key) })
		if last == len(kvs) && response.More {
			for i := range group {
				group[i] = &mvccpb.KeyValue{Version: sortedBy(request.SortTarget, group[i])}
			}
		}
		first = last
	}
}

func tied(target pb.RangeRequest_SortTarget, a, b *mvccpb.KeyValue) bool {
	if target == pb.RangeRequest_VALUE {
		return bytes.Equal(a.Value, b.Value)
	}
	return sortedBy(target, a) == sortedBy(target, b)
}

// sortedBy returns the number a pair is sorted by, if it is a number.
func sortedBy(target pb.RangeRequest_SortTarget, kv *mvccpb.KeyValue) int64 {
	switch target {
	case pb.RangeRequest_VERSION:
		return kv.Version
	case pb.RangeRequest_CREATE:
		return kv.CreateRevision
	case pb.RangeRequest_MOD:
		return kv.ModRevision
	}
	return 0
}
