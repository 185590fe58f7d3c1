#pragma once
// PeerClient: questions to other members over their peer URLs. The answering side is Handler.
//
// Each call asks the URLs in the order given until one gives an answer that counts; it blocks, so
// it belongs on a thread that may wait (bootstrap, read pool, monitors), never on a stage or an IO
// thread. `timeout` is for each URL where the result is a Status (as in etcd), for all of them
// together where it is an Error. Redirects are not followed.
//
// Errors: Unavailable if nobody answered in a usable way, DeadlineExceeded if time ran out on the
// last URL; the text tells why and where. What an answer says by its text comes back as an Error.
//
// Threads: every method on any thread; Cancel ends those under way. Follows etcd
// server/etcdserver/cluster_util.go, corrupt.go, lease/leasehttp/http.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "server/errors.h"
#include "server/membership/member.h"
#include "server/peer/handler.h"
#include "server/peer/http_message.h"
#include "server/peer/io_loop.h"

namespace kvorum::server::peer {

class PeerClient {
 public:
  struct Options {
    Duration dial_timeout = std::chrono::seconds(2);
    // Address that connections are bound to; empty: the system's choice.
    std::string local_address;
  };
  using Urls = std::vector<std::string>;

  explicit PeerClient(Options options);
  ~PeerClient();  // REQUIRES: no call is under way.
  PeerClient(const PeerClient&) = delete;
  PeerClient& operator=(const PeerClient&) = delete;

  struct Membership {
    ClusterId cluster;
    std::vector<MemberInfo> members;  // as sent: sorted by id
  };
  // GET /members.
  StatusOr<Membership> GetMembers(const Urls& urls, Duration timeout);
  // GET /version. An undecided version comes back as it is sent, "not_decided" and "unknown".
  StatusOr<Versions> GetVersions(const Urls& urls, Duration timeout);
  // GET /downgrade/enabled.
  StatusOr<bool> DowngradeEnabled(const Urls& urls, Duration timeout);

  // POST /members/promote/<id>, with the caller's token (may be empty). kMemberNotFound,
  // kMemberNotLearner and kLearnerNotReady are final; kTimeout (time ran out, or the other side's
  // did) and kNoLeader (no usable answer) may be tried again.
  Answer<std::vector<MemberInfo>> PromoteMember(const Urls& urls, MemberId id,
                                                const std::string& token, Duration timeout);
  // GET /members/hashkv. The answer's error is kCompacted, kFutureRevision, kClusterIdMismatch; any
  // other failure is the Status.
  StatusOr<Answer<HashKvResult>> HashKv(const Urls& urls, ClusterId cluster, Revision revision,
                                        Duration timeout);

  // POST /leases: one round over the URLs. kLeaseNotFound is final; kTimeout (time ran out),
  // kTimeoutWaitAppliedIndex, kNotPrimaryLessor and kNoLeader (nobody answered) may be tried again.
  Answer<int64_t> RenewLease(const Urls& urls, LeaseId id, Duration timeout);
  // POST /leases/internal; the same errors.
  Answer<LeaseTtl> LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys, Duration timeout);

  // Calls under way and those to come fail at once with Cancelled (as an Error: kStopped).
  void Cancel();

 private:
  struct Request {
    std::string_view method;
    std::string path;
    HttpHeaders headers;
    std::string body;
  };
  // Of one URL.
  StatusOr<HttpReply> Ask(const std::string& url, const Request& request, Duration timeout);
  // Of one URL after the other, until `take` is content with an answer; its last complaint, or that
  // of the connection.
  Status AskEach(const Urls& urls, const Request& request, Duration timeout,
                 const std::function<Status(const HttpReply&)>& take);
  // The same within one time for all; kOk, or why not.
  Error AskUntil(const Urls& urls, const Request& request, Duration timeout,
                 const std::function<Error(const HttpReply&)>& take);

  const Options options_;
  absl::Mutex mutex_;
  bool canceled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<IoLoop>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server::peer
