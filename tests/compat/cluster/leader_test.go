package cluster

import (
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

func TestWritesAtEachMemberAreReadAtEach(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		for _, at := range c.Members {
			if _, err := at.Client(t).Put(withTimeout(t), "written-at", at.Name); err != nil {
				t.Fatalf("writing at %s: %v", at.Name, err)
			}
			for _, m := range c.Members {
				expect(t, m, "written-at", at.Name)
			}
		}
	})
}

// expect reads linearizably.
func expect(t testing.TB, m *peers.Server, key, want string) {
	t.Helper()
	answer, err := m.Client(t).Get(withTimeout(t), key)
	if err != nil {
		t.Fatalf("reading %s at %s: %v", key, m.Name, err)
	}
	if len(answer.Kvs) != 1 || string(answer.Kvs[0].Value) != want {
		t.Errorf("%s at %s is %v, not %s", key, m.Name, answer.Kvs, want)
	}
}

func TestLeaderKilled(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		for range 3 {
			leader := leaderOf(t, c.Members...)
			leader.Kill()
			next := leaderOf(t, others(c.Members, leader)...)
			putAtAll(t, c, next.Name)
			w.awaitMore(t)
			leader.Start()
			expect(t, leader, "by", next.Name)
		}
	})
}

func putAtAll(t testing.TB, c *peers.Cluster, value string) {
	t.Helper()
	client := c.Client(t, running(c)...)
	eventually(t, func() string {
		if _, err := client.Put(withTimeout(t), "by", value); err != nil {
			return err.Error()
		}
		return ""
	})
}

// A leader that is told to end hands over first.
func TestLeaderStopped(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		for range 3 {
			leader := leaderOf(t, c.Members...)
			before := leader.Logged("leadership transfer finished")
			leader.Stop()
			if leader.Logged("leadership transfer finished") != before+1 {
				t.Errorf("%s ended without handing over", leader.Name)
			}
			next := leaderOf(t, others(c.Members, leader)...)
			putAtAll(t, c, next.Name)
			w.awaitMore(t)
			leader.Start()
			expect(t, leader, "by", next.Name)
		}
	})
}

// A leader that slept through an election must not answer as if it led.
func TestLeaderPaused(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		for range 2 {
			leader := leaderOf(t, c.Members...)
			old := leader.Client(t)
			if _, err := old.Put(withTimeout(t), "by", "nobody"); err != nil {
				t.Fatal(err)
			}
			leader.Pause()
			rest := others(c.Members, leader)
			next := leaderOf(t, rest...)
			if _, err := c.Client(t, rest...).Put(withTimeout(t), "by", next.Name); err != nil {
				t.Fatal(err)
			}
			w.awaitMore(t)
			leader.Resume()
			eventually(t, func() string {
				answer, err := old.Get(withTimeout(t), "by")
				if err != nil {
					return err.Error()
				}
				if got := string(answer.Kvs[0].Value); got != next.Name {
					t.Fatalf("%s read %s after %s was acknowledged", leader.Name, got, next.Name)
				}
				return ""
			})
		}
	})
}

func TestMoveLeader(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		for range 3 {
			leader := leaderOf(t, c.Members...)
			for _, m := range others(c.Members, leader) {
				target := fmt.Sprintf("%x", id(t, m))
				etcdctl(t, leader, "move-leader", target)
				if now := leaderOf(t, c.Members...); now != m {
					t.Errorf("%s leads, not %s", now.Name, m.Name)
				}
				out, err := etcdctlTry(t, leader, "move-leader", target)
				if err == nil || !strings.Contains(out, "no leader endpoint given at") {
					t.Errorf("move-leader at a follower: %v %s", err, out)
				}
				leader = m
				w.awaitMore(t)
			}
		}
	})
}

func TestAllMembersDownAndUp(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		for _, down := range []func(*peers.Server){(*peers.Server).Kill, (*peers.Server).Stop} {
			putAtAll(t, c, "before")
			for _, m := range c.Members {
				down(m)
			}
			for _, m := range c.Members {
				m.Launch()
			}
			for _, m := range c.Members {
				m.WaitReady()
				expect(t, m, "by", "before")
			}
		}
	})
}

// Two of three down: no writes, no linearizable reads, but local ones; and all is well afterwards.
func TestNoQuorum(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		putAtAll(t, c, "quorum")
		awaitEqual(t, c.Members[0]) // it answers
		expect(t, c.Members[0], "by", "quorum")
		c.Members[1].Kill()
		c.Members[2].Kill()
		alone := c.Members[0].Client(t)
		if _, err := alone.Put(withTimeout(t), "by", "one"); err == nil {
			t.Error("one of three took a write")
		}
		if _, err := alone.Get(withTimeout(t), "by"); err == nil {
			t.Error("one of three answered a linearizable read")
		}
		answer, err := alone.Get(withTimeout(t), "by", clientv3.WithSerializable())
		if err != nil || len(answer.Kvs) != 1 || string(answer.Kvs[0].Value) != "quorum" {
			t.Errorf("a local read: %v %v", answer, err)
		}
		c.Members[1].Launch()
		c.Members[2].Launch()
		c.Members[1].WaitReady()
		c.Members[2].WaitReady()
	})
}
