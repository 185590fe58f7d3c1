package differential

import pb "go.etcd.io/etcd/api/v3/etcdserverpb"

func putOp(r *pb.PutRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: r}}
}

func rangeOp(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func deleteOp(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}}
}

func deleteFrom(key string) *pb.RequestOp { return deleteOp(key, "\x00") }

func txnOp(r *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: r}}
}

func nested(ops ...*pb.RequestOp) *pb.RequestOp { return txnOp(&pb.TxnRequest{Success: ops}) }

func txnOf(ops ...*pb.RequestOp) call { return callOf(&pb.TxnRequest{Success: ops}) }

func repeated(n int, op func(i int) *pb.RequestOp) (ops []*pb.RequestOp) {
	for i := range n {
		ops = append(ops, op(i))
	}
	return ops
}
