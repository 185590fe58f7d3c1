// A member under concurrent puts, transactions, leases and compactions is killed with SIGKILL at a
// random moment, a hundred times over the same data directory. After every restart: no acknowledged
// write is missing, no transaction is half there, revisions have no gap, and HashKV at a revision
// is what it was before.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <iostream>
#include <random>
#include <thread>

#include "tests/e2e/history.h"
#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

constexpr int kRounds = 100;
constexpr int kWorkers = 12;
constexpr int64_t kMinAcknowledgedPerRound = 500;
constexpr std::chrono::seconds kLoadTimeout(60);
constexpr char kPairPrefix[] = "pair/";

using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::Maintenance;
using etcdserverpb::Watch;

struct Stubs {
  explicit Stubs(const std::string& endpoint)
      : channel(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
        kv(KV::NewStub(channel)),
        lease(Lease::NewStub(channel)),
        maintenance(Maintenance::NewStub(channel)),
        watch(Watch::NewStub(channel)) {}

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<KV::Stub> kv;
  std::unique_ptr<Lease::Stub> lease;
  std::unique_ptr<Maintenance::Stub> maintenance;
  std::unique_ptr<Watch::Stub> watch;
};

// One client: its own keys, its own seed; every operation that is answered is recorded.
class Worker {
 public:
  Worker(int id, uint64_t seed, Stubs* stubs, Acknowledged* acknowledged)
      : id_(std::to_string(id)), random_(seed), stubs_(stubs), acknowledged_(acknowledged) {}

  // Until the member is gone.
  void Run() {
    bool alive = true;
    while (alive) {
      switch (random_() % 8) {
        case 0:
          alive = PutPair();
          break;
        case 1:
          alive = Delete();
          break;
        case 2:
          alive = LeasedPutAndRevoke();
          break;
        default:
          alive = Put();
      }
    }
  }

 private:
  std::string NextValue() {
    return id_ + "-" + std::to_string(random_()) + std::string(random_() % 300, 'v');
  }
  std::string SomeKey() { return "key/" + id_ + "/" + std::to_string(random_() % 20); }

  bool Put() {
    etcdserverpb::PutRequest request;
    request.set_key(SomeKey());
    request.set_value(NextValue());
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    if (!stubs_->kv->Put(&context, request, &response).ok()) return false;
    acknowledged_->Record(response.header().revision(),
                          {{request.key(), Change{request.value(), false}}});
    return true;
  }

  bool PutPair() {
    const std::string base = kPairPrefix + id_ + "/";
    const std::string value = NextValue();
    etcdserverpb::TxnRequest request;
    Changes changes;
    for (const char* end : {"0", "1"}) {
      auto* put = request.add_success()->mutable_request_put();
      put->set_key(base + end);
      put->set_value(value);
      changes[base + end] = Change{value, false};
    }
    etcdserverpb::TxnResponse response;
    grpc::ClientContext context;
    if (!stubs_->kv->Txn(&context, request, &response).ok()) return false;
    acknowledged_->Record(response.header().revision(), changes);
    return true;
  }

  bool Delete() {
    etcdserverpb::DeleteRangeRequest request;
    request.set_key(SomeKey());
    etcdserverpb::DeleteRangeResponse response;
    grpc::ClientContext context;
    if (!stubs_->kv->DeleteRange(&context, request, &response).ok()) return false;
    if (response.deleted() == 1) {
      acknowledged_->Record(response.header().revision(), {{request.key(), Change{"", true}}});
    }
    return true;
  }

  bool LeasedPutAndRevoke() {
    etcdserverpb::LeaseGrantRequest grant;
    grant.set_ttl(3600);
    etcdserverpb::LeaseGrantResponse granted;
    grpc::ClientContext grant_context;
    if (!stubs_->lease->LeaseGrant(&grant_context, grant, &granted).ok()) return false;

    etcdserverpb::PutRequest put;
    put.set_key("leased/" + id_);
    put.set_value(NextValue());
    put.set_lease(granted.id());
    etcdserverpb::PutResponse response;
    grpc::ClientContext put_context;
    if (!stubs_->kv->Put(&put_context, put, &response).ok()) return false;
    acknowledged_->Record(response.header().revision(), {{put.key(), Change{put.value(), false}}});

    etcdserverpb::LeaseRevokeRequest revoke;
    revoke.set_id(granted.id());
    etcdserverpb::LeaseRevokeResponse revoked;
    grpc::ClientContext revoke_context;
    return stubs_->lease->LeaseRevoke(&revoke_context, revoke, &revoked).ok();
  }

  const std::string id_;
  std::mt19937_64 random_;
  Stubs* stubs_;
  Acknowledged* acknowledged_;
};

// HashKV at `revision` (0: current); false if the member did not answer.
bool HashKv(Stubs* stubs, int64_t revision, etcdserverpb::HashKVResponse* response) {
  etcdserverpb::HashKVRequest request;
  request.set_revision(revision);
  grpc::ClientContext context;
  return stubs->maintenance->HashKV(&context, request, response).ok();
}

int64_t CurrentRevision(Stubs* stubs) {
  etcdserverpb::RangeRequest request;
  request.set_key("none");
  etcdserverpb::RangeResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stubs->kv->Range(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.header().revision();
}

bool Compact(Stubs* stubs, int64_t revision) {
  etcdserverpb::CompactionRequest request;
  request.set_revision(revision);
  etcdserverpb::CompactionResponse response;
  grpc::ClientContext context;
  return stubs->kv->Compact(&context, request, &response).ok();
}

class KillTest : public ::testing::Test {
 protected:
  // One round on a running member; leaves it killed. `last_hash` is a hash taken under load.
  void LoadAndKill(Member* member, std::mt19937_64* random) {
    Stubs stubs(member->endpoint());
    const int64_t before = acknowledged_.count();
    const int64_t enough = before + kMinAcknowledgedPerRound + (*random)() % 500;
    std::vector<std::thread> threads;
    for (int id = 0; id < kWorkers; ++id) {
      threads.emplace_back(
          [&, id, seed = (*random)()] { Worker(id, seed, &stubs, &acknowledged_).Run(); });
    }
    // A compaction and a hash somewhere in the middle of the load.
    const int64_t middle = before + (enough - before) / 2;
    EXPECT_TRUE(acknowledged_.WaitForCount(middle, kLoadTimeout)) << member->process().output();
    if ((*random)() % 2 == 0) {
      const int64_t revision = acknowledged_.last_revision() - 50;
      if (Compact(&stubs, revision)) compacted_ = revision;
    }
    hash_valid_ = HashKv(&stubs, 0, &hash_);
    EXPECT_TRUE(acknowledged_.WaitForCount(enough, kLoadTimeout)) << member->process().output();
    member->process().Signal(SIGKILL);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(member->process().Wait(), 128 + SIGKILL);
  }

  void Verify(const Member& member) {
    Stubs stubs(member.endpoint());
    const int64_t current = CurrentRevision(&stubs);
    EXPECT_GE(current, acknowledged_.last_revision());
    const int64_t first = std::max<int64_t>(compacted_ + 1, 2);
    const auto history = ReadHistory(stubs.watch.get(), first, current);
    EXPECT_THAT(Compare(acknowledged_.Take(), history, first, current, kPairPrefix),
                ::testing::IsEmpty());
    if (!hash_valid_) return;
    etcdserverpb::HashKVResponse now;
    ASSERT_TRUE(HashKv(&stubs, hash_.hash_revision(), &now));
    EXPECT_EQ(now.compact_revision(), hash_.compact_revision());
    EXPECT_EQ(now.hash(), hash_.hash()) << "at revision " << hash_.hash_revision();
  }

  ScratchDir dir_;
  Acknowledged acknowledged_;
  int64_t compacted_ = 0;
  bool hash_valid_ = false;
  etcdserverpb::HashKVResponse hash_;
};

TEST_F(KillTest, AcknowledgedWritesSurviveAHundredKills) {
  uint64_t seed = std::random_device()();
  if (const char* given = std::getenv("KVORUM_SEED")) seed = std::strtoull(given, nullptr, 10);
  std::cout << "KVORUM_SEED=" << seed << std::endl;
  std::mt19937_64 random(seed);
  Member::Options options{.data_dir = dir_.path() + "/data"};
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Member member(options);
    options = member.options();
    if (round > 0) Verify(member);
    if (!HasFailure()) LoadAndKill(&member, &random);
  }
  Member member(options);
  Verify(member);
  std::cout << acknowledged_.count() << " acknowledged writes checked" << std::endl;
}

}  // namespace
}  // namespace kvorum::e2e
