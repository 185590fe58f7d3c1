package compat

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kvorum/tests/compat/peers"
)

// One etcdctl call; the words of `args` are separated by blanks, ” is the empty word, `stdin` is
// what a user types.
type step struct {
	args  string
	stdin string
}

// sameOnBoth gives every step to both servers, in order, and compares what comes back.
func sameOnBoth(t *testing.T, servers [2]*peers.Server, steps []step) {
	t.Helper()
	for _, st := range steps {
		t.Run(strings.ReplaceAll(st.args, "/", "|"), func(t *testing.T) {
			args := strings.Fields(st.args)
			for i := range args {
				if args[i] == "''" {
					args[i] = ""
				}
			}
			want := ctl(t, servers[0], st.stdin, args...)
			got := ctl(t, servers[1], st.stdin, args...)
			if strings.Contains(st.args, "endpoint") && strings.HasSuffix(st.args, "table") {
				want.Stdout, got.Stdout = unframed(want.Stdout), unframed(got.Stdout)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("etcdctl %s differs (- %s, + %s):\n%s", st.args, servers[0].Name, servers[1].Name, diff)
			}
		})
	}
}

func calls(args ...string) []step {
	steps := make([]step, len(args))
	for i, a := range args {
		steps[i].args = a
	}
	return steps
}

// inEveryFormat repeats each call with every output format.
func inEveryFormat(args ...string) []step {
	var steps []step
	for _, a := range args {
		for _, format := range []string{"simple", "json", "fields", "protobuf", "table"} {
			steps = append(steps, step{args: a + " -w " + format})
		}
	}
	return steps
}

func TestEtcdctlPutAndGet(t *testing.T) {
	servers := peers.StartBoth(t)
	sameOnBoth(t, servers, calls("put a 1", "put b 2", "put a 3", "put dir/x vx", "put dir/y vy", "put dir/z va",
		"put b 5 --prev-kv", "put b --ignore-value", "put new --ignore-value", "put c 7 --prev-kv -w json",
		"put dir/y --ignore-lease vv", "put", "put c"))
	sameOnBoth(t, servers, inEveryFormat("get a", "get missing", "get dir/ --prefix", "put b 4 --prev-kv"))
	sameOnBoth(t, servers, calls(
		"get --prefix --from-key a", "get b --from-key", "get a dir/y", "get a dir/y -w json",
		"get --prefix dir/ --limit=2", "get --prefix dir/ --limit=2 -w json", "get --prefix dir/ --limit=3 -w json",
		"get --prefix dir/ --keys-only", "get --prefix dir/ --keys-only -w json", "get --prefix dir/ --count-only",
		"get --prefix dir/ --count-only -w json", "get --prefix dir/ --count-only -w fields",
		"get --prefix dir/ --print-value-only", "get a --rev=2", "get a --rev=2 -w json", "get a --rev=1 -w json",
		"get a --rev=1000", "get a --rev=-1 -w json", "get a --hex", "get a --consistency=s -w json",
		"get --from-key a --limit=1 -w json", "get --prefix --min-mod-rev=5 dir/ -w json",
		"get --prefix --max-mod-rev=5 dir/ -w json", "get --prefix --max-create-rev=5 dir/ -w json",
		"get --prefix --min-create-rev=6 dir/ --limit=1 -w json",
	))
}

func TestEtcdctlGetSorted(t *testing.T) {
	servers := peers.StartBoth(t)
	// No two keys agree in anything one sorts by: the order of equals is nobody's promise.
	sameOnBoth(t, servers, calls("put s1 d", "put s2 a", "put s3 e", "put s4 c", "put s2 b", "put s3 f", "put s3 g",
		"put s1 h", "put s1 i", "put s1 k"))
	for _, by := range []string{"KEY", "VERSION", "CREATE", "MODIFY", "VALUE"} {
		for _, order := range []string{"ASCEND", "DESCEND"} {
			s := "get --from-key s --sort-by=" + by + " --order=" + order + " -w json"
			sameOnBoth(t, servers, calls(s, s+" --limit=2", s+" --keys-only", s+" --count-only"))
		}
	}
	sameOnBoth(t, servers, calls("get --prefix s --sort-by=NONSENSE", "get --prefix s --order=NONSENSE"))
}

func TestEtcdctlValuesFromStdinAndOddKeys(t *testing.T) {
	sameOnBoth(t, peers.StartBoth(t), []step{
		{args: "put fromstdin", stdin: "several\nlines"}, {args: "get fromstdin -w json"},
		{args: "put empty", stdin: ""}, {args: "get empty -w json"},
		{args: "put ключ значение"}, {args: "get ключ -w json"}, {args: "get ключ -w fields"},
		{args: "get ''"}, {args: "get '' --prefix --keys-only"}, {args: "get '' --from-key --count-only -w json"},
		{args: "put '' v"}, {args: "put nothing ''"}, {args: "get nothing -w json"},
		{args: "put bin", stdin: "\x00\xff\xfe"}, {args: "get bin -w json"}, {args: "get bin -w protobuf"},
	})
}

func TestEtcdctlDel(t *testing.T) {
	servers := peers.StartBoth(t)
	sameOnBoth(t, servers, calls("put a 1", "put b 2", "put p/1 x", "put p/2 y", "put p/3 z", "put q 1"))
	sameOnBoth(t, servers, calls("del missing", "del a --prev-kv", "del a", "del p/ --prefix --prev-kv -w json",
		"put r 1", "put s 2", "del q s --prev-kv", "get --from-key a", "del --from-key a -w json", "get --from-key a -w json",
		"get r --rev=8 -w json"))
	sameOnBoth(t, servers, inEveryFormat("del none"))
}

func TestEtcdctlTxn(t *testing.T) {
	servers := peers.StartBoth(t)
	sameOnBoth(t, servers, calls("put k v1", "put n 10"))
	txn := func(parts ...string) string {
		var typed string
		for _, part := range parts {
			if part != "" {
				typed += part + "\n"
			}
			typed += "\n" // ends the part
		}
		return typed
	}
	steps := []step{
		{args: "txn", stdin: txn(`value("k") = "v1"`, `put k v2`, `put k no`)},
		{args: "txn", stdin: txn(`value("k") = "v1"`, `put k v3`, "get k\ndel n")},
		{args: "txn", stdin: txn("mod(\"k\") > \"1\"\nver(\"k\") = \"2\"", "put a 1\nput b 2\nget a\ndel k", "")},
		{args: "txn", stdin: txn(`create("nothing") = "0"`, `put made x`, ``)},
		{args: "txn", stdin: txn(`create("nothing") = "0"`, ``, ``)},
		{args: "txn", stdin: txn(`value("nothing") = ""`, `put then 1`, `put else 1`)},
		{args: "txn", stdin: txn(`value("nothing") != "x"`, `put then 1`, `put else 1`)},
		{args: "txn", stdin: txn(``, "put same 1\nput same 2", ``)},
		{args: "txn", stdin: txn(``, "del --prefix \"\"\nput made y", ``)},
		{args: "txn", stdin: txn(`nonsense`, ``, ``)},
	}
	for _, format := range []string{"json", "fields", "table", "protobuf"} {
		steps = append(steps, step{args: "txn -w " + format, stdin: txn(`value("a") = "1"`, "put a 1\nget a\ndel b", "get k")})
	}
	sameOnBoth(t, servers, steps)
	sameOnBoth(t, servers, calls("get --from-key a -w json"))
}

func TestEtcdctlLease(t *testing.T) {
	servers := peers.StartBoth(t)
	// Ids are chosen by the client here, so that they are equal.
	for _, s := range servers {
		grantLeases(t, s, 600, 0x1001, 0x1002)
	}
	sameOnBoth(t, servers, calls("put l1 v --lease=1001", "put l2 v --lease=1001", "put l3 v --lease=1002", "put l0 v --lease=9999",
		"get l1 -w json", "put l2 w --ignore-lease", "get l2 -w json", "get --prefix l --keys-only -w json",
		"lease timetolive 1001", "lease timetolive 1002 --keys", "lease timetolive 1002 --keys -w json",
		"lease timetolive 1002 --keys -w fields", "lease timetolive 9999", "lease timetolive 9999 -w json",
		"lease list", "lease list -w json", "lease keep-alive --once 1001", "lease keep-alive --once 9999",
		"lease keep-alive --once 1001 -w json",
		"lease revoke 1001", "lease revoke 1001", "get --prefix l -w json", "lease list", "lease revoke 1002 -w json",
		"get --prefix l -w json", "lease grant 0", "lease grant 9000000001"))
}

func TestEtcdctlCompaction(t *testing.T) {
	servers := peers.StartBoth(t)
	sameOnBoth(t, servers, calls("put a 1", "put a 2", "put b 1", "del b", "put a 3", "compaction 4", "compaction 4",
		"compaction 3", "compaction 1000", "compaction 0", "get a --rev=3", "get a --rev=4 -w json", "get b --rev=4 -w json",
		"get b --rev=5 -w json", "watch a --rev=2", "put a 4", "compaction --physical 6", "get --from-key a --rev=6 -w json",
		"compaction 7 -w json", "compaction nonsense"))
}

func TestEtcdctlEndpointAndMembers(t *testing.T) {
	servers := peers.StartBoth(t)
	sameOnBoth(t, servers, calls("put a 1", "put a 2", "endpoint health",
		"endpoint health --cluster",
		"endpoint hashkv", "endpoint hashkv -w json", "endpoint hashkv -w fields", "endpoint hashkv --rev=2",
		"endpoint hashkv --rev=1000", "compaction 3", "endpoint hashkv --rev=2", "endpoint hashkv --rev=3 -w json",
		"alarm list", "alarm list -w json", "alarm disarm", "version"))
	sameOnBoth(t, servers, inEveryFormat("member list", "endpoint hashkv", "endpoint status", "endpoint health"))
}
