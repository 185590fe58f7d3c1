#pragma once
// A whole member on a disk and a clock of the test's, stepped on the test's thread.
//
//   MemberHarness member;
//   member.OpenAndWaitReady();
//   EXPECT_EQ(member.Put("a", "1"), Error::kOk);
//   member.Crash({.seed = 3});           // everything not synced is gone
//   member.OpenAndWaitReady();

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "server/range.h"
#include "server/server_impl.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/fault_env.h"
#include "tests/testing/manual_clock.h"

namespace kvorum::server {

// A waiter that notes that it was resumed. Stays with the test until then or until it is abandoned.
class TestCall : public ProposalWaiter, private Resumer {
 public:
  TestCall() : ProposalWaiter(static_cast<Resumer&>(*this)) {}
  bool done() const { return done_; }
  template <typename Response>
  const Response& As() const {
    return std::get<Response>(response);
  }

 private:
  void Resume(std::span<Waiter* const>) override { done_ = true; }
  bool done_ = false;
};

class TestWait : public Waiter, private Resumer {
 public:
  TestWait() : Waiter(static_cast<Resumer&>(*this)) {}
  bool done() const { return done_; }

 private:
  void Resume(std::span<Waiter* const>) override { done_ = true; }
  bool done_ = false;
};

class TestRenew : public LeaseRenewWaiter, private Resumer {
 public:
  TestRenew() : LeaseRenewWaiter(static_cast<Resumer&>(*this)) {}
  bool done() const { return done_; }

 private:
  void Resume(std::span<Waiter* const>) override { done_ = true; }
  bool done_ = false;
};

class TestTimeToLive : public LeaseTimeToLiveWaiter, private Resumer {
 public:
  TestTimeToLive() : LeaseTimeToLiveWaiter(static_cast<Resumer&>(*this)) {}
  bool done() const { return done_; }

 private:
  void Resume(std::span<Waiter* const>) override { done_ = true; }
  bool done_ = false;
};

class MemberHarness {
 public:
  MemberHarness() : env(clock) { config.data_dir = "/data"; }

  // ---- Life ----

  Status Open() {
    uint64_t seed = ++opened_;
    const Dependencies deps{.env = &env, .clock = &clock, .new_random = [seed]() mutable {
                              return NewSeededRandom(seed++);
                            }};
    ASSIGN_OR_RETURN(server, EtcdServer::OpenStepped(config, deps));
    return absl::OkStatus();
  }
  void OpenAndWaitReady() {
    ASSERT_OK(Open());
    ASSERT_TRUE(StepUntil([this] { return server->ready(); }));
  }
  void Stop() {
    server->Stop();
    server.reset();
  }
  // The plug is pulled between two steps.
  void Crash(const CrashOptions& options = {}) {
    env.PowerOff();
    server.reset();
    env.PowerOn(options);
  }

  // ---- Time ----

  // Everything that can happen without time passing.
  void StepUntilIdle() {
    while (server->Step()) {
    }
  }
  // Steps, and moves the clock when nothing else happens; false if `done` never comes true.
  bool StepUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 20000; ++i) {
      StepUntilIdle();
      if (done()) return true;
      clock.Advance(std::chrono::milliseconds(5));
      std::this_thread::yield();  // to threads of the store
    }
    return false;
  }

  // ---- Calls ----

  std::unique_ptr<TestCall> Start(etcdserverpb::InternalRaftRequest request) {
    auto call = std::make_unique<TestCall>();
    server->Propose(std::make_unique<etcdserverpb::InternalRaftRequest>(std::move(request)),
                    TimePoint::max(), call.get());
    return call;
  }
  std::unique_ptr<TestCall> Do(etcdserverpb::InternalRaftRequest request) {
    auto call = Start(std::move(request));
    EXPECT_TRUE(StepUntil([&] { return call->done(); }));
    return call;
  }
  static etcdserverpb::InternalRaftRequest PutRequest(std::string_view key, std::string_view value,
                                                      int64_t lease = 0) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_put()->set_key(key.data(), key.size());
    request.mutable_put()->set_value(value.data(), value.size());
    request.mutable_put()->set_lease(lease);
    return request;
  }
  Error Put(std::string_view key, std::string_view value, int64_t lease = 0) {
    return Do(PutRequest(key, value, lease))->error;
  }
  Error Compact(int64_t revision) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_compaction()->set_revision(revision);
    return Do(std::move(request))->error;
  }
  Error Grant(int64_t id, int64_t ttl) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_lease_grant()->set_id(id);
    request.mutable_lease_grant()->set_ttl(ttl);
    return Do(std::move(request))->error;
  }
  LeaseTimeToLiveResult TimeToLive(int64_t id) {
    TestTimeToLive call;
    server->LeaseTimeToLive(LeaseId(id), true, TimePoint::max(), &call);
    EXPECT_TRUE(StepUntil([&] { return call.done(); }));
    EXPECT_EQ(call.error, Error::kOk);
    return call.result;
  }
  etcdserverpb::RangeResponse Get(std::string_view key, std::string_view end = {},
                                  int64_t revision = 0) {
    etcdserverpb::RangeRequest request;
    request.set_key(key.data(), key.size());
    request.set_range_end(end.data(), end.size());
    request.set_revision(revision);
    RangeResult result;
    EXPECT_EQ(server->Range(request, &result), Error::kOk);
    etcdserverpb::RangeResponse response;
    FillRangeResponse(result, &response);
    return response;
  }
  // The value of a key, nothing if it does not exist.
  std::optional<std::string> Value(std::string_view key) {
    const auto response = Get(key);
    if (response.kvs().empty()) return std::nullopt;
    return response.kvs(0).value();
  }
  uint32_t HashKv(int64_t revision) {
    etcdserverpb::HashKVResponse response;
    EXPECT_EQ(server->HashKv(Revision(revision), &response), Error::kOk);
    return response.hash();
  }

  ManualClock clock;
  FaultEnv env;
  Config config;
  std::unique_ptr<EtcdServer> server;

 private:
  uint64_t opened_ = 0;
};

}  // namespace kvorum::server
