package differential

import (
	"math"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// generator makes up steps from a seed. It follows what the reference answers, so that requests are
// near what there is; it never asks a server itself.
type generator struct {
	*rand.Rand
	kind     kind
	steps    int    // made up so far
	next     []step // decided on already
	revision int64  // of the last answer
	// The revision below which nothing can be read, and those that compactions were at.
	compacted   int64
	compactions []int64
	waited      bool // for the last compaction to be finished
	// Compactions whose hash is there or not as time would have it: begun while the one before was under
	// way, then none is kept; or still under way.
	hasteful, underWay []int64
	leases             []int64
	alarms             map[alarmed]bool
	watches            [watchSlots][]int64
	memberID           uint64
}

func newGenerator(r run) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(r.seed, r.seed)), kind: r.kind, revision: 1, compacted: -1,
		alarms: map[alarmed]bool{}}
}

// choice is one thing to do, so many times in the sum of all weights.
type choice struct {
	weight int
	make   func(*generator) step
}

// alarmed is an alarm that is raised.
type alarmed struct {
	kind   pb.AlarmType
	member uint64
}

// choices are in init because some of them make a choice of their own.
var (
	choices      []choice
	sumOfWeights int
)

func init() {
	choices = []choice{
		{2900, (*generator).put},
		{1650, (*generator).read},
		{450, (*generator).readStream},
		{850, (*generator).remove},
		{1700, (*generator).transaction},
		{60, (*generator).compact},
		{330, (*generator).grant},
		{200, (*generator).revoke},
		{230, (*generator).timeToLive},
		{60, (*generator).listLeases},
		{320, (*generator).keepAlive},
		{15, (*generator).ownID},
		{100, (*generator).listMembers},
		{150, (*generator).status},
		{170, (*generator).hashKV},
		{25, (*generator).hash},
		{30, (*generator).alarm},
		{10, (*generator).defragment},
		{20, (*generator).moveLeader},
		{90, (*generator).health},
		{60, (*generator).page},
		{350, (*generator).watchCreate},
		{120, (*generator).watchCancel},
		{60, (*generator).barrier},
		{10, (*generator).watchClose},
		{25, (*generator).unknownMethod},
		{60, (*generator).garbage},
		{8, (*generator).longValue},
		{6, (*generator).fragments},
		{1, (*generator).expiry},
	}
	for _, c := range choices {
		sumOfWeights += c.weight
	}
}

func (g *generator) step() step {
	g.steps++
	if len(g.next) == 0 {
		g.next = g.choose()
	}
	s := g.next[0]
	g.next = g.next[1:]
	return s
}

// choose makes a step and what has to follow it.
func (g *generator) choose() []step {
	outer := g.next
	defer func() { g.next = outer }()
	g.next = nil
	n := g.IntN(sumOfWeights)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			first := c.make(g)
			return append([]step{first}, g.next...)
		}
	}
	panic("weights and their sum differ")
}

// then has more done after the step that is being made.
func (g *generator) then(steps ...step) { g.next = append(g.next, steps...) }

// call makes a request; now and then its metadata is not empty.
func (g *generator) call(c call) step {
	switch g.IntN(60) {
	case 0, 1:
		c.metadata = []string{"hasleader", g.oneOf("true", "true", "false", "", "x")}
	case 2:
		c.metadata = []string{"client-api-version", g.oneOf("3.7", "", "3.7.1~x", "2")}
	case 3:
		c.metadata = []string{"token", g.oneOf("none", "", "abc.5"), "authorization", "Bearer x"}
	case 4:
		c.gzip = g.chance(3)
	}
	return c
}

func (g *generator) oneOf(values ...string) string { return values[g.IntN(len(values))] }

// chance is true once in n.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// numberOf returns the number of an enum's value, rarely of none.
func (g *generator) numberOf(values int) int32 {
	if g.chance(60) {
		return []int32{-1, int32(values), 99, math.MaxInt32, math.MinInt32}[g.IntN(5)]
	}
	return int32(g.IntN(values))
}

// aRevision returns one that means "now", one that can be read, or one at or beyond a boundary.
func (g *generator) aRevision() int64 {
	switch n := g.IntN(100); {
	case n < 60:
		return 0
	case n < 90:
		return g.pastRevision()
	}
	return []int64{
		g.revision, g.revision + 1, g.revision + 2, g.compacted - 1, g.compacted, g.compacted + 1,
		1, 2, -1, -g.revision, math.MaxInt64, math.MinInt64, 1 << 40,
	}[g.IntN(13)]
}

func (g *generator) pastRevision() int64 {
	oldest := max(g.compacted, 1)
	return oldest + g.Int64N(max(g.revision-oldest, 0)+1)
}
