package differential

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/testing/protocmp"
)

// Revisions the hashes are compared at, spread over what can be read.
const hashRevisions = 10

// An election more or less is nothing a client may rely on.
var ignoreTerm = protocmp.IgnoreFields(&pb.ResponseHeader{}, "raft_term")

// compareRestarted compares what the servers hold, before and after a stop, after a compaction of
// everything, and after a kill.
func compareRestarted(t *testing.T, p pair, g *generator) {
	t.Helper()
	compareContents(t, "at the end", p, g)
	p.toleratedSeconds = toleratedSecondsRestarted
	for _, m := range []*member{p.reference, p.kvorum} {
		m.Stop()
		m.Start()
	}
	compareContents(t, "stopped and started", p, g)
	compaction := call{method: "etcdserverpb.KV/Compact",
		request: &pb.CompactionRequest{Revision: (max(g.compacted, 1) + g.revision) / 2, Physical: true}}
	if want, got := p.do(compaction); want.Error != "" || got.Error != "" {
		t.Errorf("%v: %v, %v", compaction, want, got)
	}
	g.observe(compaction, answer{})
	for _, m := range []*member{p.reference, p.kvorum} {
		m.Kill()
		m.Start()
	}
	compareContents(t, "compacted, killed and started", p, g)
}

func compareContents(t *testing.T, when string, p pair, g *generator) {
	t.Helper()
	everything := []byte{0}
	steps := []step{
		call{method: "etcdserverpb.KV/Range", request: &pb.RangeRequest{Key: everything, RangeEnd: everything}},
		call{method: "etcdserverpb.Lease/LeaseLeases", request: &pb.LeaseLeasesRequest{}},
		call{method: "etcdserverpb.Cluster/MemberList", request: &pb.MemberListRequest{Linearizable: true}},
		alarmCall(pb.AlarmRequest_GET, 0, pb.AlarmType_NONE),
	}
	slices.Sort(g.leases)
	for _, id := range slices.Compact(g.leases) {
		steps = append(steps, call{method: "etcdserverpb.Lease/LeaseTimeToLive",
			request: &pb.LeaseTimeToLiveRequest{ID: id, Keys: true}})
	}
	oldest := max(g.compacted, 1) + 1
	for i := range int64(hashRevisions) {
		revision := oldest + (g.revision-oldest)*i/(hashRevisions-1)
		steps = append(steps, call{method: "etcdserverpb.Maintenance/HashKV",
			request: &pb.HashKVRequest{Revision: revision}})
	}
	for _, s := range steps {
		want, got := p.do(s)
		if diff := cmp.Diff(want, got, protocmp.Transform(), ignoreTerm); diff != "" {
			t.Errorf("%s: %v differs (- reference, + kvorum):\n%s", when, s, diff)
		}
	}
}
