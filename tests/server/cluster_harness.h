#pragma once
// Several members, each on a disk of its own, on one clock and one network of the test's, all
// stepped on the test's thread.
//
//   ClusterHarness cluster(3);
//   cluster.OpenAndWaitReady();
//   EXPECT_EQ(cluster.Put("a", "1"), Error::kOk);    // at the leader
//   cluster.Crash(cluster.leader());
//   ASSERT_TRUE(cluster.StepUntil([&] { return cluster.leader() != kNobody; }));

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/server/member_harness.h"
#include "tests/server/test_network.h"

namespace kvorum::server {

inline constexpr size_t kNobody = SIZE_MAX;

class ClusterHarness {
 public:
  explicit ClusterHarness(size_t size) : network(clock) {
    std::string initial;
    for (size_t i = 0; i < size; ++i) initial += (i > 0 ? "," : "") + NameOf(i) + "=" + UrlOf(i);
    for (size_t i = 0; i < size; ++i) AddNode(initial);
  }
  ~ClusterHarness() {
    for (auto& node : nodes) node->server.reset();
  }

  // ---- Life ----

  static std::string NameOf(size_t i) { return "m" + std::to_string(i); }
  static std::string UrlOf(size_t i) { return "http://10.0.0." + std::to_string(i + 1) + ":2380"; }

  // Of all members, before they start.
  void Configure(const std::function<void(Config*)>& change) {
    configure_ = change;
    for (auto& node : nodes) change(&node->config);
  }
  // One more, not started. Returns its number.
  size_t AddNode(const std::string& initial_cluster, const std::string& state = "new") {
    const size_t i = nodes.size();
    nodes.push_back(std::make_unique<Node>(clock));
    Config& config = nodes[i]->config;
    config.data_dir = "/data";
    config.name = NameOf(i);
    config.initial_advertise_peer_urls = {UrlOf(i)};
    config.advertise_client_urls = {"http://10.0.0." + std::to_string(i + 1) + ":2379"};
    config.initial_cluster = initial_cluster;
    config.initial_cluster_state = state;
    if (configure_) configure_(&config);
    return i;
  }
  Status Open(size_t i) {
    Node& node = *nodes[i];
    node.peers = network.NewPeers({UrlOf(i)});
    uint64_t seed = ++opened_ * 1000;
    const Dependencies deps{.env = &node.env,
                            .clock = &clock,
                            .new_random = [seed]() mutable { return NewSeededRandom(seed++); },
                            .peers = node.peers.get(),
                            .on_end = [&node] { node.ended = true; }};
    ASSIGN_OR_RETURN(node.server, EtcdServer::OpenStepped(node.config, deps));
    node.server->StartPeers();
    return absl::OkStatus();
  }
  void OpenAndWaitReady() {
    for (size_t i = 0; i < nodes.size(); ++i) ASSERT_OK(Open(i));
    ASSERT_TRUE(StepUntil([this] { return AllReady(); }));
  }
  bool AllReady() {
    for (const auto& node : nodes) {
      if (node->server != nullptr && !node->server->ready()) return false;
    }
    return true;
  }
  void Stop(size_t i) {
    nodes[i]->server->Stop();
    nodes[i]->server.reset();
  }
  void Crash(size_t i, const CrashOptions& options = {}) {
    nodes[i]->env.PowerOff();
    nodes[i]->server.reset();
    nodes[i]->env.PowerOn(options);
  }

  // ---- Time ----

  bool Step() {
    bool any = network.Deliver();
    for (auto& node : nodes) {
      if (node->server != nullptr) any |= node->server->Step();
    }
    return any;
  }
  // False if `done` does not come true within about two minutes of the clock.
  bool StepUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 12000; ++i) {
      while (Step()) {
      }
      if (done()) return true;
      clock.Advance(std::chrono::milliseconds(10));
      std::this_thread::yield();
    }
    return false;
  }
  void StepFor(Duration time) {
    const TimePoint end = clock.Now() + time;
    StepUntil([&] { return clock.Now() >= end; });
  }

  // ---- Calls ----

  EtcdServer& at(size_t i) { return *nodes[i]->server; }
  MemberId IdOf(size_t i) { return at(i).member_id(); }
  // The member that all running, connected ones of its own term would agree on; kNobody if none.
  size_t leader() {
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i]->server == nullptr) continue;
      const ServerStatus status = at(i).status();
      if (status.leader == IdOf(i)) return i;
    }
    return kNobody;
  }
  Error Put(size_t i, std::string_view key, std::string_view value) {
    TestCall call;
    at(i).Propose(
        std::make_unique<etcdserverpb::InternalRaftRequest>(MemberHarness::PutRequest(key, value)),
        TimePoint::max(), &call);
    EXPECT_TRUE(StepUntil([&] { return call.done(); }));
    return call.error;
  }
  // Linearizable, at one member.
  std::optional<std::string> Get(size_t i, std::string_view key) {
    TestWait wait;
    at(i).ReadIndex(TimePoint::max(), &wait);
    EXPECT_TRUE(StepUntil([&] { return wait.done(); }));
    EXPECT_EQ(wait.error, Error::kOk);
    etcdserverpb::RangeRequest request;
    request.set_key(key.data(), key.size());
    RangeResult result;
    EXPECT_EQ(at(i).Range(request, &result), Error::kOk);
    etcdserverpb::RangeResponse response;
    FillRangeResponse(result, &response);
    if (response.kvs().empty()) return std::nullopt;
    return response.kvs(0).value();
  }
  Error Change(size_t i, const MemberChange& change) {
    TestCall call;
    at(i).ChangeMember(change, TimePoint::max(), &call);
    EXPECT_TRUE(StepUntil([&] { return call.done(); }));
    return call.error;
  }
  uint32_t HashKv(size_t i, int64_t revision = 0) {
    etcdserverpb::HashKVResponse response;
    EXPECT_EQ(at(i).HashKv(Revision(revision), &response), Error::kOk);
    return response.hash();
  }

  struct Node {
    explicit Node(const Clock& clock) : env(clock) {}
    FaultEnv env;
    Config config;
    std::unique_ptr<Peers> peers;
    std::unique_ptr<EtcdServer> server;
    bool ended = false;
  };

  ManualClock clock;
  TestNetwork network;
  std::vector<std::unique_ptr<Node>> nodes;

 private:
  std::function<void(Config*)> configure_;
  uint64_t opened_ = 0;
};

}  // namespace kvorum::server
