package compat

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	stats "go.etcd.io/etcd/server/v3/etcdserver/api/v2stats"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"kvorum/tests/compat/peers"
)

// Ids with the highest bit, which signed numbers and doubles would spoil.
const (
	ourID     types.ID = 0x8e9e05c52164694d
	echoID    types.ID = 0xf1d2d2f924e986ac
	clusterID types.ID = 0xcdf818194e3a8c32
)

// raftEnd is a member as rafthttp sees one.
type raftEnd struct {
	received  chan *raftpb.Message
	snapshots chan raft.SnapshotStatus
	removed   atomic.Bool // the other end, by us
}

func (r *raftEnd) Process(_ context.Context, m *raftpb.Message) error {
	r.received <- m
	return nil
}
func (r *raftEnd) IsIDRemoved(uint64) bool                        { return r.removed.Load() }
func (r *raftEnd) ReportUnreachable(uint64)                       {}
func (r *raftEnd) ReportSnapshot(_ uint64, s raft.SnapshotStatus) { r.snapshots <- s }

// etcdEnd is a member's transport, etcd's own, with kvorum's echo for its only peer.
type etcdEnd struct {
	*raftEnd
	transport *rafthttp.Transport
	snapDir   string
	echo      *bufio.Scanner // what the echo says
}

func startEcho(t *testing.T) *etcdEnd {
	t.Helper()
	build := filepath.Join(peers.SourceRoot(), "build", "release")
	if kvorum := os.Getenv("KVORUM_BIN"); kvorum != "" {
		build = filepath.Dir(kvorum)
	}
	binary := filepath.Join(build, "tests/server/peer/peer_echo")
	if _, err := os.Stat(binary); err != nil {
		t.Skipf("not beside a build of kvorum: %v", err)
	}
	end := &etcdEnd{
		raftEnd: &raftEnd{
			received:  make(chan *raftpb.Message, 10000),
			snapshots: make(chan raft.SnapshotStatus, 10),
		},
		snapDir: t.TempDir(),
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	end.transport = &rafthttp.Transport{
		Logger:      zap.NewNop(),
		DialTimeout: 10 * time.Second,
		ID:          ourID,
		URLs:        types.MustNewURLs([]string{url}),
		ClusterID:   clusterID,
		Raft:        end.raftEnd,
		Snapshotter: snap.New(zap.NewNop(), end.snapDir),
		ServerStats: stats.NewServerStats("", ""),
		LeaderStats: stats.NewLeaderStats(zap.NewNop(), ourID.String()),
		ErrorC:      make(chan error, 1),
	}
	if err := end.transport.Start(); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = end.transport.Handler()
	server.Start()
	t.Cleanup(func() {
		end.transport.Stop()
		server.CloseClientConnections()
		server.Close()
	})
	end.startProcess(t, binary, url)
	return end
}

func (e *etcdEnd) startProcess(t *testing.T, binary, url string) {
	t.Helper()
	decimal := func(id types.ID) string { return strconv.FormatUint(uint64(id), 10) }
	cmd := exec.Command(binary, decimal(echoID), decimal(clusterID), decimal(ourID), url)
	var logs bytes.Buffer
	cmd.Stderr = &logs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the echo ended: %v\n%s", err, logs.String())
		}
	})
	e.echo = bufio.NewScanner(stdout)
	e.transport.AddPeer(echoID, []string{strings.TrimPrefix(e.says(t), "listening ")})
}

// says waits for the echo's next line.
func (e *etcdEnd) says(t *testing.T) string {
	t.Helper()
	if !e.echo.Scan() {
		t.Fatalf("the echo said nothing more: %v", e.echo.Err())
	}
	return e.echo.Text()
}

// awaitStreams sends until an answer comes: before the streams are up messages may be lost.
func (e *etcdEnd) awaitStreams(t *testing.T) {
	t.Helper()
	deadline := time.After(callTimeout)
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-e.received:
			e.drain()
			return
		case <-tick.C:
			e.transport.Send([]*raftpb.Message{message(raftpb.MsgHeartbeat, 1)})
		case <-deadline:
			t.Fatal("nothing came back")
		}
	}
}

// drain takes what is still on its way, up to the answer of a last message.
func (e *etcdEnd) drain() {
	last := message(raftpb.MsgHeartbeat, 999999)
	e.transport.Send([]*raftpb.Message{last})
	for m := range e.received {
		if m.GetIndex() == last.GetIndex() {
			return
		}
	}
}

func message(kind raftpb.MessageType, index uint64) *raftpb.Message {
	return &raftpb.Message{
		Type: kind.Enum(), From: proto.Uint64(uint64(ourID)), To: proto.Uint64(uint64(echoID)),
		Term: proto.Uint64(5), LogTerm: proto.Uint64(5), Index: proto.Uint64(index),
		Commit: proto.Uint64(index / 2),
	}
}

func appendOf(index uint64, entries ...string) *raftpb.Message {
	m := message(raftpb.MsgApp, index)
	for i, data := range entries {
		m.Entries = append(m.Entries, &raftpb.Entry{
			Type: raftpb.EntryNormal.Enum(), Term: proto.Uint64(5),
			Index: proto.Uint64(index + uint64(i) + 1), Data: []byte(data),
		})
	}
	return m
}

// returned is what the echo makes of a message; fields of value zero do not come back.
func returned(m *raftpb.Message) *raftpb.Message {
	back := proto.Clone(m).(*raftpb.Message)
	back.From, back.To = m.To, m.From
	return back
}

// fields drops what only says that a field is there with its default.
func fields(m *raftpb.Message) string {
	text := fmt.Sprint(m.GetType(), m.GetFrom(), m.GetTo(), m.GetTerm(), m.GetLogTerm(), m.GetIndex(),
		m.GetCommit(), m.GetReject(), m.GetRejectHint(), m.GetContext())
	for _, e := range m.Entries {
		text += fmt.Sprint(e.GetType(), e.GetTerm(), e.GetIndex(), e.GetData())
	}
	return text
}

// Every kind of message, to kvorum and back, over the streams that the two dial to each other.
func TestPeerMessagesBetweenEtcdAndKvorum(t *testing.T) {
	end := startEcho(t)
	end.awaitStreams(t)
	vote := message(raftpb.MsgVoteResp, 7)
	vote.Reject, vote.RejectHint = proto.Bool(true), proto.Uint64(6)
	heartbeat := message(raftpb.MsgHeartbeatResp, 0)
	heartbeat.Context = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	read := message(raftpb.MsgReadIndex, 0)
	read.Entries = []*raftpb.Entry{{Data: []byte("request")}}
	proposal := message(raftpb.MsgProp, 0)
	proposal.Entries = []*raftpb.Entry{{Type: raftpb.EntryConfChange.Enum(), Data: []byte("change")}}
	sent := []*raftpb.Message{vote, heartbeat, read, proposal, message(raftpb.MsgTimeoutNow, 0),
		message(raftpb.MsgPreVote, 9), message(raftpb.MsgAppResp, 10), appendOf(11, "a", "b"),
		appendOf(13), appendOf(13, strings.Repeat("x", 1<<20)), appendOf(3, "again")}
	end.transport.Send(sent)
	want := map[string]bool{}
	for _, m := range sent {
		want[fields(returned(m))] = true
	}
	deadline := time.After(callTimeout)
	for range sent {
		select {
		case m := <-end.received:
			if !want[fields(m)] {
				t.Errorf("came back changed: %.300s", fields(m))
			}
			delete(want, fields(m))
		case <-deadline:
			t.Fatalf("%d messages did not come back", len(want))
		}
	}
}

// Appends that follow each other or do not, in their short form and in full, keep their order.
func TestPeerAppendsKeepTheirOrder(t *testing.T) {
	end := startEcho(t)
	end.awaitStreams(t)
	random := rand.New(rand.NewPCG(1, 2))
	index := uint64(1)
	for round := 0; round < 1000; round++ {
		if random.IntN(5) == 0 {
			index = 1 + random.Uint64N(1000)
		}
		m := appendOf(index, make([]string, random.IntN(4))...)
		for _, e := range m.Entries {
			e.Data = []byte(strings.Repeat("d", random.IntN(100)))
		}
		index += uint64(len(m.Entries))
		end.transport.Send([]*raftpb.Message{m})
		select {
		case back := <-end.received:
			if diff := cmp.Diff(fields(returned(m)), fields(back)); diff != "" {
				t.Fatalf("append %d (-sent +returned):\n%s", round, diff)
			}
		case <-time.After(callTimeout):
			t.Fatalf("append %d did not come back", round)
		}
	}
}

// A database goes to kvorum and comes back byte for byte.
func TestPeerSnapshotsBetweenEtcdAndKvorum(t *testing.T) {
	end := startEcho(t)
	end.awaitStreams(t)
	database := make([]byte, 3<<20+17)
	for i := range database {
		database[i] = byte(rand.Uint32())
	}
	m := message(raftpb.MsgSnap, 0)
	m.Snapshot = &raftpb.Snapshot{Data: []byte("{}"), Metadata: &raftpb.SnapshotMetadata{
		Index: proto.Uint64(42), Term: proto.Uint64(5),
		ConfState: &raftpb.ConfState{Voters: []uint64{uint64(ourID), uint64(echoID)}},
	}}
	merged := snap.NewMessage(m, io.NopCloser(bytes.NewReader(database)), int64(len(database)))
	end.transport.SendSnapshot(merged)
	if !<-merged.CloseNotify() {
		t.Fatal("kvorum did not take the snapshot")
	}
	if status := <-end.snapshots; status != raft.SnapshotFinish {
		t.Fatalf("reported %v", status)
	}
	back := <-end.received
	if diff := cmp.Diff(m.Snapshot, back.Snapshot, protocmp.Transform(),
		protocmp.IgnoreDefaultScalars()); diff != "" {
		t.Errorf("snapshot (-sent +returned):\n%s", diff)
	}
	file, err := os.ReadFile(filepath.Join(end.snapDir, fmt.Sprintf("%016x.snap.db", 42)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, database) {
		t.Errorf("the database came back changed: %d bytes, %d sent", len(file), len(database))
	}
	if line := end.says(t); line != "snapshot sent" {
		t.Errorf("kvorum says %q", line)
	}
}

// Whoever was removed learns it when it dials.
func TestPeerLearnsThatItWasRemoved(t *testing.T) {
	end := startEcho(t)
	end.awaitStreams(t)
	end.removed.Store(true)
	end.transport.RemovePeer(echoID)
	if line := end.says(t); line != "removed" {
		t.Errorf("kvorum says %q", line)
	}
}
