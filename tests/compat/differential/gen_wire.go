package differential

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

func (g *generator) unknownMethod() step {
	return g.call(call{
		method: g.oneOf("etcdserverpb.KV/Nothing", "etcdserverpb.Nothing/Range", "nothing/x", "KV/Range",
			"etcdserverpb.KV/range", "etcdserverpb.Watch/Range"),
		request: &pb.RangeRequest{Key: g.key()},
	})
}

// noMessages are the beginnings of none.
var noMessages = []string{"\xff", "\x0a\xff", "\x08\x80", "\x07", "\x00\x00", "\x0b\x0a\x01a"}

// garbage is a request that is cut off, or was none from the beginning.
func (g *generator) garbage() step {
	if g.chance(6) {
		method := g.oneOf("etcdserverpb.Watch/Watch", "etcdserverpb.Lease/LeaseKeepAlive")
		return g.call(call{method: method, bytes: []byte(g.oneOf(noMessages...))})
	}
	chosen := g.choose()
	whole, ok := chosen[0].(call)
	// A grant without its id is a lease with the server's id, which is another for each.
	if !ok || whole.request == nil || whole.method == "etcdserverpb.Lease/LeaseGrant" {
		g.then(chosen[1:]...)
		return chosen[0]
	}
	whole.bytes, _ = proto.Marshal(whole.request)
	whole.request = nil
	switch n := len(whole.bytes); {
	case n == 0 || g.chance(4):
		whole.bytes = []byte(g.oneOf(noMessages...))
	default:
		whole.bytes = whole.bytes[:g.IntN(n)]
	}
	return whole
}

// longValue is about as much as a request may be, or a message.
func (g *generator) longValue() step {
	limit := 1536 << 10
	switch {
	case g.kind.name == smallLimits.name:
		limit = 2000
	case g.chance(4):
		limit = 2 << 20
	}
	r := &pb.PutRequest{Key: []byte("long"), Value: make([]byte, limit-70+g.IntN(90))}
	g.then(call{method: "etcdserverpb.KV/DeleteRange", request: &pb.DeleteRangeRequest{Key: r.Key}})
	return call{method: "etcdserverpb.KV/Put", request: r}
}
