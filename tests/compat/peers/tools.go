// Package peers builds and runs the programs the tests in kvorum/tests/compat compare.
package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Tools of go.mod by the name their binary gets in bin/.
var tools = map[string]string{
	"etcd":           "go.etcd.io/etcd/server/v3",
	"etcdctl":        "go.etcd.io/etcd/etcdctl/v3",
	"etcdutl":        "go.etcd.io/etcd/etcdutl/v3",
	"benchmark":      "go.etcd.io/etcd/v3/tools/benchmark",
	"etcd-dump-logs": "go.etcd.io/etcd/v3/tools/etcd-dump-logs",
}

var buildOnce = sync.OnceValue(func() error {
	for name, pkg := range tools {
		cmd := exec.Command("go", "build", "-o", filepath.Join(moduleDir(), "bin", name), pkg)
		cmd.Dir = moduleDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
})

// Tool returns the path of one of the original's programs, building all of them on first use. A
// rebuild that changes nothing takes about a second.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if _, ok := tools[name]; !ok {
		t.Fatalf("go.mod has no tool %q", name)
	}
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return ToolPath(name)
}

// ToolPath returns where Tool and BuildTools put a program; it may not have been built yet.
func ToolPath(name string) string { return filepath.Join(moduleDir(), "bin", name) }

// BuildTools builds every tool without running a test.
func BuildTools() error { return buildOnce() }

// SourceRoot returns the root of the source tree.
func SourceRoot() string { return filepath.Join(moduleDir(), "..", "..") }

// Kvorum returns the path of the binary under test.
func Kvorum(t testing.TB) string {
	t.Helper()
	path, err := KvorumPath()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// KvorumPath is Kvorum for a program that is no test.
func KvorumPath() (string, error) {
	path := os.Getenv("KVORUM_BIN")
	if path == "" {
		path = filepath.Join(SourceRoot(), "build", "release", "kvorum")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no binary to test (set KVORUM_BIN, or build the release preset): %w", err)
	}
	return path, nil
}

func moduleDir() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(filepath.Dir(file), "/peers")
}
