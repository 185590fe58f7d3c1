#pragma once
// What the peer transport asks of the member it belongs to. The server implements Handler; the
// transport implements nothing of raft, membership, store or leases itself.
//
// Threads: called on the transport's IO threads, several at a time, from Transport::Start until
// Transport::Stop returns; OnUnreachable and OnSnapshotSent also inside Send and SendSnapshot, on
// their caller's thread. Nothing here may block, but for the methods of SnapshotReceiver and
// SnapshotSource, which run on threads of their own. A Completion may be called on any thread, also
// before the method that took it returns, also after Stop; exactly once.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "raft/types.h"
#include "server/errors.h"
#include "server/membership/member.h"

namespace kvorum::server::peer {

// `value` counts only with kOk.
template <typename T>
struct Answer {
  Error error = Error::kOk;
  T value{};
};
template <typename T>
using Completion = std::function<void(Answer<T>)>;

// A database to be sent: pieces of a file whose size is known before its first byte. All calls come
// from one thread, which may block in them; destroyed on any thread, read to its end or not.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // First call, once: the bytes that Read will give in all.
  virtual StatusOr<uint64_t> Open() = 0;
  // The next bytes, at most `max_bytes`; empty at the end.
  virtual StatusOr<std::string> Read(size_t max_bytes) = 0;
};

// A database that arrives; abandoned unless Commit returned OK before destruction. One thread at a
// time, which may block.
class SnapshotReceiver {
 public:
  virtual ~SnapshotReceiver() = default;
  virtual Status Write(std::string_view bytes) = 0;
  // Durable after this. Only then the message it belongs to is received.
  virtual Status Commit() = 0;
};

// What GET /version says. Empty cluster and storage versions are those not decided yet.
struct Versions {
  std::string server;
  std::string cluster;
  std::string storage;
};

struct HashKvResult {
  uint32_t hash = 0;
  int64_t revision = 0;          // of the store, when asked
  int64_t compact_revision = 0;  // -1: never compacted
  int64_t hash_revision = 0;     // the hash is of the keys up to here
};

struct LeaseTtl {
  int64_t ttl_seconds = 0;  // remaining, truncated
  int64_t granted_ttl_seconds = 0;
  std::vector<std::string> keys;  // if asked for
};

class Handler {
 public:
  virtual ~Handler() = default;

  // Raft. --------------------------------------------------------------------------------------

  // Hands a message to raft, in the order of calls of one thread. False: it was dropped, because
  // the input is full or the member is stopping. Messages from removed members and to others than
  // this one do not come here. A kSnap's database is durable before.
  virtual bool Receive(raft::Message message) = 0;
  // An id that was a member and is no more.
  virtual bool IsRemoved(MemberId id) = 0;
  // Messages to this member were lost.
  virtual void OnUnreachable(MemberId id) = 0;
  // A kSnap was taken by its receiver, or is lost.
  virtual void OnSnapshotSent(MemberId to, bool ok) = 0;
  // Another member says that this one was removed for good. May come more than once.
  virtual void OnRemovedFromCluster() = 0;
  // Called on a thread that may block, before the database's bytes that follow `message` are read.
  // ResourceExhausted, AlreadyExists... : the text reaches the sender.
  virtual StatusOr<std::unique_ptr<SnapshotReceiver>> BeginSnapshot(
      const raft::Message& message) = 0;

  // Questions of other members. ----------------------------------------------------------------

  // Sorted by id.
  virtual std::vector<MemberInfo> Members() = 0;
  virtual Versions GetVersions() = 0;
  // Linearizable: whether a downgrade is under way.
  virtual void DowngradeEnabled(Completion<bool> done) = 0;
  // Promotes a learner as a client's call would, on the leader or through it; `token` is who asks,
  // empty without authentication. Expected errors: kMemberNotFound, kMemberNotLearner,
  // kLearnerNotReady. The value is the new membership, sorted by id.
  virtual void PromoteMember(MemberId id, const std::string& token,
                             Completion<std::vector<MemberInfo>> done) = 0;
  // Of all keys up to `revision` (0: the current one). Expected errors: kCompacted,
  // kFutureRevision.
  virtual void HashKv(Revision revision, Completion<HashKvResult> done) = 0;
  // The two below wait up to a second until what was committed at the call is applied here, else
  // kTimeoutWaitAppliedIndex. Expected errors: kLeaseNotFound, kNotPrimaryLessor.
  // The value is the lease's full time to live in seconds.
  virtual void RenewLease(LeaseId id, Completion<int64_t> done) = 0;
  virtual void LeaseTimeToLive(LeaseId id, bool keys, Completion<LeaseTtl> done) = 0;
};

}  // namespace kvorum::server::peer
