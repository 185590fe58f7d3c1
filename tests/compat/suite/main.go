// Runs etcd's own tests/common, in the form that drives a server binary and etcdctl (build tag e2e),
// against kvorum.
//
// The list of what there is to run comes from the suite itself: every case is once given a server
// that only writes down its flags and ends (probe.go). Taken off that list is what needs TLS or
// authentication, and nothing else (exclude.go). The rest runs,
// and each case of it must report a result (run.go).
//
//	go run ./suite [-list] [-run REGEX]
//
// The suite also has clusters in which a minority or a majority of members runs an older release.
// Theirs is etcd v3.7.1, so these are mixed of the original and kvorum.
//
// The binary under test is $KVORUM_BIN. The suite's ports, 20000 to 20024, have to be free.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"kvorum/tests/compat/peers"
)

func main() {
	list := flag.Bool("list", false, "print every case, with the reason if it is excluded, and end")
	only := flag.String("run", "", "run only the cases that match, as `go test -run` does")
	flag.Parse()
	ok, err := suite(*list, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// suite returns whether every case that ran passed or skipped itself.
func suite(listOnly bool, only string) (bool, error) {
	dir, err := os.MkdirTemp("", "kvorum-suite-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if err := portsFree(); err != nil {
		return false, err
	}
	cases, err := probe(dir)
	if err != nil {
		return false, err
	}
	if err := exclude(cases, table); err != nil {
		return false, err
	}
	if listOnly {
		printList(cases)
		return true, nil
	}
	bin, err := binaries(filepath.Join(dir, "bin"))
	if err != nil {
		return false, err
	}
	results, err := run(bin, skipPattern(cases), only, newPrinter(cases))
	if err != nil {
		return false, err
	}
	return summary(cases, results, only != ""), nil
}

// portsFree fails if something listens where the suite starts up to five members.
func portsFree() error {
	for port := 20000; port < 20025; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", port))
		if err != nil {
			return fmt.Errorf("the suite needs its ports: %w", err)
		}
		l.Close()
	}
	return nil
}

// binaries fills dir with what the suite looks for: the server under test by etcd's name, the
// original's tools, and the original as the release that clusters of mixed versions start with.
func binaries(dir string) (string, error) {
	kvorum, err := peers.KvorumPath()
	if err != nil {
		return "", err
	}
	if err := peers.BuildTools(); err != nil {
		return "", err
	}
	links := map[string]string{
		"etcd": kvorum, "etcd-last-release": peers.ToolPath("etcd"),
		"etcdctl": peers.ToolPath("etcdctl"), "etcdutl": peers.ToolPath("etcdutl"),
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}
