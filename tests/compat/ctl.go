package compat

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"kvorum/tests/compat/peers"
)

const ctlTimeout = 30 * time.Second

// ctlResult is what a user sees of one etcdctl call, masked.
type ctlResult struct {
	Status         int
	Stdout, Stderr string
}

// ctl runs etcdctl 3.7.1 against one server.
func ctl(t testing.TB, s *peers.Server, stdin string, args ...string) ctlResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ctlTimeout)
	defer cancel()
	cmd := ctlCommand(ctx, t, s, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("etcdctl %s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("etcdctl %s against %s does not end; so far:\n%s%s", strings.Join(args, " "), s.Name,
			stdout.String(), stderr.String())
	}
	return ctlResult{
		Status: cmd.ProcessState.ExitCode(),
		Stdout: mask(s, stdout.String()),
		Stderr: mask(s, stderr.String()),
	}
}

func ctlCommand(ctx context.Context, t testing.TB, s *peers.Server, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, peers.Tool(t, "etcdctl"), append([]string{"--endpoints=" + s.Addr}, args...)...)
	cmd.Env = []string{} // no ETCDCTL_* of the user's
	return cmd
}
