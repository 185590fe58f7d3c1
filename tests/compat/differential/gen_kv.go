package differential

import (
	"math"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Few keys, so that requests meet: some of one letter, some below each other, some at the ends of
// what bytes can be.
var keys = []string{
	"a", "b", "c", "d", "e", "f", "g", "aa", "ab", "a\x00", "b\x00", "ba", "k/1", "k/2", "k/3", "k/4",
	"k/5", "k/6", "k/7", "k/8", "k/9", "k/10", "k/11", "k/12", "\x00", "\x00\x00", "\x01", "\xff",
	"\xff\xff", "\xfe\xff", "é", "~", "z", "zz",
}

func (g *generator) key() []byte {
	if g.chance(150) {
		return nil
	}
	return []byte(g.oneOf(keys...))
}

// interval returns a key and an end: mostly one key, else a range of any kind, also an empty one.
func (g *generator) interval() (key, end []byte) {
	key = g.key()
	switch g.IntN(20) {
	case 0, 1:
		end = []byte{0}
	case 2, 3, 4, 5:
		end = g.key()
	case 6:
		end = append(append(end, key...), 0)
	case 7:
		key, end = []byte("k/"), []byte("k0")
	case 8:
		key, end = []byte{0}, []byte{0}
	case 9:
		end = []byte{0, 0}
	}
	return key, end
}

func (g *generator) value() []byte {
	value := make([]byte, []int{0, 1, 1, 10, 40, 300}[g.IntN(6)])
	for i := range value {
		value[i] = "abc"[g.IntN(3)]
	}
	if g.chance(500) {
		value = make([]byte, 1000+g.IntN(60000))
	}
	return value
}

func (g *generator) putRequest(keeps bool) *pb.PutRequest {
	r := &pb.PutRequest{Key: g.key(), Value: g.value(), PrevKv: g.chance(4)}
	switch n := g.IntN(24); {
	case n < 6:
		r.Lease = g.leaseID()
	case !keeps:
	case n < 9:
		r.IgnoreValue, r.Value = true, nil
	case n < 12:
		r.IgnoreLease = true
	case n == 12:
		r.IgnoreValue = true
	case n == 13:
		r.IgnoreLease, r.Lease = true, g.leaseID()
	case n == 14:
		r.IgnoreValue, r.IgnoreLease, r.Value = true, true, nil
	}
	return r
}

func (g *generator) put() step {
	return g.call(call{method: "etcdserverpb.KV/Put", request: g.putRequest(true)})
}

// deleteRequest rarely takes everything: then there is little left to compare.
func (g *generator) deleteRequest() *pb.DeleteRangeRequest {
	r := &pb.DeleteRangeRequest{PrevKv: g.chance(3)}
	r.Key, r.RangeEnd = g.interval()
	if isFromKey(r.RangeEnd) && g.IntN(4) > 0 {
		r.RangeEnd = nil
	}
	return r
}

// isFromKey says whether an interval's end means that it has none.
func isFromKey(rangeEnd []byte) bool { return len(rangeEnd) == 1 && rangeEnd[0] == 0 }

func (g *generator) remove() step {
	return g.call(call{method: "etcdserverpb.KV/DeleteRange", request: g.deleteRequest()})
}

func (g *generator) rangeRequest() *pb.RangeRequest {
	r := &pb.RangeRequest{Revision: g.aRevision(), Serializable: g.chance(2)}
	r.Key, r.RangeEnd = g.interval()
	switch g.IntN(12) {
	case 0, 1, 2:
		r.Limit = 1 + g.Int64N(12)
	case 3:
		r.Limit = []int64{-1, math.MinInt64, math.MaxInt64, 1 << 33, 1000}[g.IntN(5)]
	}
	r.CountOnly, r.KeysOnly = g.chance(8), g.chance(5)
	if g.chance(3) {
		r.SortOrder = pb.RangeRequest_SortOrder(g.numberOf(3))
		r.SortTarget = pb.RangeRequest_SortTarget(g.numberOf(5))
	}
	if g.chance(5) {
		r.MinModRevision, r.MaxModRevision = g.filter(), g.filter()
		r.MinCreateRevision, r.MaxCreateRevision = g.filter(), g.filter()
	}
	return r
}

func (g *generator) filter() int64 {
	switch g.IntN(8) {
	case 0, 1, 2:
		return g.pastRevision()
	case 3:
		return []int64{-1, math.MinInt64, math.MaxInt64, g.revision, g.revision + 1}[g.IntN(5)]
	}
	return 0
}

func (g *generator) read() step {
	r := g.rangeRequest()
	if g.chance(2) && r.RangeEnd == nil {
		r.Key, r.RangeEnd = []byte("a"), []byte("~") // mostly there is something to see
	}
	return g.call(call{method: "etcdserverpb.KV/Range", request: r})
}

func (g *generator) readStream() step {
	r := g.rangeRequest()
	if !g.chance(20) {
		// What it serves.
		r.SortOrder, r.SortTarget = pb.RangeRequest_SortOrder(g.IntN(2)), pb.RangeRequest_KEY
	}
	if g.chance(30) {
		// What its check overlooks.
		r.SortOrder, r.SortTarget = pb.RangeRequest_NONE, pb.RangeRequest_SortTarget(1+g.IntN(4))
	}
	if !g.chance(20) {
		r.MinModRevision, r.MaxModRevision, r.MinCreateRevision, r.MaxCreateRevision = 0, 0, 0, 0
	}
	return g.call(call{method: "etcdserverpb.KV/RangeStream", request: r})
}

// compact leaves something of the past most of the time.
func (g *generator) compact() step {
	r := &pb.CompactionRequest{Physical: g.chance(2)}
	if g.chance(5) {
		r.Revision = g.aRevision()
	} else {
		oldest := max(g.compacted, 1)
		r.Revision = oldest + g.Int64N((g.revision-oldest)/2+1)
	}
	return g.call(call{method: "etcdserverpb.KV/Compact", request: r})
}
