package differential

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// difference is one that is meant: kvorum's answer is right in its own way.
type difference struct {
	name   string
	reason string
	// It shows or not, as the reference likes: a run need not meet it.
	byChance bool
	// applies says whether what the two answered to a step differs in this way and in no other.
	applies func(g *generator, s step, want, got answer) bool
}

// explain names the known difference that the two answers show.
func (g *generator) explain(s step, want, got answer) (name string, known bool) {
	if equal(want, got) {
		return "", false
	}
	for _, d := range knownDifferences {
		if d.applies(g, s, want, got) {
			return d.name, true
		}
	}
	return "", false
}

// hashOrCompacted is true for what a revision that is compacted, and may have a hash all the same,
// gets as an answer.
func hashOrCompacted(a answer) bool {
	if a.Error != "" {
		return a.Error == "OutOfRange: etcdserver: mvcc: required revision has been compacted"
	}
	_, ok := a.Messages[0].(*pb.HashKVResponse)
	return ok
}

// distinct says whether a stream has no key twice.
func distinct(a answer) bool {
	seen := map[string]bool{}
	for _, m := range a.Messages {
		for _, kv := range m.(*pb.RangeStreamResponse).RangeResponse.GetKvs() {
			if seen[string(kv.Key)] {
				return false
			}
			seen[string(kv.Key)] = true
		}
	}
	return true
}

// merged makes one message of a stream's chunks, as clients do.
func merged(a answer) (whole answer) {
	whole = a
	if len(a.Messages) > 1 {
		all := &pb.RangeStreamResponse{}
		for _, m := range a.Messages {
			proto.Merge(all, m)
		}
		whole.Messages = []proto.Message{all}
	}
	return whole
}

// equalButCount says whether two answers of one message, cut off at a limit, differ in nothing but
// the number of pairs there are.
func equalButCount(want, got answer) bool {
	if len(want.Messages) != 1 || len(got.Messages) != 1 {
		return false
	}
	w, ok := want.Messages[0].(*pb.RangeStreamResponse)
	if !ok || !w.RangeResponse.GetMore() {
		return false
	}
	w = proto.Clone(w).(*pb.RangeStreamResponse)
	w.RangeResponse.Count = got.Messages[0].(*pb.RangeStreamResponse).RangeResponse.GetCount()
	return proto.Equal(w, got.Messages[0])
}
