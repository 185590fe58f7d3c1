#pragma once
// Server: one etcd member without its network front, and the face that `api/` sees.
//
// It owns the stages of style: raft loop, WAL stage, apply stage, read index, watch stage, lessor
// and the read pool, and the files below the data directory. Life:
//
//   1. Server::Open(config, deps) creates or recovers the data directory: locks it, reads WAL and
//      store, refuses what does not belong together. No thread runs yet. An error here is a start
//      failure ("bootstrap failed"), nothing was served.
//   2. Start() starts the stages. Entries above the store's flushed index are applied again from
//      the WAL. The member elects itself or joins its leader, then publishes its attributes through
//      raft.
//   3. WaitReady() returns when that publication was applied: only then is "ready to serve client
//      requests" true and may the front end answer.
//   4. Stop() is the reverse of start: new calls get kStopped, waiting ones too, stages drain down
//      the pipeline, the store is flushed, files are closed. Idempotent.
//
// What callers may rely on:
//   a. A proposal that completes with kOk is durable on a quorum (here: in the local WAL, synced)
//      and applied by this member; its effects are visible to every later read here.
//   b. ReadIndex completes with kOk only if every write acknowledged anywhere before the call is
//      applied here.
//   c. A log entry of a kind this build does not serve ends the process with a fatal line naming
//      it; it is never skipped (it may be what other members have applied).
//   d. A failed sync or write of the WAL ends the process; so does a corrupt store.
//
// Threads: every method is thread-safe after Start(). None blocks, unless it says so.
// Follows etcd server/etcdserver/server.go, v3_server.go, raft.go.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/watchable_store.h"
#include "proto/raft_internal.pb.h"
#include "proto/rpc.pb.h"
#include "server/config.h"
#include "server/errors.h"
#include "server/membership/member.h"
#include "server/waiter.h"

namespace kvorum::server {

class Lessor;
class Membership;
class Peers;

// What the outer world lends a server. All must outlive it.
struct Dependencies {
  Env* env = nullptr;
  Clock* clock = nullptr;
  std::function<std::unique_ptr<Random>()> new_random;
  // The other members; null: this one stays alone.
  Peers* peers = nullptr;
  // Called once, on any thread, when the member ends by itself: the cluster has removed it.
  std::function<void()> on_end;
};

// A response as the apply stage made it: header.revision is set where the operation defines it, the
// other header fields are the front end's.
using ApplyResponse =
    std::variant<std::monostate, etcdserverpb::PutResponse, etcdserverpb::DeleteRangeResponse,
                 etcdserverpb::TxnResponse, etcdserverpb::CompactionResponse,
                 etcdserverpb::LeaseGrantResponse, etcdserverpb::LeaseRevokeResponse,
                 etcdserverpb::AlarmResponse>;

struct ProposalWaiter : Waiter {
  using Waiter::Waiter;
  ApplyResponse response;   // set when error is kOk
  uint64_t request_id = 0;  // the wait list's
};

// What a Range found: rows are shared with the store's cache, in their canonical KeyValue bytes,
// and spliced into the reply undecoded.
struct RangeResult {
  std::vector<mvcc::Row> kvs;
  int64_t count = 0;
  bool more = false;
  Revision revision;  // of the store at the time of the read
  // keys_only answers carry no stored bytes: re-encoded KeyValues are in kvs as well.
};

struct LeaseRenewWaiter : Waiter {
  using Waiter::Waiter;
  int64_t ttl_seconds = 0;  // 0: no such lease
};

struct LeaseTimeToLiveResult {
  int64_t ttl_seconds = -1;  // remaining; -1: no such lease
  int64_t granted_ttl_seconds = 0;
  std::vector<std::string> keys;
};

struct LeaseTimeToLiveWaiter : Waiter {
  using Waiter::Waiter;
  LeaseTimeToLiveResult result;
};

// A change of the membership that a client asks for.
struct MemberChange {
  enum class Kind { kAdd, kAddLearner, kRemove, kUpdate, kPromote };
  Kind kind = Kind::kRemove;
  MemberId id;
  std::vector<std::string> peer_urls;  // of a member added; the new ones of one updated
};

// Everything Maintenance.Status reports, read without consensus.
struct ServerStatus {
  int64_t db_size_bytes = 0;
  int64_t db_size_in_use_bytes = 0;
  int64_t db_size_quota_bytes = 0;
  MemberId leader;
  Index raft_index;
  Index raft_applied_index;
  Term raft_term;
  std::vector<std::string> errors;
  bool is_learner = false;
  std::string storage_version;
};

// This member's state of one moment as etcd's database file, made in pieces and in bounded memory;
// it needs the disk, so on the read pool only. Writes go on meanwhile. What it pins takes space on
// the disk until it is destroyed, which is before the server is. kInternal: to be given up; a
// damaged store ends the process. Threads: one at a time, any.
class DatabaseExport {
 public:
  virtual ~DatabaseExport() = default;
  // Sizes some more of the file, which is some milliseconds' work; sets *done when that was the
  // last. REQUIRES: not done before.
  virtual Error Plan(bool* done) = 0;
  // The rest REQUIRES that the planning is done.
  virtual uint64_t bytes() const = 0;
  // The schema's version: "3.7.0"; empty while the cluster has not agreed on one.
  virtual const std::string& storage_version() const = 0;
  // The file's next `size` bytes (above 0), fewer at its end, none behind it.
  virtual Error Read(size_t size, std::string* bytes) = 0;
};

class Server {
 public:
  static StatusOr<std::unique_ptr<Server>> Open(const Config& config, const Dependencies& deps);
  virtual ~Server() = default;

  virtual void Start() = 0;
  // Blocks until the member's attributes are applied or the server stops (then false).
  virtual bool WaitReady() = 0;
  // Blocks until everything is closed.
  virtual void Stop() = 0;

  // -- writes ------------------------------------------------------------------------------------
  // Puts the request into the log and completes `waiter` when it is applied here. The header (id,
  // user) is filled by the server. Fails with kTooManyRequests, kRequestTooLarge, kNoSpace (quota
  // gate), kTimeout.., kStopped. `deadline` is the client's; the server's own request timeout
  // applies too.
  virtual void Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request,
                       TimePoint deadline, ProposalWaiter* waiter) = 0;
  // For a request that Propose must not see because it is malformed: completes `waiter` with what
  // its client is told, `malformed`, or, as the quota gate comes first, like Propose with kNoSpace.
  virtual void Refuse(const etcdserverpb::InternalRaftRequest& request, Error malformed,
                      TimePoint deadline, ProposalWaiter* waiter) = 0;
  // The client is gone. True: `waiter` will not be resumed; its write may still be applied.
  virtual bool Abandon(ProposalWaiter* waiter) = 0;
  // Completes `waiter` when the physical part of every compaction applied so far has ended.
  virtual void WaitCompacted(Waiter* waiter) = 0;

  // -- reads -------------------------------------------------------------------------------------
  // True if a linearizable read may run right now without waiting (sole voter that leads and has
  // applied all it committed). Never wrong, may be false at any time.
  virtual bool ReadIndexNow() = 0;
  // Completes `waiter` once everything committed before this call is applied here.
  virtual void ReadIndex(TimePoint deadline, Waiter* waiter) = 0;
  virtual bool Abandon(Waiter* read_waiter) = 0;
  // Reads the local store on the calling thread; linearizable only after ReadIndex. The request has
  // been validated.
  virtual Error Range(const etcdserverpb::RangeRequest& request, RangeResult* result) = 0;
  // What Range answers if that is short and in memory; nothing: run Range on the read pool.
  virtual std::optional<Error> RangeInMemory(const etcdserverpb::RangeRequest& request,
                                             RangeResult* result) = 0;
  // One piece of a long list. Without `with_count` the count stays 0, and the piece costs what it
  // returns. Unlike the two above it is in no metric: see CountRange in server/metrics.h.
  virtual Error RangePiece(const etcdserverpb::RangeRequest& request, bool with_count,
                           RangeResult* result) = 0;
  // A txn without writes; may touch the disk.
  virtual Error ReadOnlyTxn(const etcdserverpb::TxnRequest& request,
                            etcdserverpb::TxnResponse* response) = 0;
  // What ReadOnlyTxn answers if that is short and in memory; nothing: run it on the read pool.
  virtual std::optional<Error> ReadOnlyTxnInMemory(const etcdserverpb::TxnRequest& request,
                                                   etcdserverpb::TxnResponse* response) = 0;
  virtual Error HashKv(Revision revision, etcdserverpb::HashKVResponse* response) = 0;
  // Over the whole store, of what is applied. Reads all of it: on the read pool only.
  virtual Error Hash(etcdserverpb::HashResponse* response) = 0;
  // Runs `work` on a read pool thread; false (nothing done) when its queue is full.
  [[nodiscard]] virtual bool RunOnReadPool(std::function<void()> work) = 0;

  // -- maintenance -------------------------------------------------------------------------------
  // Of what is applied now. Not null.
  virtual std::unique_ptr<DatabaseExport> NewDatabaseExport() = 0;
  // Completes `waiter` when a rewrite of this member's files, begun after this call, has given back
  // what compaction freed and the sizes are set down. No pause for anybody. Calls during a run
  // share the next one. kDiskFull when there is no room to rewrite a file.
  virtual void Defragment(Waiter* waiter) = 0;
  // True: `waiter` will not be resumed; the rewrite goes on.
  virtual bool AbandonDefragment(Waiter* waiter) = 0;

  // Has `target` lead in place of this member and completes `waiter` when it does; at once if that
  // is this member. Fails with kNotLeader, kBadLeaderTransferee, kTimeoutLeaderTransfer, kStopped.
  virtual void MoveLeader(MemberId target, TimePoint deadline, Waiter* waiter) = 0;
  // True: `waiter` will not be resumed; the transfer goes on.
  virtual bool AbandonMoveLeader(Waiter* waiter) = 0;

  // -- watch, lease, cluster ---------------------------------------------------------------------
  virtual mvcc::WatchableStore& watchable_store() = 0;
  // A fresh id for LeaseGrant with id 0.
  virtual LeaseId NewLeaseId() = 0;
  // Both are the leader's to answer: elsewhere they are passed on. kNoLeader, kNotPrimaryLessor,
  // kTimeout.., kStopped. Finding many keys takes time on the calling thread.
  virtual void LeaseRenew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) = 0;
  virtual void LeaseTimeToLive(LeaseId id, bool with_keys, TimePoint deadline,
                               LeaseTimeToLiveWaiter* waiter) = 0;
  virtual std::vector<LeaseId> Leases() = 0;
  virtual std::vector<MemberInfo> Members() = 0;
  // Puts the change into the log and completes `waiter`, whose response stays empty, when it is
  // applied here. Fails with kMemberNotFound, kMemberNotEnoughStarted, kUnhealthy, kMemberExists,
  // kTooManyLearners, kMemberNotLearner, kLearnerNotReady, kPeerUrlExists, kTimeout.., kStopped.
  virtual void ChangeMember(const MemberChange& change, TimePoint deadline,
                            ProposalWaiter* waiter) = 0;
  virtual std::vector<etcdserverpb::AlarmMember> Alarms() = 0;

  // -- facts -------------------------------------------------------------------------------------
  virtual ServerStatus status() = 0;
  virtual MemberId member_id() const = 0;
  virtual ClusterId cluster_id() const = 0;
  virtual Term term() const = 0;          // of the last applied entry; for response headers
  virtual Revision revision() const = 0;  // the store's current
  virtual bool has_leader() const = 0;
  virtual bool is_learner() const = 0;
  // "3.7.0"; empty while the cluster has not agreed on one.
  virtual std::string cluster_version() const = 0;
  virtual const Config& config() const = 0;
  // A metrics::Collector of what is true of this member now.
  virtual void CollectMetrics(metrics::Samples* samples) = 0;
};

}  // namespace kvorum::server
