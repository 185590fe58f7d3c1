package differential

import (
	"math"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Nested no deeper than this.
const deepestTxn = 3

// txn makes up one transaction.
type txn struct {
	*generator
	// A put that keeps the value or the lease of a key stops the reference if everything from some key
	// on was deleted before, in the same transaction: afterwards none does.
	deletedFrom *bool
	readOnly    bool
}

func (g *generator) transaction() step {
	t := txn{generator: g, deletedFrom: new(bool), readOnly: g.chance(5)}
	request := t.request(0)
	if g.chance(100) {
		request = t.long()
	}
	return g.call(call{method: "etcdserverpb.KV/Txn", request: request})
}

func (t txn) request(depth int) *pb.TxnRequest {
	r := &pb.TxnRequest{}
	for range t.IntN(3) {
		r.Compare = append(r.Compare, t.compare())
	}
	r.Success, r.Failure = t.ops(depth), t.ops(depth)
	return r
}

func (t txn) ops(depth int) (ops []*pb.RequestOp) {
	for range t.IntN(4) {
		ops = append(ops, t.op(depth))
	}
	return ops
}

func (t txn) op(depth int) *pb.RequestOp {
	switch n := t.IntN(40); {
	case n == 0 && t.chance(4):
		return &pb.RequestOp{}
	case n < 16 && !t.readOnly:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: t.putRequest(!*t.deletedFrom)}}
	case n < 24 && !t.readOnly:
		r := t.deleteRequest()
		*t.deletedFrom = *t.deletedFrom || isFromKey(r.RangeEnd)
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: r}}
	case n < 30 && depth < deepestTxn && !t.readOnly:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: t.request(depth + 1)}}
	}
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: t.rangeRequest()}}
}

func (t txn) compare() *pb.Compare {
	c := &pb.Compare{
		Result: pb.Compare_CompareResult(t.numberOf(4)),
		Target: pb.Compare_CompareTarget(t.numberOf(5)),
	}
	c.Key, c.RangeEnd = t.interval()
	operand := c.Target
	if t.chance(15) {
		operand = pb.Compare_CompareTarget(t.numberOf(5)) // of another target, or none at all
	}
	switch operand {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: t.nearby(t.Int64N(4))}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: t.nearby(t.pastRevision())}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: t.nearby(t.pastRevision())}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: t.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: t.leaseID() * t.Int64N(2)}
	}
	return c
}

func (t txn) nearby(n int64) int64 {
	if t.chance(10) {
		return []int64{0, -1, math.MaxInt64, math.MinInt64}[t.IntN(4)]
	}
	return n * min(t.Int64N(4), 1)
}

// long has about as many operations as there may be, or too many.
func (t txn) long() *pb.TxnRequest {
	r := &pb.TxnRequest{}
	op := func() *pb.RequestOp {
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{
			RequestRange: &pb.RangeRequest{Key: t.key(), CountOnly: true}}}
	}
	n, list := 120+t.IntN(16), t.IntN(4)
	for range n {
		switch list {
		case 0:
			r.Compare = append(r.Compare, t.compare())
		case 1:
			r.Success = append(r.Success, op())
		case 2:
			r.Failure = append(r.Failure, op())
		}
	}
	if list == 3 {
		inner := &pb.TxnRequest{}
		for range n {
			inner.Success = append(inner.Success, op())
		}
		r.Failure = []*pb.RequestOp{{Request: &pb.RequestOp_RequestTxn{RequestTxn: inner}}}
	}
	return r
}
