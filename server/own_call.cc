#include "server/own_call.h"

namespace kvorum::server {
namespace {

struct OwnProposal final : ProposalWaiter {
  OwnProposal(Resumer& resumer, OnDone on_done)
      : ProposalWaiter(resumer), done(std::move(on_done)) {}
  const OnDone done;
};

struct OwnWait final : Waiter {
  OwnWait(Resumer& resumer, OnDone on_done) : Waiter(resumer), done(std::move(on_done)) {}
  const OnDone done;
};

// All waiters of one resumer are of one type.
template <typename Call>
class CallResumer : public Resumer {
 public:
  void Resume(std::span<Waiter* const> batch) override {
    for (Waiter* const waiter : batch) {
      Call* const call = static_cast<Call*>(waiter);
      call->done(call->error);
      delete call;
    }
  }
  static CallResumer& Instance() {
    static CallResumer* const instance = new CallResumer;
    return *instance;
  }
};

}  // namespace

std::string_view TextOf(Error error) {
  switch (error) {
    case Error::kKeyNotFound:
      return "etcdserver: key not found";
    case Error::kLeaseNotFound:
      return "lease not found";
    case Error::kLeaseExists:
      return "lease already exists";
    case Error::kLeaseTtlTooLarge:
      return "too large lease TTL";
    case Error::kCompacted:
      return "mvcc: required revision has been compacted";
    case Error::kFutureRevision:
      return "mvcc: required revision is a future revision";
    case Error::kNoSpace:
      return "etcdserver: no space";
    case Error::kCorrupt:
      return "etcdserver: corrupt cluster";
    case Error::kMemberNotEnoughStarted:
      return "etcdserver: re-configuration failed due to not enough started members";
    case Error::kUnhealthy:
      return "etcdserver: unhealthy cluster";
    case Error::kTooManyRequests:
      return "etcdserver: too many requests";
    case Error::kStopped:
      return "etcdserver: server stopped";
    case Error::kTimeout:
      return "etcdserver: request timed out";
    case Error::kTimeoutDueToLeaderFail:
      return "etcdserver: request timed out, possibly due to previous leader failure";
    case Error::kTimeoutDueToConnectionLost:
      return "etcdserver: request timed out, possibly due to connection lost";
    case Error::kTimeoutLeaderTransfer:
      return "etcdserver: request timed out, leader transfer took too long";
    case Error::kDeadlineExceeded:
      return "context deadline exceeded";
    case Error::kProposalDropped:
      return "raft proposal dropped";
    default:
      return "etcdserver: internal error";
  }
}

ProposalWaiter* NewOwnProposal(OnDone done) {
  return new OwnProposal(CallResumer<OwnProposal>::Instance(), std::move(done));
}

Waiter* NewOwnWait(OnDone done) {
  return new OwnWait(CallResumer<OwnWait>::Instance(), std::move(done));
}

}  // namespace kvorum::server
