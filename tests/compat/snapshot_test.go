package compat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"kvorum/tests/compat/peers"
)

// saveSnapshot has etcdctl save one, which checks its checksum, and returns the file.
func saveSnapshot(t testing.TB, s *peers.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "saved.db")
	if saved := ctl(t, s, "", "snapshot", "save", path); saved.Status != 0 {
		t.Fatalf("snapshot save against %s: %+v", s.Name, saved)
	}
	return path
}

// restore gives a stopped server a new directory with what the file holds.
func restore(t testing.TB, s *peers.Server, file string) {
	t.Helper()
	if err := os.RemoveAll(s.DataDir); err != nil {
		t.Fatal(err)
	}
	const peer = "http://127.0.0.1:20380"
	etcdutl(t, "snapshot", "restore", file, "--data-dir="+s.DataDir, "--name=m1",
		"--initial-cluster=m1="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster-token=compat")
}

// keepPutting writes until the returned function is called, which waits for the last write.
func keepPutting(t testing.TB, s *peers.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c, done := s.Client(t), make(chan error, 1)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := c.Put(context.Background(), fmt.Sprintf("load%d", i%500), strings.Repeat("l", i%3000)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("a put during the snapshot: %v", err)
		}
	}
}

// putOne returns the revision of the put.
func putOne(t testing.TB, s *peers.Server, key string) int64 {
	t.Helper()
	put, err := s.Client(t).Put(withTimeout(t), key, "1")
	if err != nil {
		t.Fatal(err)
	}
	return put.Header.Revision
}

// stateAt is what a client reads of that revision, and the leases.
func stateAt(t testing.TB, s *peers.Server, revision int64) []proto.Message {
	t.Helper()
	c, ctx := s.Client(t).ActiveConnection(), withTimeout(t)
	keys, err := pb.NewKVClient(c).Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}, Revision: revision})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := pb.NewMaintenanceClient(c).HashKV(ctx, &pb.HashKVRequest{Revision: revision})
	if err != nil {
		t.Fatal(err)
	}
	leases, err := pb.NewLeaseClient(c).LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := pb.NewLeaseClient(c).LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: 7})
	if err != nil {
		t.Fatal(err)
	}
	lease.TTL = 0
	sortByID(leases.Leases)
	keys.Header, hash.Header, leases.Header, lease.Header = nil, nil, nil, nil
	return []proto.Message{keys, hash, leases, lease}
}

// A backup taken while others write is the state of one moment: no acknowledged write is missing, and
// etcd goes on from it.
func TestEtcdGoesOnFromASnapshotSavedUnderLoad(t *testing.T) {
	s := peers.StartKvorum(t)
	fillKeys(t, s)
	stop := keepPutting(t, s)
	acknowledged := putOne(t, s, "before")
	file := saveSnapshot(t, s)
	stop()

	status := etcdutlJSON(t, "snapshot", "status", copyFile(t, file))
	revision, err := status["revision"].(json.Number).Int64()
	if err != nil || revision < acknowledged || status["version"] != "3.7.0" {
		t.Fatalf("snapshot status says %v (%v), revision %d was acknowledged before", status, err, acknowledged)
	}
	want := stateAt(t, s, revision)
	if got := fmt.Sprint(etcdutlJSON(t, "hashkv", copyFile(t, file))["hash"]); got != fmt.Sprint(want[1].(*pb.HashKVResponse).Hash) {
		t.Errorf("etcdutl hashkv of the file: %s, the member: %v", got, want[1])
	}

	etcd := peers.StartReference(t)
	etcd.Stop()
	restore(t, etcd, file)
	etcd.Start()
	sameContents(t, want, stateAt(t, etcd, revision))
	if next := putOne(t, etcd, "after"); next != revision+1 {
		t.Errorf("etcd goes on at revision %d after %d", next, revision)
	}
}

// What a client saves of a quiet member is row for row what etcd saves after it was restored from
// that, but for what a restore makes anew.
func TestEtcdSavesWhatItWasRestoredFrom(t *testing.T) {
	s := peers.StartKvorum(t)
	fillKeys(t, s)
	ours := saveSnapshot(t, s)
	if again := saveSnapshot(t, s); boltRows(t, again) != boltRows(t, ours) {
		t.Error("two snapshots of the same state differ")
	}
	etcd := peers.StartReference(t)
	etcd.Stop()
	restore(t, etcd, ours)
	etcd.Start()
	theirs := saveSnapshot(t, etcd)
	anew := regexp.MustCompile("(?m)^(meta|members|members_removed|cluster)\t.*\n")
	sameRows(t, "saved rows", anew.ReplaceAllString(boltRows(t, ours), ""),
		anew.ReplaceAllString(boltRows(t, theirs), ""))
	if got, want := etcdutlJSON(t, "hashkv", ours)["hash"], etcdutlJSON(t, "hashkv", theirs)["hash"]; got != want {
		t.Errorf("etcdutl hashkv: ours %v, etcd's %v", got, want)
	}
}

// checkPieces takes the messages of a snapshot and returns what does not depend on the file.
func checkPieces(t testing.TB, s *peers.Server, pieces []*pb.SnapshotResponse) (shape []string) {
	t.Helper()
	var file []byte
	for i, piece := range pieces[:len(pieces)-1] {
		file = append(file, piece.Blob...)
		last := i == len(pieces)-2
		if !last && len(piece.Blob) != 32<<10 {
			t.Errorf("%s: piece %d has %d bytes", s.Name, i, len(piece.Blob))
		}
	}
	left := uint64(len(file))
	for i, piece := range pieces[:len(pieces)-1] {
		if left -= uint64(len(piece.Blob)); piece.RemainingBytes != left {
			t.Errorf("%s: %d bytes remain after piece %d, not %d", s.Name, left, i, piece.RemainingBytes)
		}
	}
	end := pieces[len(pieces)-1]
	if sum := sha256.Sum256(file); !bytes.Equal(end.Blob, sum[:]) || end.RemainingBytes != 0 {
		t.Errorf("%s: the last message is %v, the checksum %x", s.Name, end, sum)
	}
	for _, piece := range pieces {
		shape = append(shape, fmt.Sprintf("header %t version %q", piece.Header != nil, piece.Version))
	}
	return shape[len(shape)-2:]
}

func TestSnapshotPiecesAreAlike(t *testing.T) {
	var shapes [2][]string
	for i, s := range peers.StartBoth(t) {
		fillKeys(t, s)
		stream, err := pb.NewMaintenanceClient(s.Client(t).ActiveConnection()).Snapshot(withTimeout(t), &pb.SnapshotRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var pieces []*pb.SnapshotResponse
		for {
			piece, err := stream.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, piece)
		}
		shapes[i] = checkPieces(t, s, pieces)
	}
	if diff := cmp.Diff(shapes[0], shapes[1]); diff != "" {
		t.Errorf("the last pieces (-etcd +kvorum):\n%s", diff)
	}
}

func TestSnapshotThroughTheGatewayIsAlike(t *testing.T) {
	var shapes [2][]string
	for i, s := range peers.StartBoth(t) {
		fillKeys(t, s)
		resp, err := http.Post("http://"+s.Addr+"/v3/maintenance/snapshot", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var pieces []*pb.SnapshotResponse
		for lines := json.NewDecoder(resp.Body); lines.More(); {
			var line struct {
				Result struct {
					RemainingBytes uint64 `json:"remaining_bytes,string"`
					Blob           []byte
					Version        string
				}
			}
			if err := lines.Decode(&line); err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, &pb.SnapshotResponse{RemainingBytes: line.Result.RemainingBytes,
				Blob: line.Result.Blob, Version: line.Result.Version})
		}
		shapes[i] = append(checkPieces(t, s, pieces), resp.Status, resp.Header.Get("Content-Type"))
	}
	if diff := cmp.Diff(shapes[0], shapes[1]); diff != "" {
		t.Errorf("snapshot through the gateway (-etcd +kvorum):\n%s", diff)
	}
}
