#pragma once
// EntryApplier: from an entry of the log to the change it makes. Empty entries start a term,
// configuration changes go to the members, everything else is a request for the appliers.
//
// What cannot be applied ends the process with a line that names it: bytes that do not parse, a
// request without header, a kind this build does not serve. Other members may have applied it, so
// to skip it would be to diverge from them.
//
// Threads: the apply stage. Follows etcd server/etcdserver/server.go apply, applyEntryNormal.

#include <optional>
#include <vector>

#include "base/log_entry.h"
#include "mvcc/backend/backend.h"
#include "proto/raft.pb.h"
#include "proto/raft_internal.pb.h"
#include "server/apply/applier.h"
#include "server/membership/membership.h"
#include "server/wait_list.h"

namespace kvorum::server {

// What is to be done once the changes of a batch of entries are committed.
struct AppliedBatch {
  std::vector<WaitList::Result> results;
  // Of those, answers that wait until the cluster knows that this member is out of space.
  std::vector<uint64_t> raise_no_space;
  // For raft: the entry's index and the change as logged, or with node id 0 if refused.
  struct ConfChange {
    Index index;
    raftpb::ConfChange change;
  };
  std::vector<ConfChange> conf_changes;
  // Terms begun by an empty entry.
  std::vector<Term> terms_started;
  bool compacted = false;
};

class EntryApplier {
 public:
  // All must outlive this.
  EntryApplier(Applier& applier, Membership& membership, const WaitList& wait_list)
      : applier_(applier), membership_(membership), wait_list_(wait_list) {}

  // Changes go into `batch` and the store; what follows from them is added to `out`.
  void Apply(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out);

 private:
  void ApplyNormal(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out);
  void ApplyConfChange(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out);
  ApplyResult ApplyRequest(const LogEntry& entry, const etcdserverpb::InternalRaftRequest& request,
                           uint64_t id, mvcc::Batch& batch);

  Applier& applier_;
  Membership& membership_;
  const WaitList& wait_list_;
};

}  // namespace kvorum::server
