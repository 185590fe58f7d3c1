package compat

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"kvorum/tests/compat/peers"
)

// member speaks to one server without a client library's retries and option types in between.
type member struct {
	*peers.Server
	kv          pb.KVClient
	lease       pb.LeaseClient
	maintenance pb.MaintenanceClient
}

func newMember(t testing.TB, s *peers.Server) member {
	conn := s.Client(t).ActiveConnection()
	return member{s, pb.NewKVClient(conn), pb.NewLeaseClient(conn), pb.NewMaintenanceClient(conn)}
}

// answer is what a call gave, with the clock's share taken out.
type answer struct {
	Response proto.Message
	Error    string
}

func (m member) do(t testing.TB, request proto.Message) answer {
	t.Helper()
	ctx := withTimeout(t)
	var response proto.Message
	var err error
	switch r := request.(type) {
	case *pb.PutRequest:
		response, err = m.kv.Put(ctx, r)
	case *pb.DeleteRangeRequest:
		response, err = m.kv.DeleteRange(ctx, r)
	case *pb.TxnRequest:
		response, err = m.kv.Txn(ctx, r)
	case *pb.RangeRequest:
		response, err = m.kv.Range(ctx, r)
	case *pb.CompactionRequest:
		response, err = m.kv.Compact(ctx, r)
	case *pb.LeaseGrantRequest:
		response, err = m.lease.LeaseGrant(ctx, r)
	case *pb.LeaseRevokeRequest:
		response, err = m.lease.LeaseRevoke(ctx, r)
	case *pb.LeaseTimeToLiveRequest:
		var ttl *pb.LeaseTimeToLiveResponse
		if ttl, err = m.lease.LeaseTimeToLive(ctx, r); err == nil && ttl.TTL > 0 {
			ttl.TTL = 1
		}
		response = ttl
	case *pb.HashKVRequest:
		response, err = m.maintenance.HashKV(ctx, r)
	default:
		t.Fatalf("no call for a %T", request)
	}
	if err != nil {
		s := status.Convert(err)
		return answer{Error: s.Code().String() + ": " + s.Message()}
	}
	return answer{Response: response}
}
