package compat

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum/tests/compat/peers"
)

const callTimeout = 20 * time.Second

func withTimeout(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	t.Cleanup(cancel)
	return ctx
}

// grantLeases makes leases with ids of our choice, which etcdctl does not offer.
func grantLeases(t testing.TB, s *peers.Server, ttlSeconds int64, ids ...int64) {
	t.Helper()
	leases := pb.NewLeaseClient(s.Client(t).ActiveConnection())
	for _, id := range ids {
		if _, err := leases.LeaseGrant(withTimeout(t), &pb.LeaseGrantRequest{ID: id, TTL: ttlSeconds}); err != nil {
			t.Fatalf("granting lease %x on %s: %v", id, s.Name, err)
		}
	}
}

func putOp(key string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key)}}}
}

func deleteOp(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}}
}

// Building takes time, which must not count as a server's.
func TestMain(m *testing.M) {
	if err := peers.BuildTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
