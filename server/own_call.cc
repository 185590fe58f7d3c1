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

ProposalWaiter* NewOwnProposal(OnDone done) {
  return new OwnProposal(CallResumer<OwnProposal>::Instance(), std::move(done));
}

Waiter* NewOwnWait(OnDone done) {
  return new OwnWait(CallResumer<OwnWait>::Instance(), std::move(done));
}

}  // namespace kvorum::server
