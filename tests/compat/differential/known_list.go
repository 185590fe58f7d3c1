package differential

import (
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// knownDifferences lists them all. Every entry has to be met in a full run.
var knownDifferences = []difference{
	{
		name:     "compaction hash a moment later",
		byChance: true,
		reason: "Asked for exactly the revision of one of the last ten compactions, a server answers with " +
			"the hash taken on the way, from when that is done; and keeps none if the compaction before was " +
			"under way. Both are in the background, and nobody has waited for them here.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			if !ok {
				return false
			}
			r, ok := c.request.(*pb.HashKVRequest)
			return ok && g.hashByChance(r.Revision) && hashOrCompacted(want) && hashOrCompacted(got)
		},
	},
	{
		name: "RangeStream by a target without an order",
		reason: "With a sort target and no order, which passes its check, the reference sorts each chunk by " +
			"itself and takes the last key for where to go on: if there are several, pairs are sent twice, or " +
			"not at all, and the count is wrong; at a limit also that of a single chunk. kvorum sorts the whole " +
			"list and sends it at once.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			if !ok || c.method != "etcdserverpb.KV/RangeStream" || c.request == nil {
				return false
			}
			r := c.request.(*pb.RangeRequest)
			return r.SortOrder == pb.RangeRequest_NONE && r.SortTarget != pb.RangeRequest_KEY &&
				want.Error == "" && got.Error == "" && len(got.Messages) == 1 && distinct(got) &&
				(len(want.Messages) > 1 || equalButCount(want, got))
		},
	},
	{
		name: "RangeStream of a negative limit",
		reason: "The reference takes it for none and sends everything in one chunk, however much that is; " +
			"kvorum in chunks, as without a limit.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			if !ok || c.method != "etcdserverpb.KV/RangeStream" || c.request == nil {
				return false
			}
			return c.request.(*pb.RangeRequest).Limit < 0 && equal(want, merged(got))
		},
	},
	{
		name:     "HashKV at a compaction that came before the last was finished",
		byChance: true,
		reason: "Of a compaction the hash is kept only if the one before it was finished when it came, which is " +
			"a matter of time, in both. Without it the revision is one that is compacted.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			if !ok || c.method != "etcdserverpb.Maintenance/HashKV" {
				return false
			}
			const compacted = "OutOfRange: etcdserver: mvcc: required revision has been compacted"
			return want.Error == compacted && got.Error == "" || want.Error == "" && got.Error == compacted
		},
	},
	{
		name:     "Hash while a compaction is under way",
		byChance: true,
		reason: "It covers rows that are dead and not yet gone, and the mark of the last compaction that is " +
			"finished. Nobody has waited for that here.",
		applies: func(g *generator, s step, want, got answer) bool {
			c, ok := s.(call)
			return ok && c.method == "etcdserverpb.Maintenance/Hash" && len(g.compactions) > 0 && !g.waited &&
				want.Error == "" && got.Error == ""
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
}
