package cluster

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

// attached grants a lease at a member and attaches a key to it.
func attached(t testing.TB, m *peers.Server, key string, seconds int64) clientv3.LeaseID {
	t.Helper()
	client := m.Client(t)
	grant, err := client.Grant(withTimeout(t), seconds)
	if err != nil {
		t.Fatalf("granting at %s: %v", m.Name, err)
	}
	if _, err := client.Put(withTimeout(t), key, "leased", clientv3.WithLease(grant.ID)); err != nil {
		t.Fatalf("writing at %s: %v", m.Name, err)
	}
	return grant.ID
}

func awaitGone(t testing.TB, m *peers.Server, key string) {
	t.Helper()
	client := m.Client(t)
	eventually(t, func() string {
		answer, err := client.Get(withTimeout(t), key)
		if err != nil {
			return err.Error()
		}
		if len(answer.Kvs) != 0 {
			return key + " is still there"
		}
		return ""
	})
}

// Only the leader knows how long a lease has to live; every member answers for it.
func TestLeaseAtFollowerOutlivesLeader(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		leader := leaderOf(t, c.Members...)
		rest := others(c.Members, leader)
		at := rest[0].Client(t)
		long := attached(t, rest[0], "long", 600)
		attached(t, rest[1], "short", 5)
		renewed, err := at.KeepAliveOnce(withTimeout(t), long)
		if err != nil || renewed.TTL != 600 {
			t.Fatalf("a keepalive at a follower: %v %v", renewed, err)
		}
		leader.Kill()
		leaderOf(t, rest...)
		eventually(t, func() string {
			renewed, err := at.KeepAliveOnce(withTimeout(t), long)
			if err != nil {
				return err.Error()
			}
			if renewed.TTL != 600 {
				t.Errorf("renewed for %d s", renewed.TTL)
			}
			return ""
		})
		awaitGone(t, rest[0], "short")
		leader.Start()
		for _, m := range c.Members {
			expect(t, m, "long", "leased")
			left, err := m.Client(t).TimeToLive(withTimeout(t), long, clientv3.WithAttachedKeys())
			if err != nil || left.GrantedTTL != 600 || left.TTL <= 0 || len(left.Keys) != 1 {
				t.Errorf("the lease at %s: %v %v", m.Name, left, err)
			}
		}
		if _, err := at.Revoke(withTimeout(t), long); err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Members {
			awaitGone(t, m, "long")
		}
	})
}

// A stream of keepalives at a follower goes on under the next leader.
func TestKeepAliveStreamAtFollower(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		leader := leaderOf(t, c.Members...)
		rest := others(c.Members, leader)
		lease := attached(t, rest[0], "kept", 20)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		answers, err := rest[0].Client(t).KeepAlive(ctx, lease)
		if err != nil {
			t.Fatal(err)
		}
		awaitAnswer(t, answers)
		leader.Kill()
		leaderOf(t, rest...)
		for range 2 {
			awaitAnswer(t, answers)
		}
		expect(t, rest[1], "kept", "leased")
		leader.Start()
	})
}

func awaitAnswer(t testing.TB, answers <-chan *clientv3.LeaseKeepAliveResponse) {
	t.Helper()
	select {
	case answer, open := <-answers:
		if !open || answer.TTL != 20 {
			t.Fatalf("the lease is lost: %v", answer)
		}
	case <-time.After(waitTimeout):
		t.Fatal("no answer to a keepalive")
	}
}

// A watch at a follower sees each revision once and in order, whoever leads.
func TestWatchAtFollowerMissesNothing(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		leader := leaderOf(t, c.Members...)
		watched := others(c.Members, leader)[0]
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		events := watched.Client(t).Watch(ctx, "", clientv3.WithPrefix(), clientv3.WithRev(2))
		w.awaitMore(t)
		leader.Kill()
		leaderOf(t, others(c.Members, leader)...)
		w.awaitMore(t)
		leader.Start()
		w.awaitMore(t)
		w.end()
		put, err := watched.Client(t).Put(withTimeout(t), "last", "")
		if err != nil {
			t.Fatal(err)
		}
		expectEach(t, events, 2, put.Header.Revision)
	})
}

// expectEach wants one event at each revision.
func expectEach(t testing.TB, events clientv3.WatchChan, first, last int64) {
	t.Helper()
	deadline := time.After(waitTimeout)
	for next := first; next <= last; {
		select {
		case answer, open := <-events:
			if !open || answer.Err() != nil {
				t.Fatalf("the watch ended: %v", answer.Err())
			}
			for _, event := range answer.Events {
				if event.Kv.ModRevision != next {
					t.Fatalf("an event of revision %d, not %d", event.Kv.ModRevision, next)
				}
				next++
			}
		case <-deadline:
			t.Fatalf("no event of revision %d; the last is %d", next, last)
		}
	}
}
