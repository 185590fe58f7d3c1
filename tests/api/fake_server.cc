#include "tests/api/fake_server.h"

#include <algorithm>
#include <utility>

namespace kvorum::api {

using server::Error;

FakeServer::FakeServer() {
  settings.heartbeat_interval_ms = 10;
  settings.election_timeout_ms = 50;
  pool_.Start(4);
}

void FakeServer::AwaitHeld(size_t count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count] { return held_.size() >= count; };
  mutex_.Await(absl::Condition(&reached));
}

void FakeServer::AwaitHeldAtMost(size_t count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count] { return held_.size() <= count; };
  mutex_.Await(absl::Condition(&reached));
}

bool FakeServer::Abandon(server::Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  return std::erase(held_, waiter) > 0;
}

void FakeServer::Release(Error error) {
  std::vector<server::Waiter*> batch;
  {
    absl::MutexLock lock(&mutex_);
    batch.swap(held_);
    hold = false;
  }
  for (server::Waiter* waiter : batch) waiter->error = error;
  server::ResumeAll(batch);
}

std::vector<etcdserverpb::InternalRaftRequest> FakeServer::proposals() {
  absl::MutexLock lock(&mutex_);
  return proposals_;
}

std::vector<etcdserverpb::RangeRequest> FakeServer::ranges() {
  absl::MutexLock lock(&mutex_);
  return ranges_;
}

void FakeServer::HoldOrResume(server::Waiter* waiter) {
  {
    absl::MutexLock lock(&mutex_);
    if (hold) {
      held_.push_back(waiter);
      return;
    }
  }
  waiter->resumer().Resume({&waiter, 1});
}

void FakeServer::Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request, TimePoint,
                         server::ProposalWaiter* waiter) {
  waiter->error = propose_error;
  if (request->ByteSizeLong() > settings.max_request_bytes) {
    waiter->error = Error::kRequestTooLarge;
  }
  {
    absl::MutexLock lock(&mutex_);
    if (waiter->error == Error::kOk) waiter->response = Apply(*request);
    proposals_.push_back(*request);
  }
  HoldOrResume(waiter);
}

void FakeServer::ChangeMember(const server::MemberChange& change, TimePoint,
                              server::ProposalWaiter* waiter) {
  waiter->error = change_error;
  for (server::MemberInfo& member : members) {
    if (waiter->error == Error::kOk && member.id == change.id) member.peer_urls = change.peer_urls;
  }
  HoldOrResume(waiter);
}

void FakeServer::MoveLeader(MemberId target, TimePoint, server::Waiter* waiter) {
  waiter->error = target == member_id() ? Error::kOk : Error::kBadLeaderTransferee;
  HoldOrResume(waiter);
}

void FakeServer::ReadIndex(TimePoint, server::Waiter* waiter) {
  waiter->error = read_error;
  HoldOrResume(waiter);
}

etcdserverpb::PutResponse FakeServer::ApplyPut(const etcdserverpb::PutRequest& put) {
  etcdserverpb::PutResponse response;
  const int64_t revision = ++revision_;
  mvccpb::KeyValue& kv = keys_[put.key()];
  if (put.prev_kv() && kv.version() > 0) *response.mutable_prev_kv() = kv;
  if (kv.version() == 0) kv.set_create_revision(revision);
  kv.set_key(put.key());
  kv.set_value(put.value());
  kv.set_mod_revision(revision);
  kv.set_version(kv.version() + 1);
  response.mutable_header()->set_revision(revision);
  return response;
}

server::ApplyResponse FakeServer::Apply(const etcdserverpb::InternalRaftRequest& request) {
  if (request.has_put()) return ApplyPut(request.put());
  if (request.has_delete_range()) {
    etcdserverpb::DeleteRangeResponse response;
    response.set_deleted(static_cast<int64_t>(keys_.erase(request.delete_range().key())));
    return response;
  }
  if (request.has_txn()) {
    etcdserverpb::TxnResponse response;
    response.set_succeeded(true);
    return response;
  }
  if (request.has_compaction()) return etcdserverpb::CompactionResponse();
  if (request.has_lease_grant()) {
    etcdserverpb::LeaseGrantResponse response;
    response.set_id(request.lease_grant().id());
    response.set_ttl(request.lease_grant().ttl());
    return response;
  }
  if (request.has_lease_revoke()) return etcdserverpb::LeaseRevokeResponse();
  etcdserverpb::AlarmResponse response;
  for (const auto& alarm : alarms) *response.add_alarms() = alarm;
  return response;
}

Error FakeServer::Range(const etcdserverpb::RangeRequest& request, server::RangeResult* result) {
  if (read_error != Error::kOk) return read_error;
  absl::MutexLock lock(&mutex_);
  ranges_.push_back(request);
  if (compacted_after != 0 && static_cast<int>(ranges_.size()) > compacted_after &&
      request.revision() != 0) {
    return Error::kCompacted;
  }
  result->revision = Revision(revision_);
  const mvcc::KeyRange range{request.key(), request.range_end()};
  for (const auto& [key, kv] : keys_) {
    if (!range.Contains(key)) continue;
    ++result->count;
    if (request.count_only()) continue;
    if (request.limit() > 0 && result->count > request.limit()) {
      result->more = true;
      continue;
    }
    mvcc::Row row;
    row.bytes = SharedBytes(kv.SerializeAsString());
    result->kvs.push_back(std::move(row));
  }
  return Error::kOk;
}

std::optional<Error> FakeServer::RangeInMemory(const etcdserverpb::RangeRequest& request,
                                               server::RangeResult* result) {
  if (wants_pool) return std::nullopt;
  return Range(request, result);
}

Error FakeServer::RangePiece(const etcdserverpb::RangeRequest& request, bool with_count,
                             server::RangeResult* result) {
  const Error error = Range(request, result);
  if (!with_count) result->count = 0;
  return error;
}

std::optional<Error> FakeServer::ReadOnlyTxnInMemory(const etcdserverpb::TxnRequest& request,
                                                     etcdserverpb::TxnResponse* response) {
  if (wants_pool) return std::nullopt;
  return ReadOnlyTxn(request, response);
}

Error FakeServer::ReadOnlyTxn(const etcdserverpb::TxnRequest& request,
                              etcdserverpb::TxnResponse* response) {
  if (read_error != Error::kOk) return read_error;
  response->mutable_header()->set_revision(revision_);
  response->set_succeeded(true);
  for (int i = 0; i < request.success_size(); ++i) {
    response->add_responses()->mutable_response_range();
  }
  return Error::kOk;
}

Error FakeServer::HashKv(Revision revision, etcdserverpb::HashKVResponse* response) {
  if (revision > this->revision()) return Error::kFutureRevision;
  response->set_hash(42);
  response->set_compact_revision(-1);
  response->set_hash_revision(revision_);
  return Error::kOk;
}

Error FakeServer::Hash(etcdserverpb::HashResponse* response) {
  response->set_hash(41);
  return Error::kOk;
}

class FakeServer::FakeDatabase final : public server::DatabaseExport {
 public:
  explicit FakeDatabase(FakeServer* server) : server_(*server) { Count(1); }
  ~FakeDatabase() override { Count(-1); }
  Error Plan(bool* done) override {
    *done = ++planned_ == server_.database_plan_steps;
    return server_.read_error;
  }
  uint64_t bytes() const override { return server_.database_bytes; }
  const std::string& storage_version() const override { return version_; }
  Error Read(size_t size, std::string* bytes) override {
    if (read_ + size > server_.readable_bytes) return Error::kInternal;
    bytes->assign(std::min<uint64_t>(size, this->bytes() - read_), 'd');
    read_ += bytes->size();
    server_.database_read_bytes += bytes->size();
    return Error::kOk;
  }

 private:
  void Count(int change) {
    absl::MutexLock lock(&server_.mutex_);
    server_.exports_ += change;
  }

  FakeServer& server_;
  const std::string version_ = "3.7.0";
  int planned_ = 0;
  uint64_t read_ = 0;
};

std::unique_ptr<server::DatabaseExport> FakeServer::NewDatabaseExport() {
  return std::make_unique<FakeDatabase>(this);
}

void FakeServer::AwaitExports(int count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count] { return exports_ == count; };
  mutex_.Await(absl::Condition(&reached));
}

bool FakeServer::RunOnReadPool(std::function<void()> work) {
  if (pool_full) return false;
  ++pool_runs_;
  return pool_.Run(std::move(work));
}

void FakeServer::LeaseRenew(LeaseId id, TimePoint, server::LeaseRenewWaiter* waiter) {
  waiter->error = renew_error;
  waiter->ttl_seconds = id == LeaseId(404) ? 0 : 30;
  HoldOrResume(waiter);
}

void FakeServer::LeaseTimeToLive(LeaseId id, bool with_keys, TimePoint,
                                 server::LeaseTimeToLiveWaiter* waiter) {
  if (id == LeaseId(404)) return server::ResumeOne(waiter, Error::kLeaseNotFound);
  waiter->result.ttl_seconds = 10;
  waiter->result.granted_ttl_seconds = 30;
  if (with_keys) waiter->result.keys = {"a", "b"};
  server::ResumeOne(waiter, Error::kOk);
}

server::ServerStatus FakeServer::status() {
  server::ServerStatus status;
  status.db_size_bytes = 1000;
  status.db_size_in_use_bytes = 500;
  status.db_size_quota_bytes = server::kDefaultQuotaBytes;
  status.leader = MemberId(leader ? 7 : 0);
  status.raft_index = Index(21);
  status.raft_applied_index = Index(20);
  status.raft_term = Term(3);
  status.is_learner = learner;
  status.storage_version = "3.7.0";
  if (!leader) status.errors = {"etcdserver: no leader"};
  return status;
}

}  // namespace kvorum::api
