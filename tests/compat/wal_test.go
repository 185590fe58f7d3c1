package compat

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

// fillLog makes one entry of each kind a client of a single member can cause.
func fillLog(t *testing.T, s *peers.Server) {
	t.Helper()
	m := newMember(t, s)
	key := []byte("key")
	for _, request := range []proto.Message{
		&pb.LeaseGrantRequest{ID: 7, TTL: 600},
		&pb.PutRequest{Key: key, Value: []byte("1"), Lease: 7, PrevKv: true},
		&pb.PutRequest{Key: []byte("other"), Value: []byte("2")},
		&pb.DeleteRangeRequest{Key: []byte("o"), RangeEnd: []byte("p")},
		&pb.TxnRequest{
			Compare: []*pb.Compare{{Key: key, Target: pb.Compare_MOD, Result: pb.Compare_GREATER,
				TargetUnion: &pb.Compare_ModRevision{ModRevision: 1}}},
			Success: []*pb.RequestOp{
				{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Value: []byte("3")}}},
				{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: key}}},
			},
		},
		&pb.CompactionRequest{Revision: 3, Physical: true},
		&pb.LeaseRevokeRequest{ID: 7},
	} {
		if a := m.do(t, request); a.Error != "" {
			t.Fatalf("%T on %s: %s", request, s.Name, a.Error)
		}
	}
}

// The original's tool prints our log. It cannot print its own: where an entry has no type field, as
// in the logs the original writes, it fails. Ours has the field.
func TestDumpLogsPrintsOurLog(t *testing.T) {
	if peers.Kvorum(t) == peers.Tool(t, "etcd") {
		t.Skip("the original is under test")
	}
	s := peers.StartKvorum(t)
	fillLog(t, s)
	s.Stop()
	printed := dumpLogs(t, s)
	for _, want := range []string{
		"ConfChangeAddNode", `lease_grant:.*TTL:600`, `put:.*key:"key"`, `delete_range:.*key:"o"`,
		`txn:.*compare:`, `compaction:.*revision:3`, `lease_revoke:.*ID:7`, `cluster_member_attr_set:.*m1`,
		`cluster_version_set:.*ver:"3.7.0"`,
	} {
		if !regexp.MustCompile(want).MatchString(printed) {
			t.Errorf("nothing like %q in:\n%s", want, printed)
		}
	}
	if raw := dumpLogs(t, s, "-raw"); !strings.Contains(raw, "EOF: All entries were processed.") {
		t.Errorf("-raw printed:\n%s", raw)
	}
}

func dumpLogs(t *testing.T, s *peers.Server, flags ...string) string {
	t.Helper()
	out, err := exec.Command(peers.Tool(t, "etcd-dump-logs"), append(flags, s.DataDir)...).CombinedOutput()
	if err != nil {
		t.Fatalf("etcd-dump-logs %v: %v\n%s", flags, err, out)
	}
	return string(out)
}

// The original's code opens our log for writing, as its server does, and finds in it what it finds
// in its own: the same entries in the same places.
func TestTheOriginalReadsOurLog(t *testing.T) {
	servers := peers.StartBoth(t)
	var found [2]logContent
	for i, s := range servers {
		fillLog(t, s)
		s.Stop()
		s.Start() // publishes the member once more
		s.Kill()
		found[i] = readLog(t, s)
	}
	if diff := cmp.Diff(found[0], found[1], protocmp.Transform()); diff != "" {
		t.Errorf("the logs differ (- %s, + %s):\n%s", servers[0].Name, servers[1].Name, diff)
	}
}

type logContent struct {
	Metadata *pb.Metadata
	Vote     uint64
	Entries  []logEntry
}

type logEntry struct {
	Term, Index uint64
	Type        raftpb.EntryType
	Payload     proto.Message
	Context     any // of a conf change: parsed JSON
}

func readLog(t *testing.T, s *peers.Server) logContent {
	t.Helper()
	dir := filepath.Join(s.DataDir, "member", "wal")
	w, err := wal.Open(zap.NewNop(), dir, &walpb.Snapshot{})
	if err != nil {
		t.Fatalf("opening the log of %s: %v", s.Name, err)
	}
	defer w.Close()
	metadata, state, entries, err := w.ReadAll()
	if err != nil {
		t.Fatalf("reading the log of %s: %v", s.Name, err)
	}
	c := logContent{Metadata: &pb.Metadata{}, Vote: state.GetVote()}
	if err := proto.Unmarshal(metadata, c.Metadata); err != nil {
		t.Fatal(err)
	}
	if last := uint64(len(entries)); state.GetCommit() > last {
		t.Errorf("%s: commit %d of %d entries", s.Name, state.GetCommit(), last)
	}
	for _, e := range entries {
		c.Entries = append(c.Entries, parseEntry(t, s, e))
	}
	return c
}

// parseEntry decodes an entry and takes out what cannot be equal: the ids of requests, which hold the
// time, and the port clients connect to.
func parseEntry(t *testing.T, s *peers.Server, e *raftpb.Entry) logEntry {
	t.Helper()
	parsed := logEntry{Term: e.GetTerm(), Index: e.GetIndex(), Type: e.GetType()}
	if parsed.Type == raftpb.EntryConfChange {
		var change raftpb.ConfChange
		if err := proto.Unmarshal(e.Data, &change); err != nil {
			t.Fatalf("%s: entry %d: %v", s.Name, parsed.Index, err)
		}
		if err := json.Unmarshal(change.Context, &parsed.Context); err != nil {
			t.Fatalf("%s: entry %d: %v", s.Name, parsed.Index, err)
		}
		change.Context = nil
		parsed.Payload = &change
		return parsed
	}
	if len(e.Data) == 0 {
		return parsed
	}
	var request pb.InternalRaftRequest
	if err := proto.Unmarshal(e.Data, &request); err != nil {
		t.Fatalf("%s: entry %d: %v", s.Name, parsed.Index, err)
	}
	if request.Header.GetID() == 0 {
		t.Errorf("%s: entry %d has no request id: %v", s.Name, parsed.Index, &request)
	}
	if request.Header != nil {
		request.Header.ID = 0
	}
	if set := request.ClusterMemberAttrSet; set != nil {
		set.MemberAttributes.ClientUrls = []string{fmt.Sprintf("port of %d", len(set.MemberAttributes.ClientUrls))}
	}
	parsed.Payload = &request
	return parsed
}
