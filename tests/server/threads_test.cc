// The member as production runs it: its own threads, a real disk, the machine's clock.

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/server.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/temp_dir.h"

namespace kvorum::server {
namespace {

class BlockingPut : public ProposalWaiter, private Resumer {
 public:
  BlockingPut() : ProposalWaiter(static_cast<Resumer&>(*this)) {}
  Error Run(Server& server, const std::string& key, const std::string& value) {
    auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
    request->mutable_put()->set_key(key);
    request->mutable_put()->set_value(value);
    server.Propose(std::move(request), TimePoint::max(), this);
    done_.WaitForNotification();
    return error;
  }

 private:
  void Resume(std::span<Waiter* const>) override { done_.Notify(); }
  absl::Notification done_;
};

class BlockingRead : public Waiter, private Resumer {
 public:
  BlockingRead() : Waiter(static_cast<Resumer&>(*this)) {}
  Error Run(Server& server) {
    server.ReadIndex(TimePoint::max(), this);
    done_.WaitForNotification();
    return error;
  }

 private:
  void Resume(std::span<Waiter* const>) override { done_.Notify(); }
  absl::Notification done_;
};

class ThreadsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> Open() {
    Config config;
    config.data_dir = dir_ / "data";
    config.snapshot_count = 50;
    auto server =
        Server::Open(config, {.env = &PosixEnv(), .clock = &SystemClock(), .new_random = [] {
                                return NewSystemRandom();
                              }});
    EXPECT_OK(server);
    (*server)->Start();
    EXPECT_TRUE((*server)->WaitReady());
    return *std::move(server);
  }
  static int64_t Count(Server& server) {
    etcdserverpb::RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_range_end(std::string(1, '\0'));
    request.set_count_only(true);
    RangeResult result;
    EXPECT_EQ(server.Range(request, &result), Error::kOk);
    return result.count;
  }

  TempDir dir_;
};

TEST_F(ThreadsTest, ConcurrentWritersAndReaders) {
  constexpr int kThreads = 4;
  constexpr int kPuts = 50;
  auto server = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&server, t] {
      for (int i = 0; i < kPuts; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i);
        EXPECT_EQ(BlockingPut().Run(*server, key, "v"), Error::kOk);
        if (!server->ReadIndexNow()) {
          EXPECT_EQ(BlockingRead().Run(*server), Error::kOk);
        }
        etcdserverpb::RangeRequest request;
        request.set_key(key);
        RangeResult result;
        EXPECT_EQ(server->Range(request, &result), Error::kOk);
        EXPECT_EQ(result.kvs.size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(*server), kThreads * kPuts);
  EXPECT_EQ(server->revision(), Revision(1 + kThreads * kPuts));
  server->Stop();
  server.reset();
  server = Open();
  EXPECT_EQ(Count(*server), kThreads * kPuts);
}

TEST_F(ThreadsTest, StopUnderLoadAnswersEveryCall) {
  auto server = Open();
  std::atomic<bool> stopped = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Error error = Error::kOk;
      while (error == Error::kOk) error = BlockingPut().Run(*server, std::to_string(t), "v");
      EXPECT_EQ(error, Error::kStopped);
      EXPECT_TRUE(stopped.load());
    });
  }
  while (server->revision() < Revision(50)) std::this_thread::yield();
  stopped = true;
  server->Stop();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ThreadsTest, SecondProcessOnTheSameDirectoryIsRefused) {
  auto server = Open();
  Config config;
  config.data_dir = dir_ / "data";
  EXPECT_FALSE(Server::Open(config, {.env = &PosixEnv(),
                                     .clock = &SystemClock(),
                                     .new_random = [] { return NewSystemRandom(); }})
                   .ok());
  server->Stop();
}

TEST_F(ThreadsTest, ReadPoolRunsWork) {
  auto server = Open();
  absl::Notification ran;
  ASSERT_TRUE(server->RunOnReadPool([&] { ran.Notify(); }));
  ran.WaitForNotification();
  server->Stop();
  EXPECT_FALSE(server->RunOnReadPool([] {}));
}

}  // namespace
}  // namespace kvorum::server
