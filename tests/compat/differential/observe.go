package differential

import (
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// observe takes in what the reference answered.
func (g *generator) observe(s step, a answer) {
	for _, m := range a.Messages {
		if r, ok := m.(interface{ GetHeader() *pb.ResponseHeader }); ok {
			g.revision = max(g.revision, r.GetHeader().GetRevision())
			g.memberID = max(g.memberID, r.GetHeader().GetMemberId())
		}
	}
	if a.Error != "" {
		return
	}
	switch s := s.(type) {
	case call:
		g.observeCall(s)
	case watchCreate:
		if r := a.Messages[0].(*pb.WatchResponse); !r.Canceled && len(a.Messages) == 1 {
			g.watches[s.slot] = append(g.watches[s.slot], r.WatchId)
		}
	case watchClose:
		g.watches[s.slot] = nil
	}
}

func (g *generator) observeCall(c call) {
	switch r := c.request.(type) {
	case *pb.CompactionRequest:
		g.observeCompaction(r)
	case *pb.AlarmRequest:
		switch a := (alarmed{r.Alarm, r.MemberID}); r.Action {
		case pb.AlarmRequest_ACTIVATE:
			g.alarms[a] = true
		case pb.AlarmRequest_DEACTIVATE:
			delete(g.alarms, a)
		}
	case *pb.LeaseGrantRequest:
		g.leases = append(g.leases, r.ID)
	}
}

func (g *generator) observeCompaction(r *pb.CompactionRequest) {
	overtaken := len(g.compactions) > 0 && !g.waited
	g.compacted, g.waited = r.Revision, r.Physical
	g.compactions = append(g.compactions, r.Revision)
	if r.Physical {
		g.underWay = nil
	}
	if overtaken {
		g.hasteful = append(g.hasteful, r.Revision)
	} else if !r.Physical {
		g.underWay = append(g.underWay, r.Revision)
	}
}

// hashByChance says whether the hash of a compaction may be there or not.
func (g *generator) hashByChance(revision int64) bool {
	return slices.Contains(g.hasteful, revision) || slices.Contains(g.underWay, revision)
}

// severalAlarms says whether alarms of both kinds may be raised. Short of space a member raises one by
// itself.
func (g *generator) severalAlarms() bool {
	raised := map[pb.AlarmType]bool{pb.AlarmType_NOSPACE: g.kind.name == noSpace.name}
	for a := range g.alarms {
		raised[a.kind] = true
	}
	return raised[pb.AlarmType_NOSPACE] && raised[pb.AlarmType_CORRUPT]
}
