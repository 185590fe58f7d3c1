#pragma once
// Membership: who belongs to the cluster, as the applied log says, and the version agreed on.
//
// Kept in memory for everybody to read and in the buckets `members`, `members_removed` and
// `cluster` for the next start; the rows travel in the batch of the entry that changed them. raft's
// configuration is derived from it: voters are the members that are no learners.
//
// Threads: Load before the stages start or, like Apply.., on the apply stage; the rest on any.
// Follows etcd server/etcdserver/api/membership/cluster.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"
#include "proto/membership.pb.h"
#include "proto/raft.pb.h"
#include "server/errors.h"
#include "server/membership/member.h"

namespace kvorum::server {

class Membership {
 public:
  // `self`: the member this process is; `max_learners`: how many the cluster may have.
  explicit Membership(MemberId self, int64_t max_learners = 1)
      : self_(self), max_learners_(max_learners) {}
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  // Reads the rows, in place of what was known. DataLoss if one makes no sense,
  // FailedPrecondition if the cluster has agreed on
  // a version newer than ours: then we would not understand its entries.
  Status Load(mvcc::Backend& backend);

  // Applies a committed change. An error means it was refused: nothing has changed, and raft is to
  // be told the same with node id 0. A context that does not parse is a DataLoss.
  StatusOr<Error> ApplyConfChange(const raftpb::ConfChange& change, mvcc::Batch& batch);
  void ApplyAttributes(const membershippb::ClusterMemberAttrSetRequest& request,
                       mvcc::Batch& batch);
  // Also sets the version of the stored schema, which follows the cluster's.
  void ApplyClusterVersion(const std::string& version, mvcc::Batch& batch);

  // Sorted by id.
  std::vector<MemberInfo> Members() const;
  std::optional<MemberInfo> Find(MemberId id) const;
  // False for a member this one does not know (yet): the learner's rules are then off.
  bool IsLearner(MemberId id) const;
  bool IsRemoved(MemberId id) const;
  // Members of earlier times, whose ids never come back.
  std::vector<MemberId> Removed() const;
  // "3.7.0"; empty while there is none.
  std::string cluster_version() const;
  // Of the stored schema: "3.7.0"; empty when the store does not say.
  std::string storage_version() const;
  // What raft counts: from the members, never joint.
  raftpb::ConfState conf_state() const;
  MemberId self() const { return self_; }

 private:
  Error Refusal(const raftpb::ConfChange& change, const ConfChangeContext& context) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error AddRefusal(MemberId id, const ConfChangeContext& context, bool as_learner) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool UrlTaken(const MemberInfo& member, bool by_others_only) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Change(const raftpb::ConfChange& change, const ConfChangeContext& context,
              mvcc::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const MemberId self_;
  const int64_t max_learners_;
  mutable absl::Mutex mutex_;
  std::map<MemberId, MemberInfo> members_ ABSL_GUARDED_BY(mutex_);
  std::set<MemberId> removed_ ABSL_GUARDED_BY(mutex_);
  std::string cluster_version_ ABSL_GUARDED_BY(mutex_);
  std::string storage_version_ ABSL_GUARDED_BY(mutex_);
};

// The row `confState` of the meta bucket: Go's JSON of a raftpb.ConfState.
std::string EncodeConfStateJson(const raftpb::ConfState& state);
// DataLoss if it is not one.
StatusOr<raftpb::ConfState> ParseConfStateJson(std::string_view json);

// "3.7" of "3.7.1" as a number that orders: major * 1000 + minor. Nothing if it is no version.
std::optional<int> ParseMinorVersion(std::string_view version);

}  // namespace kvorum::server
