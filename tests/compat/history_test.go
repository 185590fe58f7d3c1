package compat

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

const (
	historySeed       = 20261121
	historyOperations = 10000
	historyKeys       = 400
	historyLeases     = 40
	hashRevisions     = 10
)

// history makes up one operation after the other from a seed. It knows no server: some of what it
// asks for fails, and has to fail alike.
type history struct {
	*rand.Rand
	revision int64 // of the last answer

	// A transaction that deletes everything from some key on and puts a key while keeping its value or
	// lease cannot be applied. The original lets some of these pass its check for duplicate keys; we
	// refuse them there. One transaction has only the one or the other.
	noKeeping, noFromKey bool
}

func newHistory(seed uint64) *history {
	return &history{Rand: rand.New(rand.NewPCG(seed, seed)), revision: 1}
}

func (h *history) key() []byte { return fmt.Appendf(nil, "k/%03d", h.IntN(historyKeys)) }

// interval returns a key and an end: a single key, a short range, a prefix, rarely everything.
func (h *history) interval() (key, end []byte) {
	switch h.IntN(20) {
	case 0:
		return []byte("k/3"), []byte("k/4")
	case 1, 2, 3:
		n := h.IntN(historyKeys)
		return fmt.Appendf(nil, "k/%03d", n), fmt.Appendf(nil, "k/%03d", n+1+h.IntN(10))
	case 4:
		return []byte{0}, []byte{0}
	}
	return h.key(), nil
}

func (h *history) value() []byte {
	value := make([]byte, h.IntN(300))
	for i := range value {
		value[i] = byte(h.IntN(256))
	}
	return value
}

func (h *history) leaseID() int64 { return 1000 + int64(h.IntN(historyLeases)) }

// pastRevision returns one that may be read, or is just out of reach at either end.
func (h *history) pastRevision() int64 {
	if h.IntN(3) > 0 {
		return 0
	}
	return max(0, h.revision+1-int64(h.IntN(500)))
}

func (h *history) put() *pb.PutRequest {
	r := &pb.PutRequest{Key: h.key(), Value: h.value(), PrevKv: h.IntN(4) == 0}
	switch n := h.IntN(12); {
	case n < 3:
		r.Lease = h.leaseID()
	case h.noKeeping:
	case n == 3:
		r.IgnoreValue, r.Value = true, nil
	case n == 4:
		r.IgnoreLease = true
	}
	return r
}

func (h *history) deleteRange() *pb.DeleteRangeRequest {
	r := &pb.DeleteRangeRequest{PrevKv: h.IntN(3) == 0}
	if r.Key, r.RangeEnd = h.interval(); len(r.Key) == 1 && (h.noFromKey || h.IntN(10) > 0) {
		r.Key, r.RangeEnd = h.key(), nil // everything goes a few times only
	}
	return r
}

func (h *history) rangeRequest() *pb.RangeRequest {
	r := &pb.RangeRequest{Revision: h.pastRevision(), Limit: int64(h.IntN(4) * h.IntN(30)), Serializable: h.IntN(2) == 0}
	r.Key, r.RangeEnd = h.interval()
	switch h.IntN(8) {
	case 0:
		r.CountOnly = true
	case 1:
		r.KeysOnly = true
	case 2:
		// By key only: keys of one transaction are equal by revision, and equals have no order.
		r.SortTarget, r.SortOrder = pb.RangeRequest_KEY, pb.RangeRequest_DESCEND
	case 3:
		r.MinModRevision, r.MaxModRevision = h.revision-int64(h.IntN(2000)), h.revision-int64(h.IntN(500))
	case 4:
		r.MinCreateRevision, r.MaxCreateRevision = h.revision-int64(h.IntN(2000)), h.revision-int64(h.IntN(500))
	}
	return r
}

func (h *history) compare() *pb.Compare {
	c := &pb.Compare{Result: pb.Compare_CompareResult(h.IntN(4)), Target: pb.Compare_CompareTarget(h.IntN(5))}
	c.Key, c.RangeEnd = h.interval()
	near := h.revision - int64(h.IntN(1000))
	switch c.Target {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: int64(h.IntN(5))}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: near * int64(h.IntN(2))}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: near * int64(h.IntN(2))}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: h.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: h.leaseID() * int64(h.IntN(2))}
	}
	return c
}

func (h *history) txn(depth int) *pb.TxnRequest {
	r := &pb.TxnRequest{}
	for range h.IntN(3) {
		r.Compare = append(r.Compare, h.compare())
	}
	ops := func() (all []*pb.RequestOp) {
		for range h.IntN(5) {
			var op pb.RequestOp
			switch n := h.IntN(10); {
			case n < 5:
				op.Request = &pb.RequestOp_RequestPut{RequestPut: h.put()}
			case n < 7:
				op.Request = &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: h.deleteRange()}
			case n < 9 || depth == 0:
				op.Request = &pb.RequestOp_RequestRange{RequestRange: h.rangeRequest()}
			default:
				op.Request = &pb.RequestOp_RequestTxn{RequestTxn: h.txn(depth - 1)}
			}
			all = append(all, &op)
		}
		return all
	}
	r.Success, r.Failure = ops(), ops()
	return r
}

// next returns the operation that follows.
func (h *history) next() proto.Message {
	switch n := h.IntN(1000); {
	case n < 500:
		return h.put()
	case n < 620:
		return h.deleteRange()
	case n < 820:
		h.noKeeping = h.IntN(2) == 0
		h.noFromKey = !h.noKeeping
		t := h.txn(2)
		h.noKeeping, h.noFromKey = false, false
		return t
	case n < 900:
		return h.rangeRequest()
	case n < 950:
		return &pb.LeaseGrantRequest{ID: h.leaseID(), TTL: 36000 + int64(h.IntN(1000))}
	case n < 975:
		return &pb.LeaseRevokeRequest{ID: h.leaseID()}
	case n < 980:
		return &pb.LeaseTimeToLiveRequest{ID: h.leaseID()}
	case n < 983:
		return &pb.CompactionRequest{Revision: h.revision - 500 - int64(h.IntN(1000)), Physical: h.IntN(2) == 0}
	case n < 985:
		return &pb.HashKVRequest{}
	}
	return &pb.PutRequest{Key: h.key(), Value: h.value()}
}

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

func revisionOf(a answer) int64 {
	if r, ok := a.Response.(interface{ GetHeader() *pb.ResponseHeader }); ok {
		return r.GetHeader().GetRevision()
	}
	return 0
}

// The same 10,000 operations give the same answers, error texts included, and the same hashes, at
// ten revisions, before and after a compaction and a restart.
func TestHistoryGivesEqualAnswersAndHashes(t *testing.T) {
	servers := peers.StartBoth(t)
	members := [2]member{newMember(t, servers[0]), newMember(t, servers[1])}
	h := newHistory(historySeed)
	var compacted int64
	kinds := map[string]int{}
	for i := range historyOperations {
		request := h.next()
		want, got := members[0].do(t, request), members[1].do(t, request)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("operation %d of seed %d, %T{%v}, differs (- %s, + %s):\n%s", i, historySeed, request, request,
				servers[0].Name, servers[1].Name, diff)
		}
		if want.Error != "" {
			kinds[want.Error]++
			continue
		}
		kinds[fmt.Sprintf("%T", request)]++
		h.revision = max(h.revision, revisionOf(want))
		if c, ok := request.(*pb.CompactionRequest); ok {
			compacted = c.Revision
		}
	}
	t.Logf("revision %d, compacted %d; %v", h.revision, compacted, kinds)

	sameHashes(t, "before compaction", members, compacted, h.revision)
	for i, s := range servers {
		s.Stop()
		s.Start()
		members[i] = newMember(t, s)
	}
	sameHashes(t, "restarted", members, compacted, h.revision)
	compacted = (compacted + h.revision) / 2
	for _, m := range members {
		if a := m.do(t, &pb.CompactionRequest{Revision: compacted, Physical: true}); a.Error != "" {
			t.Fatalf("compaction of %s: %s", m.Name, a.Error)
		}
	}
	sameHashes(t, "compacted", members, compacted, h.revision)
	for i, s := range servers {
		s.Kill()
		s.Start()
		members[i] = newMember(t, s)
	}
	sameHashes(t, "compacted and killed", members, compacted, h.revision)
	everything := &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}
	if diff := cmp.Diff(members[0].do(t, everything), members[1].do(t, everything), protocmp.Transform(), ignoreTerm); diff != "" {
		t.Errorf("content differs (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

// A restart is an election; how many a server needs is not part of what is compared here.
var ignoreTerm = protocmp.IgnoreFields(&pb.ResponseHeader{}, "raft_term")

// sameHashes compares HashKV at revisions spread over [first, last].
func sameHashes(t *testing.T, when string, members [2]member, first, last int64) {
	t.Helper()
	for i := range int64(hashRevisions) {
		r := &pb.HashKVRequest{Revision: first + (last-first)*i/(hashRevisions-1)}
		want, got := members[0].do(t, r), members[1].do(t, r)
		if diff := cmp.Diff(want, got, protocmp.Transform(), ignoreTerm); diff != "" {
			t.Errorf("%s: hash at %d differs (- %s, + %s):\n%s", when, r.Revision, members[0].Name, members[1].Name, diff)
		}
		if want.Error != "" {
			t.Errorf("%s: hash at %d: %s", when, r.Revision, want.Error)
		}
	}
}
