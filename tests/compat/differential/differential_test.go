package differential

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"kvorum/tests/compat/peers"
)

// Building takes time, which must not count as a server's.
func TestMain(m *testing.M) {
	if err := peers.BuildTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// The same random requests get the same answers, but for what known_list.go lists.
func TestRandomRequestsAreAnsweredAlike(t *testing.T) {
	runs, complete := plannedRuns(t)
	met := &met{counts: map[string]int{}}
	t.Run("runs", func(t *testing.T) {
		for _, r := range runs {
			t.Run(fmt.Sprintf("%s, seed %d", r.kind.name, r.seed), func(t *testing.T) {
				t.Parallel() // mostly a run waits for disks
				r.do(t, met)
			})
		}
	})
	for _, d := range knownDifferences {
		must := complete && !d.byChance && !t.Failed() && !originalUnderTest(t)
		if must && met.counts[d.name] == 0 {
			t.Errorf("no run met the known difference %q: it is one no more", d.name)
		}
	}
	t.Logf("known differences met: %v", met.counts)
}

func (r run) do(t *testing.T, met *met) {
	p := startPair(t, r.kind)
	defer p.end()
	g := newGenerator(r)
	var done []step
	counts := tally{}
	for len(done) < r.requests || len(g.next) > 0 { // what is begun is ended: no alarm stays
		s := g.step()
		done = append(done, s)
		want, got := p.do(s)
		counts.add(s, want)
		if name, ok := g.explain(s, want, got); ok {
			met.add(name)
		} else if !equal(want, got) {
			t.Errorf("step %d: %v\ndiffers (- reference, + kvorum):\n%s", len(done)-1, s,
				describe(want, got))
			if r.goOn--; r.goOn < 0 {
				r.report(t, done)
				return
			}
		}
		g.observe(s, want)
	}
	t.Log(counts)
	if r.kind.restart {
		compareRestarted(t, p, g)
	}
}

// met counts the known differences that runs have met.
type met struct {
	sync.Mutex
	counts map[string]int
}

func (m *met) add(name string) {
	m.Lock()
	defer m.Unlock()
	m.counts[name]++
}

// originalUnderTest is true when the tests themselves are put to the test.
func originalUnderTest(t testing.TB) bool { return peers.Kvorum(t) == peers.Tool(t, "etcd") }
