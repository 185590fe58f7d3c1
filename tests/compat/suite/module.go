package main

import (
	"os/exec"
	"path/filepath"

	"kvorum/tests/compat/peers"
)

const packagePath = "go.etcd.io/etcd/tests/v3/common"

// testCommand returns the `go test` that runs the suite with the programs in binDir and prints what
// happens as JSON.
func testCommand(binDir string, flags ...string) *exec.Cmd {
	args := append([]string{"test", "-json", "-count=1", "-tags=e2e"}, flags...)
	cmd := exec.Command("go", append(args, packagePath, "-args", "-bin-dir", binDir)...)
	cmd.Dir = filepath.Join(peers.SourceRoot(), "tests", "compat")
	return cmd
}
