package compat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/snapshot"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"kvorum/tests/compat/peers"
)

// boltTool runs our reader and writer on files, see tests/mvcc/boltfile/boltfile_tool.cc.
func boltTool(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	path := os.Getenv("KVORUM_BOLTFILE_TOOL")
	if path == "" {
		path = filepath.Join(peers.SourceRoot(), "build", "release", "tests", "mvcc", "boltfile_tool")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("set KVORUM_BOLTFILE_TOOL, or build the release preset: %v", err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("boltfile_tool %v: %v\n%s", args, err, stderr.String())
	}
	return stdout.String()
}

func etcdutl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(peers.Tool(t, "etcdutl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("etcdutl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// etcdutlJSON is for commands that print one object, perhaps behind lines of log.
func etcdutlJSON(t testing.TB, args ...string) map[string]any {
	t.Helper()
	out := strings.TrimSpace(etcdutl(t, append(args, "--write-out=json")...))
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(out[strings.LastIndex(out, "\n")+1:]))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("etcdutl %v: %v\n%s", args, err, out)
	}
	return object
}

func openBolt(t testing.TB, path string, readOnly bool) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: readOnly, PreLoadFreelist: true})
	if err != nil {
		t.Fatalf("bbolt does not open %s: %v", path, err)
	}
	return db
}

// boltRows lists all rows as boltfile_tool does, after bbolt's own check of the file.
func boltRows(t testing.TB, path string) string {
	t.Helper()
	db := openBolt(t, path, true)
	defer db.Close()
	var out strings.Builder
	err := db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("bbolt finds in %s: %v", path, err)
		}
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			fmt.Fprintf(&out, "%s\n", name)
			return b.ForEach(func(k, v []byte) error {
				fmt.Fprintf(&out, "%s\t%x\t%x\n", name, k, v)
				return nil
			})
		})
	})
	if err != nil {
		t.Fatalf("reading %s with bbolt: %v", path, err)
	}
	return out.String()
}

func copyFile(t testing.TB, from string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), filepath.Base(from))
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func sameRows(t testing.TB, what, ours, theirs string) {
	t.Helper()
	if ours != theirs {
		t.Errorf("%s (- ours, + bbolt's):\n%.4000s", what, cmp.Diff(ours, theirs))
	}
}

// must(call())(t) fails the test if the call does.
func must[T any](_ T, err error) func(testing.TB) {
	return func(t testing.TB) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fillKeys makes leases, rows larger than a page, and holes by a compaction.
func fillKeys(t testing.TB, s *peers.Server) {
	t.Helper()
	c := s.Client(t)
	grantLeases(t, s, 6000, 7, 1<<60)
	for i := range 400 {
		value := strings.Repeat("v", i*i%9000)
		must(c.Put(withTimeout(t), fmt.Sprintf("key%d", i%250), value, clientv3.WithLease(7)))(t)
	}
	must(c.Put(withTimeout(t), "large", strings.Repeat("L", 1<<20)))(t)
	must(c.Delete(withTimeout(t), "key1", clientv3.WithRange("key12")))(t)
	must(c.Txn(withTimeout(t)).Then(
		clientv3.OpPut("a", "1"), clientv3.OpDelete("key2"), clientv3.OpPut("b", "2")).Commit())(t)
	must(c.Compact(withTimeout(t), 300, clientv3.WithCompactPhysical()))(t)
}

// fillDatabase also makes a user and a role.
func fillDatabase(t testing.TB, s *peers.Server) {
	t.Helper()
	fillKeys(t, s)
	c := s.Client(t)
	must(c.RoleAdd(withTimeout(t), "reader"))(t)
	must(c.RoleGrantPermission(withTimeout(t), "reader", "a", "b", clientv3.PermissionType(clientv3.PermRead)))(t)
	must(c.UserAddWithOptions(withTimeout(t), "user", "", &clientv3.UserAddOptions{NoPassword: true}))(t)
	must(c.UserGrantRole(withTimeout(t), "user", "reader"))(t)
}

func liveDatabase(s *peers.Server) string { return filepath.Join(s.DataDir, "member", "snap", "db") }

func TestBoltReaderReadsAnEtcdsDatabase(t *testing.T) {
	s := peers.StartReference(t)
	fillDatabase(t, s)
	saved := filepath.Join(t.TempDir(), "saved.db")
	if _, err := snapshot.SaveWithVersion(withTimeout(t), zap.NewNop(),
		clientv3.Config{Endpoints: []string{s.Addr}}, saved); err != nil {
		t.Fatal(err)
	}
	s.Kill() // in the middle of whatever it was about
	for name, path := range map[string]string{"live": liveDatabase(s), "saved": saved} {
		sameRows(t, name, boltTool(t, "", "rows", path), boltRows(t, copyFile(t, path)))
		if report := boltTool(t, "", "check", path); !strings.Contains(report, "buckets 10 ") {
			t.Errorf("our check of the %s file: %s", name, report)
		}
	}
}

// randomRows has buckets of all sizes: none, inline, one leaf, trees of several levels.
func randomRows(rng *rand.Rand) string {
	var out strings.Builder
	for b := range 12 {
		fmt.Fprintf(&out, "bucket%02d\n", b)
		rows := rng.IntN(1 << (b + 1))
		longest := []int{10, 300, 5000}[rng.IntN(3)]
		for k := range rows {
			key := fmt.Sprintf("%06d%s", k, strings.Repeat("k", rng.IntN(1+rng.IntN(200))))
			value := bytes.Repeat([]byte{byte(k)}, rng.IntN(longest))
			fmt.Fprintf(&out, "bucket%02d\t%x\t%x\n", b, key, value)
		}
	}
	return out.String()
}

func TestBboltReadsOurFiles(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			rows := randomRows(rand.New(rand.NewPCG(seed, 1)))
			path := filepath.Join(t.TempDir(), "db")
			boltTool(t, rows, "write", path)
			sameRows(t, "bbolt reads", rows, boltRows(t, path))
			sameRows(t, "we read", boltTool(t, "", "rows", path), rows)
		})
	}
}

// Whatever bbolt makes of our file, it stays whole, with and without a freelist on disk.
func TestBboltChangesOurFiles(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			path := filepath.Join(t.TempDir(), "db")
			boltTool(t, randomRows(rng), "write", path)
			db := openBolt(t, path, false)
			db.NoFreelistSync = seed%2 == 0
			db.NoSync = true
			for range 20 {
				if err := db.Update(func(tx *bolt.Tx) error { return changeBuckets(tx, rng) }); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			sameRows(t, "after bbolt's changes", boltTool(t, "", "rows", path), boltRows(t, path))
			boltTool(t, "", "check", path)
		})
	}
}

// Files of hosts whose pages are not 4 KiB.
func TestBoltReaderReadsAnyPageSize(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 13, 1 << 16, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(size), 4))
			path := filepath.Join(t.TempDir(), "db")
			db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: size, NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bolt.Tx) error {
				for _, name := range []string{"key", "lease", "meta"} {
					if _, err := tx.CreateBucket([]byte(name)); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if err := db.Update(func(tx *bolt.Tx) error { return changeBuckets(tx, rng) }); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			sameRows(t, "rows", boltTool(t, "", "rows", path), boltRows(t, path))
			boltTool(t, "", "check", path)
		})
	}
}

func changeBuckets(tx *bolt.Tx, rng *rand.Rand) error {
	return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
		var keys [][]byte
		share := rng.IntN(4)
		if err := b.ForEach(func(k, _ []byte) error {
			if rng.IntN(4) < share {
				keys = append(keys, bytes.Clone(k))
			}
			return nil
		}); err != nil {
			return err
		}
		for _, k := range keys {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		for range rng.IntN(100) {
			key := fmt.Appendf(nil, "%06d", rng.IntN(3000))
			if err := b.Put(key, make([]byte, rng.IntN(600))); err != nil {
				return err
			}
		}
		return nil
	})
}

// transfer sends a database through a store of ours: the file it becomes, and what the store says.
func transfer(t testing.TB, database string) (path string, says map[string]string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ours.db")
	words := strings.Fields(boltTool(t, "", "transfer", database, path))
	says = map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		says[words[i]] = words[i+1]
	}
	return path, says
}

func TestADatabaseSurvivesOurStore(t *testing.T) {
	s := peers.StartReference(t)
	fillDatabase(t, s)
	hashKV, err := s.Client(t).HashKV(withTimeout(t), s.Addr, 0)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := pb.NewMaintenanceClient(s.Client(t).ActiveConnection()).Hash(withTimeout(t), &pb.HashRequest{})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	ours, says := transfer(t, liveDatabase(s))

	sameRows(t, "rows", boltRows(t, ours), boltRows(t, copyFile(t, liveDatabase(s))))
	if want := fmt.Sprint(hashKV.Hash); says["hashkv"] != want {
		t.Errorf("HashKV: etcd %s, our store %s", want, says["hashkv"])
	}
	if want := fmt.Sprint(hash.Hash); says["hash"] != want {
		t.Errorf("Hash: etcd %s, our store %s", want, says["hash"])
	}
	if want := fmt.Sprint(hashKV.CompactRevision); says["compacted"] != want {
		t.Errorf("compacted: etcd %s, our store %s", want, says["compacted"])
	}
	if says["version"] != "3.7.0" {
		t.Errorf("storage version %q", says["version"])
	}
	status := [2]map[string]any{}
	for i, path := range []string{copyFile(t, liveDatabase(s)), ours} {
		status[i] = etcdutlJSON(t, "snapshot", "status", path)
		delete(status[i], "totalSize")
	}
	if diff := cmp.Diff(status[0], status[1]); diff != "" {
		t.Errorf("snapshot status (- etcd's file, + ours): %s", diff)
	}
	if got := fmt.Sprint(etcdutlJSON(t, "hashkv", copyFile(t, ours))["hash"]); got != says["hashkv"] {
		t.Errorf("etcdutl hashkv of our file: %s, our store %s", got, says["hashkv"])
	}
}

// exportOf stops the server and returns its state as a database file.
func exportOf(t testing.TB, s *peers.Server) string {
	t.Helper()
	s.Stop()
	if _, err := os.Stat(liveDatabase(s)); err == nil {
		return copyFile(t, liveDatabase(s)) // the original, or it is under test
	}
	path := filepath.Join(t.TempDir(), "exported.db")
	boltTool(t, "", "export", filepath.Join(s.DataDir, "member"), path)
	return path
}

// The same requests make the same database: each row of each bucket, but for the log's index, which
// depends on when the members publish themselves, and the client's port.
func TestExportsOfBothAreEqual(t *testing.T) {
	var rows [2]string
	for i, s := range peers.StartBoth(t) {
		fillKeys(t, s)
		rows[i] = boltRows(t, exportOf(t, s))
		index := regexp.MustCompile(fmt.Sprintf("(?m)^meta\t%x\t.*$", "consistent_index"))
		rows[i] = index.ReplaceAllString(rows[i], "meta: the index")
		rows[i] = strings.ReplaceAll(rows[i], hex.EncodeToString([]byte(s.Addr)), "the client's address")
	}
	sameRows(t, "exported rows", rows[1], rows[0])
}

// contents is everything a client reads: keys, leases, users.
func contents(t testing.TB, s *peers.Server) []proto.Message {
	t.Helper()
	c, ctx := s.Client(t).ActiveConnection(), withTimeout(t)
	keys, err := pb.NewKVClient(c).Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}})
	if err != nil {
		t.Fatal(err)
	}
	leases, err := pb.NewLeaseClient(c).LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := pb.NewAuthClient(c).UserGet(ctx, &pb.AuthUserGetRequest{Name: "user"})
	if err != nil {
		t.Fatal(err)
	}
	sortByID(leases.Leases)
	keys.Header, leases.Header, user.Header = nil, nil, nil
	return []proto.Message{keys, leases, user}
}

// sortByID orders leases, which come by how long they have left: in any order where that is equal.
func sortByID(leases []*pb.LeaseStatus) {
	sort.Slice(leases, func(i, j int) bool { return leases[i].ID < leases[j].ID })
}

func sameContents(t testing.TB, before, after []proto.Message) {
	t.Helper()
	for i := range before {
		if !proto.Equal(before[i], after[i]) {
			t.Errorf("differs: %.2000s\nbefore: %.2000s", after[i], before[i])
		}
	}
}

// etcd starts on our file in the place of its own, goes on with it, and leaves it whole.
func TestEtcdStartsOnOurFile(t *testing.T) {
	s := peers.StartReference(t)
	fillDatabase(t, s)
	before := contents(t, s)
	s.Stop()
	ours, _ := transfer(t, liveDatabase(s))
	if err := os.Rename(ours, liveDatabase(s)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	sameContents(t, before, contents(t, s))
	c := s.Client(t)
	revision := int64(0)
	for i := range 300 {
		put, err := c.Put(withTimeout(t), fmt.Sprintf("key%d", i), "after")
		if err != nil {
			t.Fatal(err)
		}
		revision = put.Header.Revision
	}
	if _, err := c.Compact(withTimeout(t), revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	sameRows(t, "after etcd's changes", boltTool(t, "", "rows", liveDatabase(s)),
		boltRows(t, copyFile(t, liveDatabase(s))))
}

// Our file with its checksum, as a client saves it, is restored by the original's tool.
func TestEtcdutlRestoresOurFile(t *testing.T) {
	s := peers.StartReference(t)
	fillDatabase(t, s)
	before := contents(t, s)
	s.Stop()
	ours, _ := transfer(t, liveDatabase(s))
	appendSum(t, ours)
	restore(t, s, ours)
	s.Start()
	sameContents(t, before, contents(t, s))
}

func appendSum(t testing.TB, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(sum.Sum(nil)); err != nil {
		t.Fatal(err)
	}
}
