package differential

import (
	"bytes"
	"math"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

const (
	watchesPerStream = 12
	// A watch of the future starts at most so far from now: barriers write until it has.
	nearFuture = 15
)

func (g *generator) watchCreate() step {
	slot := g.IntN(watchSlots)
	if len(g.watches[slot]) >= watchesPerStream {
		return g.watchCancel()
	}
	r := &pb.WatchCreateRequest{PrevKv: g.chance(2), Fragment: g.chance(3), ProgressNotify: g.chance(6)}
	r.Key, r.RangeEnd = g.interval()
	switch g.IntN(10) {
	case 0, 1:
		r.StartRevision = g.revision + 1 + g.Int64N(nearFuture)
	case 2:
		r.StartRevision = []int64{-1, math.MinInt64}[g.IntN(2)]
	case 3:
		if slot != distantSlot {
			r.StartRevision = []int64{1, g.compacted - 1, g.compacted, g.pastRevision()}[g.IntN(4)]
		}
	case 4:
		if slot == distantSlot {
			r.StartRevision = []int64{1 << 40, math.MaxInt64}[g.IntN(2)]
		}
	}
	for range g.IntN(8) - 5 {
		r.Filters = append(r.Filters, pb.WatchCreateRequest_FilterType(g.numberOf(2)))
	}
	if g.chance(4) {
		r.WatchId = []int64{1, 2, 3, 5, 8, -1, -5, math.MinInt64, 1 << 39}[g.IntN(9)]
	}
	return watchCreate{slot, r}
}

func (g *generator) watchCancel() step {
	slot := g.IntN(watchSlots)
	ids := g.watches[slot]
	if len(ids) == 0 || g.chance(10) {
		return watchCancel{slot, []int64{0, 77, -2, -1, math.MaxInt64}[g.IntN(5)]}
	}
	i := g.IntN(len(ids))
	id := ids[i]
	g.watches[slot] = append(append([]int64(nil), ids[:i]...), ids[i+1:]...)
	return watchCancel{slot, id}
}

func (g *generator) barrier() step { return barrier{} }

func (g *generator) watchClose() step {
	g.then(watchClose{g.IntN(watchSlots)})
	return barrier{}
}

// fragments writes more than one message holds, and more than kvorum reads at once, and has it
// watched, in pieces and whole.
func (g *generator) fragments() step {
	if g.kind.flags != nil {
		return barrier{}
	}
	key, end := []byte("long/"), []byte("long0")
	for i := range 10 {
		value := bytes.Repeat([]byte{byte('a' + i)}, 400000+g.IntN(300000))
		g.then(call{method: "etcdserverpb.KV/Put", request: &pb.PutRequest{Key: append(key, byte('0'+i%2)), Value: value}})
	}
	for _, fragment := range []bool{true, false} {
		g.then(watchCreate{0, &pb.WatchCreateRequest{
			Key: key, RangeEnd: end, StartRevision: max(g.revision-1, 1), PrevKv: g.chance(2), Fragment: fragment}})
	}
	g.then(call{method: "etcdserverpb.KV/Range", request: &pb.RangeRequest{Key: key, RangeEnd: end}},
		call{method: "etcdserverpb.KV/RangeStream", request: &pb.RangeRequest{Key: key, RangeEnd: end}},
		call{method: "etcdserverpb.KV/DeleteRange", request: &pb.DeleteRangeRequest{Key: key, RangeEnd: end}},
		barrier{}, watchClose{0})
	return barrier{}
}
