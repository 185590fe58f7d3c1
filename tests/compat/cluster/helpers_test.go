// Package cluster tries clusters of several members as an operator does: of kvorum alone and mixed
// with etcd v3.7.1, in both orders. After each test no acknowledged write may be missing, and all
// members have to have the same HashKV.
package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

const (
	callTimeout  = 20 * time.Second
	waitTimeout  = 60 * time.Second // for what takes elections, too
	pollInterval = 50 * time.Millisecond

	ourProgram, etcd = peers.KvorumProgram, peers.EtcdProgram
)

// programs are what the three members of a cluster run, in the order they start or join.
type programs []peers.Program

// forPrograms runs a test on a cluster of kvorum alone and, unless -short, on two that are mixed.
func forPrograms(t *testing.T, test func(*testing.T, programs)) {
	for name, p := range map[string]programs{
		"Kvorum":            {ourProgram, ourProgram, ourProgram},
		"EtcdAndTwoKvorum":  {etcd, ourProgram, ourProgram},
		"KvorumAndTwoEtcds": {ourProgram, etcd, etcd},
	} {
		if testing.Short() && name != "Kvorum" {
			continue
		}
		t.Run(name, func(t *testing.T) { test(t, p) })
	}
}

// onThree runs a test on a started cluster of three while a client writes, and looks afterwards
// whether what the client was acknowledged is there, at all members alike.
func onThree(t *testing.T, test func(*testing.T, *peers.Cluster, *writer), flags ...string) {
	forPrograms(t, func(t *testing.T, p programs) {
		c := peers.StartCluster(t, p, flags...)
		w := startWriter(t, c.Client(t, c.Members...))
		w.awaitMore(t)
		test(t, c, w)
		w.stopAndCheck(t, running(c)...)
	})
}

func running(c *peers.Cluster) []*peers.Server {
	var members []*peers.Server
	for _, m := range c.Members {
		if m.Running() {
			members = append(members, m)
		}
	}
	return members
}

func withTimeout(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until missing returns nothing; it says what is missing.
func eventually(t testing.TB, missing func() string) {
	t.Helper()
	deadline := time.After(waitTimeout)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		why := missing()
		if why == "" {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %v: %s", waitTimeout, why)
		}
	}
}

// status is what one member says of itself, or nil.
func status(c *clientv3.Client) *pb.StatusResponse {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	answer, err := pb.NewMaintenanceClient(c.ActiveConnection()).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return nil
	}
	return answer
}

// leaderOf waits until these members agree on a leader that is one of them, and returns it.
func leaderOf(t testing.TB, members ...*peers.Server) *peers.Server {
	t.Helper()
	var clients []*clientv3.Client
	for _, m := range members {
		clients = append(clients, m.Client(t))
	}
	var leader *peers.Server
	eventually(t, func() string {
		leader = nil
		var first *pb.StatusResponse
		for i, client := range clients {
			s := status(client)
			switch {
			case s == nil:
				return members[i].Name + " gives no status"
			case s.Leader == 0:
				return members[i].Name + " has no leader"
			case first == nil:
				first = s
			case s.Leader != first.Leader || s.RaftTerm != first.RaftTerm:
				return fmt.Sprintf("leader %x of term %d, and %x of %d", s.Leader, s.RaftTerm, first.Leader,
					first.RaftTerm)
			}
			if s.Header.MemberId == s.Leader {
				leader = members[i]
			}
		}
		if leader == nil {
			return "the leader is none of these"
		}
		return ""
	})
	return leader
}

// others returns the members but for one.
func others(members []*peers.Server, but *peers.Server) []*peers.Server {
	var rest []*peers.Server
	for _, m := range members {
		if m != but {
			rest = append(rest, m)
		}
	}
	return rest
}

func id(t testing.TB, m *peers.Server) uint64 {
	t.Helper()
	answer, err := m.Client(t).Status(withTimeout(t), m.Addr)
	if err != nil {
		t.Fatalf("status of %s: %v", m.Name, err)
	}
	return answer.Header.MemberId
}

// etcdctl runs a command against one member and fails the test if the command does.
func etcdctl(t testing.TB, m *peers.Server, args ...string) string {
	t.Helper()
	out, err := etcdctlTry(t, m, args...)
	if err != nil {
		t.Fatalf("etcdctl %s at %s: %v\n%s", strings.Join(args, " "), m.Name, err, out)
	}
	return out
}

func etcdctlTry(t testing.TB, m *peers.Server, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(withTimeout(t), peers.Tool(t, "etcdctl"),
		append([]string{"--endpoints=" + m.Addr}, args...)...)
	cmd.Env = []string{} // no ETCDCTL_* of the user's
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Building takes time, which must not count as a server's.
func TestMain(m *testing.M) {
	if err := peers.BuildTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
