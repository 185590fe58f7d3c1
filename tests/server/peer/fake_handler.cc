#include "tests/server/peer/fake_handler.h"

#include <algorithm>

namespace kvorum::server::peer {

class FakeHandler::Receiver final : public SnapshotReceiver {
 public:
  Receiver(FakeHandler* handler, uint64_t index) : handler_(handler), index_(index) {}
  ~Receiver() override {
    absl::MutexLock lock(&handler_->mutex_);
    if (!committed_) ++handler_->abandoned_;
    handler_->changed_.SignalAll();
  }
  Status Write(std::string_view bytes) override {
    if (handler_->before_write) handler_->before_write();
    bytes_ += bytes;
    return handler_->snapshot_status;
  }
  Status Commit() override {
    absl::MutexLock lock(&handler_->mutex_);
    handler_->databases_[index_] = bytes_;
    committed_ = true;
    return absl::OkStatus();
  }

 private:
  FakeHandler* const handler_;
  const uint64_t index_;
  std::string bytes_;
  bool committed_ = false;
};

bool FakeHandler::Receive(raft::Message message) {
  absl::MutexLock lock(&mutex_);
  if (accept) messages_.push_back(std::move(message));
  changed_.SignalAll();
  return accept;
}

bool FakeHandler::IsRemoved(MemberId id) {
  absl::MutexLock lock(&mutex_);
  return removed_.contains(id);
}

void FakeHandler::OnUnreachable(MemberId id) {
  absl::MutexLock lock(&mutex_);
  ++unreachable_[id];
  changed_.SignalAll();
}

void FakeHandler::OnSnapshotSent(MemberId to, bool ok) {
  absl::MutexLock lock(&mutex_);
  snapshots_sent_.emplace(to, ok);
  changed_.SignalAll();
}

void FakeHandler::OnRemovedFromCluster() {
  absl::MutexLock lock(&mutex_);
  removed_from_cluster_ = true;
  changed_.SignalAll();
}

StatusOr<std::unique_ptr<SnapshotReceiver>> FakeHandler::BeginSnapshot(
    const raft::Message& message) {
  return std::make_unique<Receiver>(this, message.snapshot->metadata.index.value());
}

std::vector<MemberInfo> FakeHandler::Members() { return members; }
Versions FakeHandler::GetVersions() { return versions; }
void FakeHandler::DowngradeEnabled(Completion<bool> done) { done(downgrade); }

void FakeHandler::PromoteMember(MemberId id, const std::string& token,
                                Completion<std::vector<MemberInfo>> done) {
  promote_id = id;
  promote_token = token;
  done(promoted);
}

void FakeHandler::HashKv(Revision revision, Completion<HashKvResult> done) {
  hash_revision = revision;
  done(hash);
}

void FakeHandler::RenewLease(LeaseId id, Completion<int64_t> done) {
  lease = id;
  done(renewed);
}

void FakeHandler::LeaseTimeToLive(LeaseId id, bool keys, Completion<LeaseTtl> done) {
  lease = id;
  Answer<LeaseTtl> answer = ttl;
  if (!keys) answer.value.keys.clear();
  done(std::move(answer));
}

std::vector<raft::Message> FakeHandler::AwaitMessages(size_t n) {
  const auto enough = [this, n]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return messages_.size() >= n; };
  absl::MutexLock lock(&mutex_);
  Await(enough);
  return messages_;
}

size_t FakeHandler::message_count() {
  absl::MutexLock lock(&mutex_);
  return messages_.size();
}

void FakeHandler::AwaitUnreachable(MemberId id) {
  const auto told = [this, id]()
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return unreachable_[id] > 0; };
  absl::MutexLock lock(&mutex_);
  Await(told);
}

size_t FakeHandler::unreachable_count(MemberId id) {
  absl::MutexLock lock(&mutex_);
  return unreachable_[id];
}

bool FakeHandler::AwaitSnapshotSent(MemberId to) {
  const auto told = [this, to]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return snapshots_sent_.contains(to);
  };
  absl::MutexLock lock(&mutex_);
  Await(told);
  const auto it = snapshots_sent_.find(to);
  const bool ok = it->second;
  snapshots_sent_.erase(it);
  return ok;
}

void FakeHandler::AwaitRemovedFromCluster() {
  absl::MutexLock lock(&mutex_);
  while (!removed_from_cluster_) changed_.Wait(&mutex_);
}

void FakeHandler::Remove(MemberId id) {
  absl::MutexLock lock(&mutex_);
  removed_.insert(id);
}

std::map<uint64_t, std::string> FakeHandler::databases() {
  absl::MutexLock lock(&mutex_);
  return databases_;
}

void FakeHandler::AwaitAbandoned(int n) {
  const auto enough = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return abandoned_ >= n; };
  absl::MutexLock lock(&mutex_);
  Await(enough);
}

StatusOr<std::string> FakeSource::Read(size_t max_bytes) {
  std::string piece(std::min<uint64_t>(max_bytes, end_ - at_), '\0');
  for (char& c : piece) c = static_cast<char>(at_++ * 7 % 251);
  return piece;
}

std::string FakeDatabase(uint64_t size) {
  FakeSource source(size);
  return source.Read(size).value();
}

}  // namespace kvorum::server::peer
