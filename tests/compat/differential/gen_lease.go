package differential

import (
	"math"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

const (
	leaseIDs = 30
	// No lease of a run is over before the run is, and no two in the same second: the order in which
	// they are listed is that of their ends.
	shortestTTLSeconds = 20000

	maxTTLSeconds = 9000000000

	// A lease that is revoked as soon as it is granted.
	briefLease = 500
)

// leaseID returns one that is granted or could be, rarely one out of the ordinary.
func (g *generator) leaseID() int64 {
	if g.chance(25) {
		return []int64{-1, math.MaxInt64, math.MinInt64, 1 << 40, -1000, 1}[g.IntN(6)]
	}
	if len(g.leases) > 0 && !g.chance(4) {
		return g.leases[g.IntN(len(g.leases))]
	}
	return 1000 + g.Int64N(leaseIDs)
}

func (g *generator) grant() step {
	r := &pb.LeaseGrantRequest{ID: g.leaseID(), TTL: shortestTTLSeconds + 10*int64(g.steps)}
	switch g.IntN(15) {
	case 0:
		r.TTL = []int64{maxTTLSeconds, maxTTLSeconds - 1, maxTTLSeconds + 1, math.MaxInt64}[g.IntN(4)]
	case 1:
		// It gets the least there is, and must be gone before that is over.
		r.TTL, r.ID = []int64{0, -1, math.MinInt64, 1}[g.IntN(4)], briefLease
		g.then(call{method: "etcdserverpb.Lease/LeaseRevoke", request: &pb.LeaseRevokeRequest{ID: r.ID}})
	}
	return call{method: "etcdserverpb.Lease/LeaseGrant", request: r}
}

func (g *generator) revoke() step {
	id := g.leaseID()
	if g.chance(20) {
		id = 0
	}
	return g.call(call{method: "etcdserverpb.Lease/LeaseRevoke", request: &pb.LeaseRevokeRequest{ID: id}})
}

func (g *generator) timeToLive() step {
	r := &pb.LeaseTimeToLiveRequest{ID: g.leaseID(), Keys: g.chance(2)}
	return g.call(call{method: "etcdserverpb.Lease/LeaseTimeToLive", request: r})
}

func (g *generator) listLeases() step {
	return g.call(call{method: "etcdserverpb.Lease/LeaseLeases", request: &pb.LeaseLeasesRequest{}})
}

func (g *generator) keepAlive() step { return keepAlive{g.leaseID()} }

func (g *generator) ownID() step { return ownID{shortestTTLSeconds} }

func (g *generator) expiry() step {
	return expiry{id: 600, keys: []string{g.oneOf(keys...), g.oneOf(keys...)}}
}
