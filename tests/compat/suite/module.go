package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"kvorum/tests/compat/peers"
)

const (
	modulePath  = "go.etcd.io/etcd/tests/v3"
	packagePath = modulePath + "/common"

	// The one change to the suite: in this file, this becomes that.
	changedFile = "framework/config/cluster.go"
	defaultSize = "ClusterSize:         3,"
	changedSize = "ClusterSize:         1,"
)

// module is a copy of etcd's test module in which a cluster of default size has one member.
type module struct {
	modFile string // names the copy in place of the published module
}

// newModule copies the module into dir.
func newModule(dir string) (*module, error) {
	source, err := goCommand("list", "-tags=e2e", "-f", "{{.Module.Dir}}", packagePath).Output()
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", packagePath, err)
	}
	copied := filepath.Join(dir, "module")
	if err := os.CopyFS(copied, os.DirFS(strings.TrimSpace(string(source)))); err != nil {
		return nil, err
	}
	if err := lowerDefaultSize(filepath.Join(copied, changedFile)); err != nil {
		return nil, err
	}
	m := &module{modFile: filepath.Join(dir, "go.mod")}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(compatDir(), name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	replace := goCommand("mod", "edit", "-replace", modulePath+"="+copied, m.modFile)
	if out, err := replace.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go mod edit: %w\n%s", err, out)
	}
	return m, nil
}

func lowerDefaultSize(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := bytes.Count(content, []byte(defaultSize)); n != 1 {
		return fmt.Errorf("%s sets the default cluster size in %d places", changedFile, n)
	}
	content = bytes.Replace(content, []byte(defaultSize), []byte(changedSize), 1)
	return os.WriteFile(path, content, 0o600)
}

// testCommand returns the `go test` that runs the suite with the programs in binDir and prints what
// happens as JSON.
func (m *module) testCommand(binDir string, flags ...string) *exec.Cmd {
	args := append([]string{"test", "-json", "-count=1", "-tags=e2e", "-modfile=" + m.modFile}, flags...)
	return goCommand(append(args, packagePath, "-args", "-bin-dir", binDir)...)
}

func compatDir() string { return filepath.Join(peers.SourceRoot(), "tests", "compat") }

func goCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = compatDir()
	return cmd
}
