#pragma once
// A member as the transport sees one: remembers what it is told, answers what a test sets, and
// lets the test wait for it.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/peer/handler.h"

namespace kvorum::server::peer {

class FakeHandler final : public Handler {
 public:
  bool Receive(raft::Message message) override;
  bool IsRemoved(MemberId id) override;
  void OnUnreachable(MemberId id) override;
  void OnSnapshotSent(MemberId to, bool ok) override;
  void OnRemovedFromCluster() override;
  StatusOr<std::unique_ptr<SnapshotReceiver>> BeginSnapshot(const raft::Message& message) override;
  std::vector<MemberInfo> Members() override;
  Versions GetVersions() override;
  void DowngradeEnabled(Completion<bool> done) override;
  void PromoteMember(MemberId id, const std::string& token,
                     Completion<std::vector<MemberInfo>> done) override;
  void HashKv(Revision revision, Completion<HashKvResult> done) override;
  void RenewLease(LeaseId id, Completion<int64_t> done) override;
  void LeaseTimeToLive(LeaseId id, bool keys, Completion<LeaseTtl> done) override;

  // Waits, as long as it takes, until `n` messages were received in all; they are given in the
  // order of arrival.
  std::vector<raft::Message> AwaitMessages(size_t n);
  size_t message_count();
  void AwaitUnreachable(MemberId id);
  size_t unreachable_count(MemberId id);
  // The outcome of the next snapshot to `to` that was not asked for yet.
  bool AwaitSnapshotSent(MemberId to);
  void AwaitRemovedFromCluster();

  // What the next calls are answered. Set before they come.
  bool accept = true;
  Status snapshot_status;  // of Write
  std::vector<MemberInfo> members;
  Versions versions = {.server = "3.7.1", .cluster = "3.7.0", .storage = "3.7.0"};
  Answer<bool> downgrade;
  Answer<std::vector<MemberInfo>> promoted;
  Answer<HashKvResult> hash;
  Answer<int64_t> renewed;
  Answer<LeaseTtl> ttl;
  std::function<void()> before_write;  // of a piece of a database, on its thread

  // What was asked.
  std::string promote_token;
  MemberId promote_id;
  Revision hash_revision;
  LeaseId lease;

  void Remove(MemberId id);
  // Databases that were committed, by index; and the number of those abandoned.
  std::map<uint64_t, std::string> databases();
  void AwaitAbandoned(int n);

 private:
  class Receiver;
  // Not Mutex::Await, whose hand-over thread sanitizers do not see.
  template <typename F>
  void Await(const F& condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!condition()) changed_.Wait(&mutex_);
  }

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::vector<raft::Message> messages_ ABSL_GUARDED_BY(mutex_);
  std::set<MemberId> removed_ ABSL_GUARDED_BY(mutex_);
  std::map<MemberId, size_t> unreachable_ ABSL_GUARDED_BY(mutex_);
  std::multimap<MemberId, bool> snapshots_sent_ ABSL_GUARDED_BY(mutex_);
  bool removed_from_cluster_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<uint64_t, std::string> databases_ ABSL_GUARDED_BY(mutex_);
  int abandoned_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A database of so many bytes, each piece made when it is asked for. Byte i is i * 7 % 251.
class FakeSource final : public SnapshotSource {
 public:
  // Announces `size`, and ends at `end`.
  FakeSource(uint64_t size, uint64_t end) : size_(size), end_(end) {}
  explicit FakeSource(uint64_t size) : FakeSource(size, size) {}
  StatusOr<uint64_t> Open() override { return size_; }
  StatusOr<std::string> Read(size_t max_bytes) override;

 private:
  const uint64_t size_;
  const uint64_t end_;
  uint64_t at_ = 0;
};
std::string FakeDatabase(uint64_t size);

}  // namespace kvorum::server::peer
