package differential

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// How far apart two servers may be that were asked what is left of a lease: at the same time, and
// after they have been started one after the other.
const (
	toleratedSeconds          = 3
	toleratedSecondsRestarted = 120
)

// reconcile makes equal what is as near as two clocks are.
func reconcile(want, got *answer, toleratedSeconds int64) {
	for i := range min(len(want.Messages), len(got.Messages)) {
		w, ok := want.Messages[i].(*pb.LeaseTimeToLiveResponse)
		if !ok {
			continue
		}
		g, ok := got.Messages[i].(*pb.LeaseTimeToLiveResponse)
		if ok && w.TTL > 0 && g.TTL > 0 && max(w.TTL-g.TTL, g.TTL-w.TTL) <= toleratedSeconds {
			g.TTL = w.TTL
		}
	}
}

func equal(want, got answer) bool {
	if want.Error != got.Error || want.Text != got.Text || len(want.Messages) != len(got.Messages) {
		return false
	}
	for i := range want.Messages {
		if !proto.Equal(want.Messages[i], got.Messages[i]) {
			return false
		}
	}
	return true
}

// Answers longer than this are not compared part by part, which takes long, but shown at their
// beginning.
const longestCompared = 100 << 10

// describe says in what two answers differ.
func describe(want, got answer) string {
	size := 0
	for _, m := range slices.Concat(want.Messages, got.Messages) {
		size += proto.Size(m)
	}
	if size <= longestCompared {
		return cmp.Diff(want, got, protocmp.Transform())
	}
	return cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got.String(), "\n"))
}
