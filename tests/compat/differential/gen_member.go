package differential

import (
	"math"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	health "google.golang.org/grpc/health/grpc_health_v1"
)

func (g *generator) listMembers() step {
	r := &pb.MemberListRequest{Linearizable: g.chance(2)}
	return g.call(call{method: "etcdserverpb.Cluster/MemberList", request: r})
}

func (g *generator) status() step {
	return g.call(call{method: "etcdserverpb.Maintenance/Status", request: &pb.StatusRequest{}})
}

func (g *generator) hashKV() step {
	r := &pb.HashKVRequest{Revision: g.aRevision()}
	if n := len(g.compactions); n > 0 && g.chance(12) {
		r.Revision = g.compactions[g.IntN(n)]
	}
	return g.call(call{method: "etcdserverpb.Maintenance/HashKV", request: r})
}

func (g *generator) hash() step {
	return g.call(call{method: "etcdserverpb.Maintenance/Hash", request: &pb.HashRequest{}})
}

func (g *generator) defragment() step {
	return g.call(call{method: "etcdserverpb.Maintenance/Defragment", request: &pb.DefragmentRequest{}})
}

// moveLeader asks the only member to lead, or one that does not exist.
func (g *generator) moveLeader() step {
	target := []uint64{0, 1, math.MaxUint64, g.memberID, g.memberID}[g.IntN(5)]
	r := &pb.MoveLeaderRequest{TargetID: target}
	return g.call(call{method: "etcdserverpb.Maintenance/MoveLeader", request: r})
}

func alarmCall(action pb.AlarmRequest_AlarmAction, member uint64, kind pb.AlarmType) call {
	return call{method: "etcdserverpb.Maintenance/Alarm",
		request: &pb.AlarmRequest{Action: action, MemberID: member, Alarm: kind}}
}

// alarm raises alarms of any member, has them met by some requests, and disarms them. An action
// without a name is not among these: it stops the reference.
func (g *generator) alarm() step {
	member := []uint64{0, 1, 77, math.MaxUint64, g.memberID}[g.IntN(5)]
	if g.chance(3) {
		return alarmCall(pb.AlarmRequest_AlarmAction(g.IntN(3)), member, pb.AlarmType_NONE)
	}
	kind := pb.AlarmType(1 + g.IntN(2))
	for range g.IntN(12) {
		g.then(slices.DeleteFunc(g.choose(), g.needsService)...)
	}
	g.then(alarmCall(pb.AlarmRequest_ACTIVATE, member, kind), alarmCall(pb.AlarmRequest_GET, 0, kind),
		page{"GET", "/health"}, g.status(),
		alarmCall(pb.AlarmRequest_DEACTIVATE, member+1, kind), alarmCall(pb.AlarmRequest_DEACTIVATE, member, kind),
		alarmCall(pb.AlarmRequest_GET, 0, pb.AlarmType_NONE))
	return alarmCall(pb.AlarmRequest_ACTIVATE, member, kind)
}

func (g *generator) health() step {
	method := g.oneOf("Check", "Check", "List")
	if method == "List" {
		return g.call(call{method: "grpc.health.v1.Health/List", request: &health.HealthListRequest{}})
	}
	r := &health.HealthCheckRequest{Service: g.oneOf("", "", "", "etcdserverpb.KV", "nothing", "é")}
	return g.call(call{method: "grpc.health.v1.Health/Check", request: r})
}

func (g *generator) page() step {
	method := g.oneOf("GET", "GET", "GET", "GET", "POST", "PUT", "HEAD")
	return page{method, g.oneOf("/health", "/health?serializable=true", "/health?exclude=NOSPACE",
		"/health?exclude=CORRUPT&exclude=NOSPACE", "/health?exclude=none", "/health?serializable=x",
		"/version", "/nothing")}
}

// needsService says whether a step would wait in vain while a member is called corrupt or full.
func (g *generator) needsService(s step) bool {
	switch s := s.(type) {
	case expiry, watchCancel:
		return true
	case watchCreate:
		return s.request.StartRevision > 0 && s.request.StartRevision <= g.revision
	case call:
		grant, ok := s.request.(*pb.LeaseGrantRequest)
		return ok && grant.ID == briefLease
	}
	return false
}
