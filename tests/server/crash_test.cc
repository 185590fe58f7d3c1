// A whole member on a disk that loses what was not synced: whatever moment the power goes, what was
// acknowledged is there afterwards, and nothing is there by half. The control at the end shows that
// these checks notice a disk that lies about syncing.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "server/fatal.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

struct PowerCut {};

// What clients were told, and what must therefore hold after every crash.
struct Acknowledged {
  struct Write {
    std::vector<std::string> keys;  // all written in one revision
    std::string value;
    int64_t revision = 0;
  };
  std::vector<Write> writes;
  std::map<int64_t, bool> leases;  // exists, or was revoked
  int64_t compacted = -1;

  // The last look at the whole history.
  int64_t hash_revision = 0;
  int64_t hash_compacted = -1;
  uint32_t hash = 0;
};

// One call under way, and what it will have meant.
struct Pending {
  std::unique_ptr<TestCall> call;
  std::vector<std::string> keys;
  std::string value;
  int64_t lease = 0;
  int64_t compaction = 0;
};

class CrashRun {
 public:
  explicit CrashRun(uint64_t seed) : random_(NewSeededRandom(seed)) {
    member.config.snapshot_count = 30;
    member.config.snapshot_catchup_entries = 10;
    SetFatalHandlerForTest([](std::string_view) { throw PowerCut(); });
  }
  ~CrashRun() { SetFatalHandlerForTest({}); }

  // Works for a while and loses power at some point of it.
  void WorkAndCrash() {
    const bool mid_step = random_->Uniform(2) == 0;
    if (mid_step) {
      // The disk dies under some call of some stage.
      member.env.FailFromNthCall(FaultEnv::Op::kAny, 1 + random_->Uniform(150),
                                 absl::InternalError("power cut"));
    }
    try {
      const uint64_t steps = 50 + random_->Uniform(300);
      for (uint64_t i = 0; i < steps; ++i) WorkABit();
    } catch (const PowerCut&) {
    }
    member.env.PowerOff();
    member.server.reset();
    pending_.clear();
    // Whole sectors: the log's reader, like etcd's, takes a sector for the unit of a torn write.
    member.env.PowerOn(
        {.files = random_->Uniform(2) == 0 ? Unsynced::kLost : Unsynced::kSectorsKept,
         .names = static_cast<Unsynced>(random_->Uniform(2)),
         .seed = random_->Next()});
  }

  // What is wrong now, compared with what was promised.
  std::vector<std::string> Violations() {
    std::vector<std::string> found;
    CheckWrites(&found);
    CheckLeases(&found);
    CheckHistory(&found);
    CheckHash(&found);
    return found;
  }

  MemberHarness member;
  Acknowledged acknowledged;
  int hashes_compared = 0;

 private:
  static constexpr size_t kMaxPending = 16;
  static constexpr int kPairs = 8;

  mvcc::Store& store() { return *member.server->state().store().Get(); }

  void WorkABit() {
    if (pending_.size() < kMaxPending && random_->Uniform(3) == 0) StartSomething();
    member.server->StepStage(random_->Uniform(EtcdServer::kStages));
    if (random_->Uniform(20) == 0) member.clock.Advance(std::chrono::milliseconds(30));
    CollectDone();
    if (random_->Uniform(25) == 0) LookAtHistory();
  }

  void StartSomething() {
    switch (random_->Uniform(12)) {
      case 0:
        return StartGrant();
      case 1:
        return StartRevoke();
      case 2:
        return StartCompaction();
      case 3:
      case 4:
      case 5:
        return StartPair();
      default:
        return StartPut();
    }
  }
  void StartPut() {
    Pending p;
    p.keys = {StrCat("k", random_->Uniform(20))};
    p.value = StrCat("v", ++counter_, std::string(random_->Uniform(700), 'x'));
    p.call = member.Start(MemberHarness::PutRequest(p.keys[0], p.value));
    pending_.push_back(std::move(p));
  }
  // Two keys that always have the same value: half of it would show.
  void StartPair() {
    const uint64_t pair = random_->Uniform(kPairs);
    Pending p;
    p.keys = {StrCat("p", pair, "/a"), StrCat("p", pair, "/b")};
    p.value = StrCat("v", ++counter_);
    etcdserverpb::InternalRaftRequest request;
    for (const std::string& key : p.keys) {
      auto* const put = request.mutable_txn()->add_success()->mutable_request_put();
      put->set_key(key);
      put->set_value(p.value);
    }
    p.call = member.Start(std::move(request));
    pending_.push_back(std::move(p));
  }
  void StartGrant() {
    Pending p;
    p.lease = ++counter_;
    etcdserverpb::InternalRaftRequest request;
    request.mutable_lease_grant()->set_id(p.lease);
    request.mutable_lease_grant()->set_ttl(100000);
    p.call = member.Start(std::move(request));
    pending_.push_back(std::move(p));
  }
  void StartRevoke() {
    for (const auto& [id, exists] : acknowledged.leases) {
      if (!exists || random_->Uniform(2) == 0) continue;
      Pending p;
      p.lease = -id;
      etcdserverpb::InternalRaftRequest request;
      request.mutable_lease_revoke()->set_id(id);
      p.call = member.Start(std::move(request));
      pending_.push_back(std::move(p));
      acknowledged.leases.erase(id);  // unknown until it is answered
      return;
    }
  }
  void StartCompaction() {
    const int64_t current = member.server->revision().value();
    Pending p;
    p.compaction = std::max<int64_t>(1, current - static_cast<int64_t>(random_->Uniform(40)));
    etcdserverpb::InternalRaftRequest request;
    request.mutable_compaction()->set_revision(p.compaction);
    p.call = member.Start(std::move(request));
    pending_.push_back(std::move(p));
  }

  void CollectDone() {
    std::erase_if(pending_, [this](const Pending& p) {
      if (!p.call->done()) return false;
      if (p.call->error == Error::kOk) Note(p);
      return true;
    });
  }
  void Note(const Pending& p) {
    if (p.lease != 0) {
      acknowledged.leases[std::abs(p.lease)] = p.lease > 0;
    } else if (p.compaction != 0) {
      acknowledged.compacted = std::max(acknowledged.compacted, p.compaction);
    } else {
      const int64_t revision = p.keys.size() > 1
                                   ? p.call->As<etcdserverpb::TxnResponse>().header().revision()
                                   : p.call->As<etcdserverpb::PutResponse>().header().revision();
      acknowledged.writes.push_back({.keys = p.keys, .value = p.value, .revision = revision});
    }
  }
  // Only what is committed to the store: what a reader may have seen.
  void LookAtHistory() {
    if (acknowledged.writes.empty()) return;
    acknowledged.hash_revision = acknowledged.writes.back().revision;
    acknowledged.hash_compacted = store().compacted_revision().value();
    if (acknowledged.hash_revision < acknowledged.hash_compacted) return;
    acknowledged.hash = member.HashKv(acknowledged.hash_revision);
  }

  void CheckWrites(std::vector<std::string>* found) {
    const int64_t compacted = store().compacted_revision().value();
    const int64_t current = store().current_revision().value();
    if (compacted < acknowledged.compacted) found->push_back("a compaction is undone");
    for (const Acknowledged::Write& write : acknowledged.writes) {
      if (write.revision > current) {
        found->push_back(StrCat("revision ", write.revision, " is lost"));
        continue;
      }
      if (write.revision < compacted) continue;
      for (const std::string& key : write.keys) {
        const auto response = member.Get(key, {}, write.revision);
        if (response.kvs_size() != 1 || response.kvs(0).value() != write.value ||
            response.kvs(0).mod_revision() != write.revision) {
          found->push_back(StrCat("the write of ", key, " at ", write.revision, " is lost"));
        }
      }
    }
  }
  void CheckLeases(std::vector<std::string>* found) {
    for (const auto& [id, exists] : acknowledged.leases) {
      if (member.server->state().lessor().Exists(LeaseId(id)) != exists) {
        found->push_back(StrCat("lease ", id, exists ? " is lost" : " is back"));
      }
    }
  }
  // Every revision changed something, and the pairs are equal at each.
  void CheckHistory(std::vector<std::string>* found) {
    const int64_t current = store().current_revision().value();
    const int64_t compacted = std::max<int64_t>(store().compacted_revision().value(), 1);
    Revision next(compacted + 1);
    while (next.value() <= current) {
      const auto events = store().ReadEvents(next, Revision(current), 1 << 20);
      ASSERT_OK(events);
      ASSERT_EQ(events->error, mvcc::Error::kNone);
      for (const mvcc::EventBatch& batch : events->batches) {
        if (batch.revision != next) found->push_back(StrCat("nothing at ", next.value()));
        next = batch.revision + 1;
      }
      if (events->batches.empty()) {
        found->push_back(StrCat("no history from ", next.value()));
        break;
      }
    }
    for (int64_t revision = compacted; revision <= current; revision += 7)
      CheckPairs(revision, found);
    CheckPairs(current, found);
  }
  void CheckPairs(int64_t revision, std::vector<std::string>* found) {
    for (int pair = 0; pair < kPairs; ++pair) {
      const auto a = member.Get(StrCat("p", pair, "/a"), {}, revision);
      const auto b = member.Get(StrCat("p", pair, "/b"), {}, revision);
      const bool same = a.kvs_size() == b.kvs_size() &&
                        (a.kvs_size() == 0 || a.kvs(0).value() == b.kvs(0).value());
      if (!same) found->push_back(StrCat("pair ", pair, " is half there at ", revision));
    }
  }
  void CheckHash(std::vector<std::string>* found) {
    if (acknowledged.hash == 0) return;
    // A compaction that was logged and not yet applied when the power went changes what is hashed.
    if (store().compacted_revision().value() != acknowledged.hash_compacted) return;
    if (acknowledged.hash_revision > store().current_revision().value()) return;  // found above
    ++hashes_compared;
    if (member.HashKv(acknowledged.hash_revision) != acknowledged.hash) {
      found->push_back(StrCat("the history up to ", acknowledged.hash_revision, " has changed"));
    }
  }

  std::unique_ptr<Random> random_;
  std::vector<Pending> pending_;
  int64_t counter_ = 0;
};

TEST(CrashTest, AcknowledgedWritesSurviveAHundredCrashes) {
  size_t writes = 0;
  int hashes = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    CrashRun run(seed);
    ASSERT_NO_FATAL_FAILURE(run.member.OpenAndWaitReady());
    for (int round = 0; round < 4; ++round) {
      SCOPED_TRACE(StrCat("round ", round));
      run.WorkAndCrash();
      ASSERT_NO_FATAL_FAILURE(run.member.OpenAndWaitReady());
      const std::vector<std::string> violations = run.Violations();
      ASSERT_TRUE(violations.empty()) << violations.size() << ", first: " << violations[0];
    }
    writes += run.acknowledged.writes.size();
    hashes += run.hashes_compared;
  }
  // The rounds must have been about something.
  EXPECT_GT(writes, 1000u);
  EXPECT_GT(hashes, 30);
  RecordProperty("writes", static_cast<int>(writes));
}

TEST(CrashTest, ADiskThatLiesAboutSyncingIsNoticed) {
  int lost = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    CrashRun run(seed);
    ASSERT_NO_FATAL_FAILURE(run.member.OpenAndWaitReady());
    run.member.env.SetSyncIsNoop(true);
    run.WorkAndCrash();
    run.member.env.SetSyncIsNoop(false);
    // It may also be refused: files of different age do not belong together.
    if (!run.member.Open().ok()) continue;
    ASSERT_TRUE(run.member.StepUntil([&] { return run.member.server->ready(); }));
    for (const std::string& violation : run.Violations()) {
      if (violation.ends_with(" is lost")) ++lost;
    }
  }
  EXPECT_GT(lost, 10);
}

}  // namespace
}  // namespace kvorum::server
