package differential

import (
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

const errCompacted = "OutOfRange: etcdserver: mvcc: required revision has been compacted"

// knownDifferences lists them all. Every entry has to be met in a full run.
var knownDifferences = []difference{
	{
		name: "stored compaction hash",
		reason: "Asked for exactly the revision of one of the last ten compactions (0, too, if one was at " +
			"0), the reference answers with the hash it took on the way, whose compact_revision is that of " +
			"the compaction before; also if the revision is long compacted. It keeps the hashes for the " +
			"check that the CompactHashCheck gate turns on. kvorum takes and keeps them only if that is on: " +
			"they cost a scan of all rows.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			if !ok || !ofKind[*pb.HashKVResponse](want) {
				return false
			}
			r, w := c.request.(*pb.HashKVRequest), want.Messages[0].(*pb.HashKVResponse)
			if !slices.Contains(g.compactions, r.Revision) || w.HashRevision != r.Revision {
				return false
			}
			if !ofKind[*pb.HashKVResponse](got) {
				return r.Revision < g.compacted && got.Error == errCompacted
			}
			k := got.Messages[0].(*pb.HashKVResponse)
			return w.CompactRevision < k.CompactRevision && proto.Equal(w.Header, k.Header)
		},
	},
	{
		name: "history in more pieces",
		reason: "What a watch of the past has missed is read 4 MiB at a time, so that memory stays " +
			"bounded; the reference reads up to a thousand revisions, whatever their size. A client may " +
			"not count on either: events, their order, and revisions that are whole, are the same.",
		applies: func(g *generator, s step, want, got answer) bool {
			_, ok := s.(barrier)
			return ok && equal(want, joined(got))
		},
	},
	{
		name:     "which of several alarms",
		byChance: true,
		reason: "With alarms of both kinds raised, the health page names one of them; the reference the " +
			"one its map yields first, which is another every time.",
		applies: func(g *generator, s step, want, got answer) bool {
			_, ok := s.(page)
			either := strings.NewReplacer("ALARM NOSPACE", "ALARM", "ALARM CORRUPT", "ALARM")
			return ok && g.severalAlarms() && either.Replace(want.Text) == either.Replace(got.Text)
		},
	},
	{
		name:   "not served yet",
		reason: "RangeStream, Hash and Defragment.",
		applies: func(g *generator, s step, want, got answer) bool {
			return strings.Contains(got.Error, "is not implemented by this server yet")
		},
	},
}
