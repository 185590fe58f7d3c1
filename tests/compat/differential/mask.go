package differential

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// masked takes out of an answer what depends on the storage engine, or is in no order. What may only
// be a little different is reconcile's.
func masked(s step, a answer) answer {
	a.Error = oneKindOfSpace.Replace(a.Error)
	if c, ok := s.(call); ok {
		for i, m := range a.Messages {
			a.Messages[i] = maskedMessage(c.request, proto.Clone(m))
		}
	}
	return a
}

// Go's Protobuf varies its texts from build to build, so that nobody relies on them.
var oneKindOfSpace = strings.NewReplacer("\u00a0", " ", "  ", " ")

func maskedMessage(request, response proto.Message) proto.Message {
	switch r := response.(type) {
	case *pb.StatusResponse:
		maskStatus(r)
	case *pb.AlarmResponse:
		slices.SortFunc(r.Alarms, func(a, b *pb.AlarmMember) int {
			return cmp.Or(cmp.Compare(a.Alarm, b.Alarm), cmp.Compare(a.MemberID, b.MemberID))
		})
	case *pb.LeaseTimeToLiveResponse:
		slices.SortFunc(r.Keys, bytes.Compare)
	case *pb.LeaseLeasesResponse:
		slices.SortFunc(r.Leases, func(a, b *pb.LeaseStatus) int { return cmp.Compare(a.ID, b.ID) })
	case *pb.RangeResponse:
		if request, ok := request.(*pb.RangeRequest); ok {
			maskTies(request, r)
		}
	case *pb.TxnResponse:
		if request, ok := request.(*pb.TxnRequest); ok {
			maskTxn(request, r)
		}
	}
	return response
}

// maskStatus hides sizes, if they are possible, and that the reference counts an entry as applied a
// moment after its caller was answered.
func maskStatus(r *pb.StatusResponse) {
	if r.RaftAppliedIndex+1 == r.RaftIndex {
		r.RaftAppliedIndex = r.RaftIndex
	}
	if r.DbSize > 0 && r.DbSizeInUse > 0 && r.DbSizeInUse <= r.DbSize {
		r.DbSize, r.DbSizeInUse = 1, 1
	}
	for i, text := range r.Errors {
		r.Errors[i] = oneKindOfSpace.Replace(text)
	}
	slices.Sort(r.Errors)
}

func maskTxn(request *pb.TxnRequest, response *pb.TxnResponse) {
	ops := request.Failure
	if response.Succeeded {
		ops = request.Success
	}
	for i, op := range ops[:min(len(ops), len(response.Responses))] {
		switch r := response.Responses[i].Response.(type) {
		case *pb.ResponseOp_ResponseRange:
			maskTies(op.GetRequestRange(), r.ResponseRange)
		case *pb.ResponseOp_ResponseTxn:
			maskTxn(op.GetRequestTxn(), r.ResponseTxn)
		}
	}
}
