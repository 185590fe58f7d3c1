package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

func writeMany(t testing.TB, client *clientv3.Client, prefix string, count, size int) {
	t.Helper()
	for i := range count {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		_, err := client.Put(ctx, fmt.Sprintf("%s%d", prefix, i), string(make([]byte, size)))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// follower returns one that does not lead, and the others.
func follower(t testing.TB, c *peers.Cluster) (*peers.Server, []*peers.Server) {
	t.Helper()
	slow := others(c.Members, leaderOf(t, c.Members...))[0]
	return slow, others(c.Members, slow)
}

func TestPausedFollowerCatchesUpFromTheLog(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, _ *writer) {
		slow, rest := follower(t, c)
		slow.Pause()
		writeMany(t, c.Client(t, rest...), "while-paused/", 100, 50_000)
		slow.Resume()
		awaitValue(t, slow, "while-paused/99")
		if n := snapshotsReceived(t, slow); n != 0 {
			t.Errorf("%s took %v snapshots", slow.Name, n)
		}
	})
}

// awaitValue waits until a member has a key of its own, without asking the others.
func awaitValue(t testing.TB, m *peers.Server, key string) {
	t.Helper()
	client := m.Client(t)
	eventually(t, func() string {
		answer, err := client.Get(withTimeout(t), key, clientv3.WithSerializable())
		if err != nil {
			return err.Error()
		}
		if len(answer.Kvs) == 0 {
			return m.Name + " does not have " + key
		}
		return ""
	})
}

var snapshotsMetric = regexp.MustCompile(`(?m)^etcd_network_snapshot_receive_success\{.*\} (\S+)$`)

// snapshotsReceived returns how many databases other members have sent to this process.
func snapshotsReceived(t testing.TB, m *peers.Server) float64 {
	t.Helper()
	answer, err := http.Get("http://" + m.Addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, match := range snapshotsMetric.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// The log ends beyond what the follower has: it gets the database, while the others write on,
// and whatever the database lacks from the log.
func TestFollowerCatchesUpBySnapshot(t *testing.T) {
	onThree(t, func(t *testing.T, c *peers.Cluster, w *writer) {
		slow, rest := follower(t, c)
		slow.Kill()
		client := c.Client(t, rest...)
		writeMany(t, client, "while-down/", 300, 10_000)
		compact(t, client)
		slow.Start()
		awaitValue(t, slow, "while-down/299")
		if snapshotsReceived(t, slow) == 0 {
			t.Errorf("%s took no snapshot", slow.Name)
		}
		w.awaitMore(t)
		// A directory that came from a snapshot is one to start from.
		for _, m := range c.Members {
			m.Kill()
		}
		for _, m := range c.Members {
			m.Launch()
		}
		for _, m := range c.Members {
			m.WaitReady()
		}
	}, "--snapshot-count=50", "--snapshot-catchup-entries=10")
}

func compact(t testing.TB, client *clientv3.Client) {
	t.Helper()
	answer, err := client.Get(withTimeout(t), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Compact(withTimeout(t), answer.Header.Revision-10); err != nil {
		t.Fatal(err)
	}
}

// Who joins a cluster whose log begins late starts from a database, as a learner, too.
func TestJoinBySnapshot(t *testing.T) {
	forPrograms(t, func(t *testing.T, p programs) {
		c := peers.StartCluster(t, p[:2], "--snapshot-count=50", "--snapshot-catchup-entries=10")
		w := startWriter(t, c.Client(t, c.Members...))
		writeMany(t, c.Client(t, c.Members...), "before/", 200, 1000)
		m := c.NewMember(p[2], c.Members...)
		memberAdd(t, c.Members[0], m, "--learner")
		m.Start()
		awaitValue(t, m, "before/199")
		if snapshotsReceived(t, m) == 0 {
			t.Errorf("%s took no snapshot", m.Name)
		}
		promote(t, c.Members[1], m)
		w.awaitMore(t)
		w.stopAndCheck(t, c.Members...)
	})
}
