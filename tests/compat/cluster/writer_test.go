package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum/tests/compat/peers"
)

const (
	writerKey      = "writer/"
	writerThreads  = 4
	writerPause    = 20 * time.Millisecond
	writeTimeout   = time.Second // what is lost with its leader is never answered
	writesAfterAll = 10          // acknowledged, once the test is over
)

// writer puts key after key, each once, whatever happens to the cluster.
type writer struct {
	client *clientv3.Client
	next   atomic.Int64
	stop   chan struct{}
	ended  sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]int64 // revisions by key
}

func startWriter(t testing.TB, client *clientv3.Client) *writer {
	w := &writer{client: client, acknowledged: map[string]int64{}, stop: make(chan struct{})}
	for range writerThreads {
		w.ended.Go(w.run)
	}
	t.Cleanup(w.end)
	return w
}

func (w *writer) end() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.ended.Wait()
}

func (w *writer) run() {
	pause := time.NewTicker(writerPause)
	defer pause.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-pause.C:
			w.put()
		}
	}
}

// put writes once. A write that fails may have happened, or not.
func (w *writer) put() bool {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	key := fmt.Sprintf("%s%08d", writerKey, w.next.Add(1))
	answer, err := w.client.Put(ctx, key, "value")
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[key] = answer.Header.Revision
	return true
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}

// awaitMore waits until some further writes are acknowledged.
func (w *writer) awaitMore(t testing.TB) {
	t.Helper()
	before := w.count()
	eventually(t, func() string {
		if w.count() < before+20 {
			return "the cluster takes no writes"
		}
		return ""
	})
}

// stopAndCheck ends the writer after some last writes and holds the members to what they
// acknowledged.
func (w *writer) stopAndCheck(t *testing.T, members ...*peers.Server) {
	t.Helper()
	w.end()
	for range writesAfterAll {
		eventually(t, func() string {
			if !w.put() {
				return "the cluster takes no writes"
			}
			return ""
		})
	}
	awaitEqual(t, members...)
	for _, m := range members {
		w.check(t, m)
	}
	t.Logf("%d acknowledged writes", len(w.acknowledged))
}

// check reads what one member has of its own, without asking the others.
func (w *writer) check(t *testing.T, m *peers.Server) {
	t.Helper()
	list, err := m.Client(t).Get(withTimeout(t), writerKey, clientv3.WithPrefix(), clientv3.WithSerializable())
	if err != nil {
		t.Fatalf("reading at %s: %v", m.Name, err)
	}
	found := map[string]int64{}
	for _, kv := range list.Kvs {
		if kv.Version != 1 || kv.CreateRevision != kv.ModRevision {
			t.Errorf("%s: %s was written more than once: %v", m.Name, kv.Key, kv)
		}
		found[string(kv.Key)] = kv.ModRevision
	}
	for key, revision := range w.acknowledged {
		if found[key] != revision {
			t.Errorf("%s: %s was acknowledged at revision %d, is at %d", m.Name, key, revision, found[key])
		}
	}
}

// awaitEqual waits until these members are at one revision, where their hashes have to be equal.
func awaitEqual(t testing.TB, members ...*peers.Server) {
	t.Helper()
	var clients []*clientv3.Client
	for _, m := range members {
		clients = append(clients, m.Client(t))
	}
	eventually(t, func() string {
		var first *pb.HashKVResponse
		for i, m := range members {
			ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
			hash, err := pb.NewMaintenanceClient(clients[i].ActiveConnection()).HashKV(ctx, &pb.HashKVRequest{})
			cancel()
			switch {
			case err != nil:
				return fmt.Sprintf("hash at %s: %v", m.Name, err)
			case first == nil:
				first = hash
			case hash.HashRevision != first.HashRevision || hash.CompactRevision != first.CompactRevision:
				return fmt.Sprintf("%s is at revision %d, compacted %d; another at %d, compacted %d", m.Name,
					hash.HashRevision, hash.CompactRevision, first.HashRevision, first.CompactRevision)
			case hash.Hash != first.Hash:
				t.Fatalf("at revision %d %s has hash %d, another %d", hash.HashRevision, m.Name, hash.Hash,
					first.Hash)
			}
		}
		return ""
	})
}
