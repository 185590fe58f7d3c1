package differential

import (
	"context"
	"sync"
	"testing"

	"kvorum/tests/compat/peers"
)

// pair is the reference and the binary under test, both fresh.
type pair struct {
	reference, kvorum *member
	toleratedSeconds  int64
}

func startPair(t testing.TB, k kind) pair {
	t.Helper()
	servers := peers.StartBoth(t, append(append([]string{}, commonFlags...), k.flags...)...)
	p := pair{connect(t, servers[0]), connect(t, servers[1]), toleratedSeconds}
	for _, m := range []*member{p.reference, p.kvorum} {
		m.awaitStorageVersion(t)
	}
	return p
}

// end stops both at once: nobody looks at what they leave behind.
func (p pair) end() {
	for _, m := range []*member{p.reference, p.kvorum} {
		m.close()
		m.Kill()
	}
}

// do has both take a step, at the same time, and returns what each answered, masked.
func (p pair) do(s step) (want, got answer) {
	var wait sync.WaitGroup
	wait.Go(func() { want = masked(s, perform(s, p.reference)) })
	got = masked(s, perform(s, p.kvorum))
	wait.Wait()
	reconcile(&want, &got, p.toleratedSeconds)
	return want, got
}

func perform(s step, m *member) answer {
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	return s.do(ctx, m)
}
