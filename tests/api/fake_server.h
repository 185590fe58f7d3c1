#pragma once
// A server::Server without log and disk, for tests of the front end: a map of keys, what a test
// told it to answer, and calls held back until a test lets them go.
//
// Threads: methods of Server are called by the front end; the setters by the test, before or
// between calls. Waiters are resumed inside the call, or by Release on the test's thread in one
// batch.

#include <absl/synchronization/mutex.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/read_pool.h"
#include "server/server.h"
#include "tests/api/fake_watchable_store.h"

namespace kvorum::api {

class FakeServer final : public server::Server {
 public:
  FakeServer();

  // -- what a test sets
  // ----------------------------------------------------------------------------
  std::atomic<server::Error> propose_error{server::Error::kOk};
  std::atomic<server::Error> read_error{server::Error::kOk};
  std::atomic<server::Error> change_error{server::Error::kOk};
  std::atomic<server::Error> renew_error{server::Error::kOk};
  std::atomic<bool> leader{true};
  std::atomic<bool> learner{false};
  std::atomic<bool> version_known{true};
  std::atomic<bool> read_index_now{true};
  std::atomic<bool> wants_pool{false};
  std::atomic<bool> pool_full{false};
  // After this many ranges, those of a given revision are compacted. 0: never.
  std::atomic<int> compacted_after{0};
  // What malformed requests are told first; others: propose_error.
  std::atomic<bool> no_space{false};
  // Proposals, read indexes and waits for compaction stay until Release.
  std::atomic<bool> hold{false};
  // What Snapshot sends: 'd' so many times, sized in so many steps and not readable beyond
  // `readable_bytes`; and how much was read of all that were asked for, and how many there are.
  std::atomic<uint64_t> database_bytes{0};
  std::atomic<int> database_plan_steps{1};
  std::atomic<uint64_t> readable_bytes{UINT64_MAX};
  std::atomic<uint64_t> database_read_bytes{0};
  // Blocks until so many exports exist.
  void AwaitExports(int count);
  server::Config settings;
  std::vector<server::MemberInfo> members;
  std::vector<etcdserverpb::AlarmMember> alarms;
  FakeWatchableStore watches;

  // Blocks until `count` calls are held, or no more than that.
  void AwaitHeld(size_t count);
  void AwaitHeldAtMost(size_t count);
  // Resumes all held calls with `error`, in one batch.
  void Release(server::Error error = server::Error::kOk);
  // The proposals seen so far, in order.
  std::vector<etcdserverpb::InternalRaftRequest> proposals();
  // The ranges read so far, pieces of lists each for itself.
  std::vector<etcdserverpb::RangeRequest> ranges();
  int64_t pool_runs() const { return pool_runs_; }

  // -- server::Server
  // ------------------------------------------------------------------------------
  void Start() override {}
  bool WaitReady() override { return true; }
  void Stop() override { Release(server::Error::kStopped); }
  void Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request, TimePoint deadline,
               server::ProposalWaiter* waiter) override;
  void Refuse(const etcdserverpb::InternalRaftRequest&, server::Error malformed, TimePoint,
              server::ProposalWaiter* waiter) override {
    waiter->error = no_space ? server::Error::kNoSpace : malformed;
    HoldOrResume(waiter);
  }
  bool Abandon(server::ProposalWaiter*) override { return false; }
  void WaitCompacted(server::Waiter* waiter) override { HoldOrResume(waiter); }
  bool ReadIndexNow() override { return read_index_now; }
  void ReadIndex(TimePoint deadline, server::Waiter* waiter) override;
  bool Abandon(server::Waiter* waiter) override;
  server::Error Range(const etcdserverpb::RangeRequest& request,
                      server::RangeResult* result) override;
  std::optional<server::Error> RangeInMemory(const etcdserverpb::RangeRequest& request,
                                             server::RangeResult* result) override;
  server::Error RangePiece(const etcdserverpb::RangeRequest& request, bool with_count,
                           server::RangeResult* result) override;
  server::Error ReadOnlyTxn(const etcdserverpb::TxnRequest& request,
                            etcdserverpb::TxnResponse* response) override;
  std::optional<server::Error> ReadOnlyTxnInMemory(const etcdserverpb::TxnRequest& request,
                                                   etcdserverpb::TxnResponse* response) override;
  server::Error HashKv(Revision revision, etcdserverpb::HashKVResponse* response) override;
  server::Error Hash(etcdserverpb::HashResponse* response) override;
  std::unique_ptr<server::DatabaseExport> NewDatabaseExport() override;
  void Defragment(server::Waiter* waiter) override { HoldOrResume(waiter); }
  bool AbandonDefragment(server::Waiter* waiter) override { return Abandon(waiter); }
  // To member 7 alone, which is this one.
  void MoveLeader(MemberId target, TimePoint deadline, server::Waiter* waiter) override;
  bool AbandonMoveLeader(server::Waiter* waiter) override { return Abandon(waiter); }
  bool RunOnReadPool(std::function<void()> work) override;
  mvcc::WatchableStore& watchable_store() override { return watches; }
  LeaseId NewLeaseId() override { return LeaseId(4711); }
  void LeaseRenew(LeaseId id, TimePoint deadline, server::LeaseRenewWaiter* waiter) override;
  void LeaseTimeToLive(LeaseId id, bool with_keys, TimePoint deadline,
                       server::LeaseTimeToLiveWaiter* waiter) override;
  std::vector<LeaseId> Leases() override { return {LeaseId(1), LeaseId(2)}; }
  std::vector<server::MemberInfo> Members() override { return members; }
  void ChangeMember(const server::MemberChange& change, TimePoint deadline,
                    server::ProposalWaiter* waiter) override;
  std::vector<etcdserverpb::AlarmMember> Alarms() override { return alarms; }
  server::ServerStatus status() override;
  MemberId member_id() const override { return MemberId(7); }
  ClusterId cluster_id() const override { return ClusterId(9); }
  Term term() const override { return Term(3); }
  Revision revision() const override { return Revision(revision_.load()); }
  bool has_leader() const override { return leader; }
  bool is_learner() const override { return learner; }
  std::string cluster_version() const override { return version_known ? "3.7.0" : ""; }
  const server::Config& config() const override { return settings; }
  void CollectMetrics(metrics::Samples* samples) override {
    samples->AddGauge("etcd_server_has_leader", "Of the fake.", leader ? 1 : 0);
  }

 private:
  class FakeDatabase;

  void HoldOrResume(server::Waiter* waiter);
  server::ApplyResponse Apply(const etcdserverpb::InternalRaftRequest& request);
  etcdserverpb::PutResponse ApplyPut(const etcdserverpb::PutRequest& put);

  std::atomic<int64_t> revision_{1};
  std::atomic<int64_t> pool_runs_{0};
  absl::Mutex mutex_;
  int exports_ = 0;
  std::map<std::string, mvccpb::KeyValue> keys_;
  std::vector<etcdserverpb::RangeRequest> ranges_;
  std::vector<server::Waiter*> held_;
  std::vector<etcdserverpb::InternalRaftRequest> proposals_;
  server::ReadPool pool_;
};

}  // namespace kvorum::api
