package cluster

import (
	"fmt"
	"strings"
	"testing"

	"kvorum/tests/compat/peers"
)

// memberAdd adds a member as `etcdctl member add` does, patiently: until a member added before it is
// connected to all, the cluster refuses.
func memberAdd(t testing.TB, at, m *peers.Server, flags ...string) {
	t.Helper()
	args := append([]string{"member", "add", m.Name, "--peer-urls=" + m.PeerURL}, flags...)
	eventually(t, func() string {
		out, err := etcdctlTry(t, at, args...)
		if err == nil {
			return ""
		}
		if !strings.Contains(out, "unhealthy cluster") {
			t.Fatalf("member add %s: %s", m.Name, out)
		}
		return out
	})
}

// join adds a member to those that are present and starts it.
func join(t testing.TB, c *peers.Cluster, program peers.Program, present ...*peers.Server) *peers.Server {
	t.Helper()
	m := c.NewMember(program, present...)
	memberAdd(t, present[0], m)
	m.Start()
	return m
}

func memberRemove(t testing.TB, at *peers.Server, id uint64) {
	t.Helper()
	eventually(t, func() string {
		out, err := etcdctlTry(t, at, "member", "remove", fmt.Sprintf("%x", id))
		if err != nil {
			return out
		}
		return ""
	})
}

func TestGrowthFromOneToThree(t *testing.T) {
	forPrograms(t, func(t *testing.T, p programs) {
		c := peers.StartCluster(t, p[:1])
		w := startWriter(t, c.Client(t, c.Members...))
		for _, program := range p[1:] {
			w.awaitMore(t)
			m := join(t, c, program, c.Members...)
			if _, err := m.Client(t).Put(withTimeout(t), "joined", m.Name); err != nil {
				t.Fatalf("writing at %s: %v", m.Name, err)
			}
			expect(t, c.Members[0], "joined", m.Name)
		}
		w.stopAndCheck(t, c.Members...)
		c.Members[0].Kill() // the two that joined are a quorum by themselves
		putAtAll(t, c, "the last two")
		c.Members[0].Start()
		w.stopAndCheck(t, c.Members...)
	})
}

func TestLearnerBecomesVoter(t *testing.T) {
	forPrograms(t, func(t *testing.T, p programs) {
		c := peers.StartCluster(t, p[:2])
		w := startWriter(t, c.Client(t, c.Members...))
		learner := c.NewMember(p[2], c.Members...)
		memberAdd(t, c.Members[0], learner, "--learner")
		learner.Start()
		if answer := status(learner.Client(t)); answer == nil || !answer.IsLearner {
			t.Errorf("status of the learner: %v", answer)
		}
		if _, err := learner.Client(t).Get(withTimeout(t), "x"); err == nil ||
			!strings.Contains(err.Error(), "rpc not supported for learner") {
			t.Errorf("a read at the learner: %v", err)
		}
		promote(t, c.Members[1], learner)
		eventually(t, func() string {
			if _, err := learner.Client(t).Put(withTimeout(t), "promoted", "yes"); err != nil {
				return err.Error()
			}
			return ""
		})
		w.awaitMore(t)
		w.stopAndCheck(t, c.Members...)
	})
}

// promote makes a learner a voter, as soon as it is in sync.
func promote(t testing.TB, at, learner *peers.Server) {
	t.Helper()
	learnerID := fmt.Sprintf("%x", id(t, learner))
	eventually(t, func() string {
		out, err := etcdctlTry(t, at, "member", "promote", learnerID)
		if err == nil {
			return ""
		}
		if !strings.Contains(out, "in sync") {
			t.Fatalf("promoting: %s", out)
		}
		return out
	})
}

// A member that is removed ends well, and its directory is of no more use.
func TestRemovedMemberEnds(t *testing.T) {
	for name, pick := range map[string]func(*testing.T, *peers.Cluster) *peers.Server{
		"Follower": func(t *testing.T, c *peers.Cluster) *peers.Server {
			return others(c.Members, leaderOf(t, c.Members...))[0]
		},
		"Leader": func(t *testing.T, c *peers.Cluster) *peers.Server { return leaderOf(t, c.Members...) },
	} {
		t.Run(name, func(t *testing.T) {
			onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
				m := pick(t, c)
				rest := others(c.Members, m)
				memberRemove(t, rest[0], id(t, m))
				if code := m.WaitExit(); code != 0 {
					t.Errorf("%s ended with %d", m.Name, code)
				}
				leaderOf(t, rest...)
				w.awaitMore(t)
				m.Launch()
				m.WaitExit() // etcd's status depends on how far its start got
				if m.Logged("data-dir used by this member must be removed") == 0 {
					t.Errorf("%s does not say why it ended", m.Name)
				}
			})
		})
	}
}

func TestDeadMemberReplaced(t *testing.T) {
	forPrograms(t, func(t *testing.T, p programs) {
		c := peers.StartCluster(t, p)
		dead := c.Members[2]
		deadID := id(t, dead)
		w := startWriter(t, c.Client(t, c.Members...))
		dead.Kill()
		w.awaitMore(t)
		memberRemove(t, c.Members[0], deadID)
		join(t, c, p[2], c.Members[:2]...)
		w.awaitMore(t)
		w.stopAndCheck(t, running(c)...)
		list := etcdctl(t, c.Members[3], "member", "list")
		if strings.Count(list, "started") != 3 || strings.Contains(list, dead.PeerURL) {
			t.Errorf("members:\n%s", list)
		}
	})
}
