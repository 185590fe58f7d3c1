package differential

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	// So long a failing run is made shorter, if the test has the time.
	shrinkTime = 90 * time.Second
	// Steps shown of what was made no shorter than this.
	shownSteps = 40
)

// report prints how to see a difference again, and the shortest way there that replays find.
func (r run) report(t *testing.T, done []step) {
	t.Helper()
	t.Logf("to see it again: DIFFERENTIAL_SEED=%d DIFFERENTIAL_REQUESTS=%d (kind %q)", r.seed, len(done), r.kind.name)
	shortest, ok := shrink(t, r.kind, done)
	if !ok {
		t.Log("replayed from the start, it does not show: it is a matter of time, or of the steps' answers")
	}
	var lines []string
	for i, s := range shortest[max(0, len(shortest)-shownSteps):] {
		lines = append(lines, fmt.Sprintf("%3d %v", i, s))
	}
	t.Logf("the last of %d steps:\n%s", len(shortest), strings.Join(lines, "\n"))
}

// shrink leaves steps out as long as some difference remains, in ever smaller pieces. False: all
// steps together show none.
func shrink(t *testing.T, k kind, steps []step) (shortest []step, ok bool) {
	deadline := time.Now().Add(shrinkTime)
	if !differs(t, k, steps) {
		return steps, false
	}
	for size := (len(steps) + 1) / 2; ; size = (size + 1) / 2 {
		for first := 0; first+1 < len(steps) && time.Now().Before(deadline); {
			rest := append([]step{}, steps[:first]...)
			rest = append(rest, steps[min(first+size, len(steps)-1):]...) // the last step stays
			if differs(t, k, rest) {
				steps = rest
			} else {
				first += size
			}
		}
		if size == 1 || time.Now().After(deadline) {
			return steps, true
		}
	}
}

// differs replays steps on fresh servers and says whether the answers to the last one differ.
func differs(t *testing.T, k kind, steps []step) bool {
	p := startPair(t, k)
	defer p.end()
	g := newGenerator(run{kind: k}) // for what the known differences need to know
	for i, s := range steps {
		want, got := p.do(s)
		if !equal(want, got) {
			if _, known := g.explain(s, want, got); !known {
				return i == len(steps)-1
			}
		}
		g.observe(s, want)
	}
	return false
}
