#include "server/lease/lessor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "base/env.h"
#include "base/random.h"
#include "server/lease/spread.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/temp_dir.h"

namespace kvorum::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Outcome = LeaseRenewResult::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Rows of the lease bucket in memory.
class FakeBatch : public mvcc::Batch {
 public:
  void Put(mvcc::Bucket bucket, std::string_view key, std::string_view value) override {
    ASSERT_EQ(bucket, mvcc::Bucket::kLease);
    rows[std::string(key)] = value;
  }
  void Delete(mvcc::Bucket, std::string_view key) override { rows.erase(std::string(key)); }
  StatusOr<std::optional<std::string>> Get(mvcc::Bucket, std::string_view) override {
    return std::nullopt;
  }
  bool empty() const override { return rows.empty(); }

  std::map<std::string, std::string> rows;
};

class LessorTest : public ::testing::Test {
 protected:
  int64_t Grant(int64_t id, int64_t ttl) {
    const LeaseGrantResult result = lessor_.Grant(LeaseId(id), ttl, batch_);
    EXPECT_EQ(result.error, Error::kOk);
    return result.ttl_seconds;
  }
  Outcome Renew(int64_t id) {
    return lessor_.Renew(LeaseId(id), [this] { ++settled_; }).outcome;
  }
  int64_t Remaining(int64_t id) { return lessor_.Find(LeaseId(id), false)->remaining_seconds; }
  std::vector<LeaseId> TakeExpired() { return lessor_.TakeExpired(); }

  ManualClock clock_;
  FakeBatch batch_;
  Lessor lessor_{&clock_, {.min_ttl_seconds = 2, .retry_interval = seconds(7)}};
  int settled_ = 0;
};

TEST(LessorOptionsTest, MinimumTtlIsOneAndAHalfElectionTimeoutsRoundedUp) {
  EXPECT_EQ(MinLeaseTtlSeconds(10, milliseconds(100)), 2);
  EXPECT_EQ(MinLeaseTtlSeconds(10, milliseconds(50)), 1);
  EXPECT_EQ(MinLeaseTtlSeconds(5, milliseconds(1000)), 7) << "floor(7.5) ticks";
}

TEST_F(LessorTest, GrantAnswersTheEffectiveTtl) {
  EXPECT_EQ(Grant(1, 10), 10);
  EXPECT_EQ(Grant(2, 1), 2);
  EXPECT_EQ(Grant(3, 0), 2);
  EXPECT_EQ(Grant(4, -5), 2);
  EXPECT_EQ(Grant(-7, kMaxLeaseTtlSeconds), kMaxLeaseTtlSeconds);
}

TEST_F(LessorTest, GrantChecksTheTtlBeforeTheId) {
  Grant(1, 10);
  EXPECT_EQ(lessor_.Grant(LeaseId(1), kMaxLeaseTtlSeconds + 1, batch_).error,
            Error::kLeaseTtlTooLarge);
  EXPECT_EQ(lessor_.Grant(LeaseId(1), 10, batch_).error, Error::kLeaseExists);
  EXPECT_EQ(lessor_.Grant(LeaseId(0), 10, batch_).error, Error::kLeaseNotFound);
}

TEST_F(LessorTest, RowIsTheLeaseUnderItsBigEndianId) {
  Grant(0x0102, 10);
  const std::string key("\0\0\0\0\0\0\x01\x02", 8);
  ASSERT_TRUE(batch_.rows.contains(key));
  // ID = 1: 258, TTL = 2: 10.
  EXPECT_EQ(batch_.rows[key], std::string("\x08\x82\x02\x10\x0a"));
}

TEST_F(LessorTest, RevokeGivesTheKeysInOrderAndRemovesTheRow) {
  Grant(1, 10);
  for (const char* key : {"c", "a", "b"}) lessor_.Attach(LeaseId(1), key);
  const LeaseRevokeResult revoked = lessor_.Revoke(LeaseId(1), batch_);
  EXPECT_EQ(revoked.error, Error::kOk);
  EXPECT_THAT(revoked.keys, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(batch_.rows.empty());
  EXPECT_FALSE(lessor_.Exists(LeaseId(1)));
  EXPECT_EQ(lessor_.Revoke(LeaseId(1), batch_).error, Error::kLeaseNotFound);
}

TEST_F(LessorTest, DetachedKeysStay) {
  Grant(1, 10);
  lessor_.Attach(LeaseId(1), "a");
  lessor_.Attach(LeaseId(1), "b");
  lessor_.Detach(LeaseId(1), "a");
  lessor_.Detach(LeaseId(1), "never there");
  EXPECT_THAT(lessor_.Keys(LeaseId(1)), ElementsAre("b"));
}

TEST_F(LessorTest, UnknownLeasesAreIgnored) {
  lessor_.Attach(LeaseId(9), "a");
  lessor_.Detach(LeaseId(9), "a");
  lessor_.Checkpoint(LeaseId(9), 5, batch_);
  EXPECT_TRUE(batch_.rows.empty());
  EXPECT_FALSE(lessor_.Find(LeaseId(9), true).has_value());
  EXPECT_THAT(lessor_.Keys(LeaseId(9)), IsEmpty());
}

TEST_F(LessorTest, NothingExpiresOnAFollower) {
  Grant(1, 10);
  clock_.Advance(seconds(1000));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  EXPECT_EQ(Renew(1), Outcome::kNotPrimary);
  EXPECT_FALSE(lessor_.Find(LeaseId(1), false)->primary);
}

TEST_F(LessorTest, ExpiresAfterItsTtlAndNotBefore) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  clock_.Advance(seconds(10) - Duration(1));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  clock_.Advance(Duration(1));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, RenewalCountsFromNow) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(seconds(9));
    EXPECT_THAT(TakeExpired(), IsEmpty());
    const LeaseRenewResult renewed = lessor_.Renew(LeaseId(1), nullptr);
    EXPECT_EQ(renewed.outcome, Outcome::kRenewed);
    EXPECT_EQ(renewed.ttl_seconds, 10);
  }
  clock_.Advance(seconds(10));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, RenewOfAnUnknownLease) {
  lessor_.Promote(Duration(0));
  EXPECT_EQ(Renew(1), Outcome::kNotFound);
}

TEST_F(LessorTest, ExpiredLeaseIsNotRevived) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  clock_.Advance(seconds(10));
  EXPECT_EQ(Renew(1), Outcome::kExpired);
  EXPECT_EQ(settled_, 0);
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
  EXPECT_EQ(Renew(1), Outcome::kExpired);
  const LeaseRevokeResult revoked = lessor_.Revoke(LeaseId(1), batch_);
  EXPECT_EQ(settled_, 0) << "not before its keys are gone, too";
  for (const auto& settled : revoked.waiting) settled();
  EXPECT_EQ(settled_, 2);
  EXPECT_EQ(Renew(1), Outcome::kNotFound);
}

TEST_F(LessorTest, WaitingRenewalsLearnOfDemotion) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  clock_.Advance(seconds(10));
  EXPECT_EQ(Renew(1), Outcome::kExpired);
  lessor_.Demote();
  EXPECT_EQ(settled_, 1);
  EXPECT_EQ(Renew(1), Outcome::kNotPrimary);
  lessor_.Promote(Duration(0));
  EXPECT_EQ(settled_, 1) << "called once";
}

TEST_F(LessorTest, HandedOverAgainAfterTheRetryInterval) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  clock_.Advance(seconds(10));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  clock_.Advance(seconds(7));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, TakesAtMostTheLimitEarliestFirst) {
  lessor_.Promote(Duration(0));
  for (int id = 1; id <= 600; ++id) Grant(id, 2 + id % 3);
  clock_.Advance(seconds(10));
  const std::vector<LeaseId> first = TakeExpired();
  ASSERT_EQ(first.size(), 500u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(first[i].value() % 3, 0);
  EXPECT_EQ(TakeExpired().size(), 100u);
  EXPECT_EQ(lessor_.TakeExpired(10).size(), 0u);
}

TEST_F(LessorTest, RegrantedIdHasItsOwnTime) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  lessor_.Revoke(LeaseId(1), batch_);
  clock_.Advance(seconds(5));
  Grant(1, 10);
  clock_.Advance(seconds(5));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  clock_.Advance(seconds(5));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
  EXPECT_THAT(TakeExpired(), IsEmpty());
}

TEST_F(LessorTest, PromotionExtendsTheFullTtl) {
  Grant(1, 10);
  clock_.Advance(seconds(100));
  lessor_.Promote(seconds(1));
  clock_.Advance(seconds(11) - Duration(1));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  clock_.Advance(Duration(1));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, PromotionGoesOnFromACheckpoint) {
  Grant(1, 100);
  lessor_.Checkpoint(LeaseId(1), 30, batch_);
  Grant(2, 100);
  lessor_.Checkpoint(LeaseId(2), 30, batch_);
  lessor_.Checkpoint(LeaseId(2), 0, batch_);
  lessor_.Promote(Duration(0));
  EXPECT_EQ(Remaining(1), 30);
  EXPECT_EQ(Remaining(2), 100);
  // ID = 1, TTL = 100, RemainingTTL = 30.
  EXPECT_EQ(batch_.rows[std::string("\0\0\0\0\0\0\0\x01", 8)],
            std::string("\x08\x01\x10\x64\x18\x1e"));
}

TEST_F(LessorTest, DemotedLeasesLastForEver) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  lessor_.Demote();
  clock_.Advance(seconds(100));
  EXPECT_THAT(TakeExpired(), IsEmpty());
  lessor_.Promote(Duration(0));
  EXPECT_EQ(Remaining(1), 10);
}

TEST_F(LessorTest, CenturiesDoNotOverflow) {
  Grant(1, kMaxLeaseTtlSeconds);
  clock_.Advance(std::chrono::hours(24 * 365 * 20));
  lessor_.Promote(seconds(1));
  EXPECT_EQ(Renew(1), Outcome::kRenewed);
  EXPECT_THAT(TakeExpired(), IsEmpty());
  EXPECT_GT(Remaining(1), 8'000'000'000);
}

TEST_F(LessorTest, RemainingTimeIsTruncated) {
  lessor_.Promote(Duration(0));
  Grant(1, 10);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Remaining(1), 9);
  clock_.Advance(milliseconds(9998));
  EXPECT_EQ(Remaining(1), 0);
  clock_.Advance(seconds(2));
  EXPECT_EQ(Remaining(1), -1);
}

TEST_F(LessorTest, FindTellsTtlAndKeys) {
  Grant(1, 10);
  lessor_.Attach(LeaseId(1), "a");
  lessor_.Attach(LeaseId(1), "b");
  const LeaseInfo info = *lessor_.Find(LeaseId(1), true);
  EXPECT_EQ(info.granted_ttl_seconds, 10);
  EXPECT_THAT(info.keys, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(lessor_.Find(LeaseId(1), false)->keys, IsEmpty());
}

TEST_F(LessorTest, LeasesAreSortedByRemainingTime) {
  lessor_.Promote(Duration(0));
  Grant(1, 30);
  Grant(2, 10);
  Grant(3, 20);
  EXPECT_THAT(lessor_.Leases(), ElementsAre(LeaseId(2), LeaseId(3), LeaseId(1)));
  EXPECT_EQ(lessor_.size(), 3u);
}

// How many leases expire in each second after `from`.
std::map<int64_t, int> ExpiriesBySecond(Lessor& lessor, ManualClock& clock, int seconds_max) {
  std::map<int64_t, int> counts;
  for (int s = 0; s < seconds_max; ++s) {
    clock.Advance(seconds(1));
    counts[s] = static_cast<int>(lessor.TakeExpired(1'000'000).size());
  }
  return counts;
}

TEST_F(LessorTest, PromotionSpreadsManyLeases) {
  Lessor lessor(&clock_, {.retry_interval = std::chrono::hours(1)});
  for (int id = 1; id <= 3000; ++id) {
    ASSERT_EQ(lessor.Grant(LeaseId(id), 10, batch_).error, Error::kOk);
  }
  lessor.Promote(Duration(0));
  int total = 0;
  for (const auto& [second, count] : ExpiriesBySecond(lessor, clock_, 30)) {
    EXPECT_LE(count, second < 10 ? 750 : 751) << "second " << second;
    if (second < 9) {
      EXPECT_EQ(count, 0) << "never early";
    }
    total += count;
  }
  EXPECT_EQ(total, 3000);
}

TEST_F(LessorTest, PromotionLeavesFewLeasesAlone) {
  Lessor lessor(&clock_, {.retry_interval = std::chrono::hours(1)});
  for (int id = 1; id < 1000; ++id) (void)lessor.Grant(LeaseId(id), 10, batch_);
  lessor.Promote(Duration(0));
  clock_.Advance(seconds(10));
  EXPECT_EQ(lessor.TakeExpired(2000).size(), 999u);
}

TEST_F(LessorTest, HoldsAMillionLeases) {
  Lessor lessor(&clock_, {});
  FakeBatch batch;
  for (int id = 1; id <= 1'000'000; ++id) {
    (void)lessor.Grant(LeaseId(id), 3600, batch);
    batch.rows.clear();
  }
  lessor.Promote(Duration(0));
  EXPECT_EQ(lessor.size(), 1'000'000u);
  for (int id = 1; id <= 1'000'000; id += 3) {
    ASSERT_EQ(lessor.Renew(LeaseId(id), nullptr).outcome, Outcome::kRenewed);
  }
  clock_.Advance(seconds(3600));
  EXPECT_EQ(lessor.TakeExpired().size(), 500u);
}

TEST_F(LessorTest, RevokedLeasesDoNotPileUpInTheQueue) {
  lessor_.Promote(Duration(0));
  // Each leaves a queue entry for centuries; the next revocation clears them up.
  for (int id = 1; id <= 100'000; ++id) {
    Grant(id, kMaxLeaseTtlSeconds);
    lessor_.Revoke(LeaseId(id), batch_);
  }
  Grant(1, 10);
  clock_.Advance(seconds(10));
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, RecoversFromTheBucket) {
  TempDir dir;
  auto backend =
      mvcc::OpenBackend({.env = &PosixEnv(), .directory = dir / "store", .create = true});
  ASSERT_TRUE(backend.ok()) << backend.status();
  lessor_.Grant(LeaseId(-1), 60, (*backend)->batch());
  lessor_.Grant(LeaseId(5), 60, (*backend)->batch());
  lessor_.Checkpoint(LeaseId(5), 20, (*backend)->batch());
  Lease tiny;
  tiny.id = LeaseId(6);
  tiny.ttl_seconds = 1;
  (*backend)->batch().Put(mvcc::Bucket::kLease, EncodeLeaseKey(tiny.id), EncodeLease(tiny));
  ASSERT_TRUE((*backend)->Commit({.index = Index(1), .term = Term(1)}, {}).ok());

  Lessor recovered(&clock_, {});
  (void)recovered.Grant(LeaseId(99), 10, batch_);
  ASSERT_TRUE(recovered.Recover(**backend).ok());
  EXPECT_FALSE(recovered.Exists(LeaseId(99)));
  recovered.Promote(Duration(0));
  EXPECT_EQ(recovered.Find(LeaseId(-1), false)->remaining_seconds, 60);
  EXPECT_EQ(recovered.Find(LeaseId(5), false)->remaining_seconds, 20);
  EXPECT_EQ(recovered.Find(LeaseId(6), false)->granted_ttl_seconds, 2);
}

TEST_F(LessorTest, RecoverRefusesWhatIsNoLease) {
  TempDir dir;
  auto backend =
      mvcc::OpenBackend({.env = &PosixEnv(), .directory = dir / "store", .create = true});
  ASSERT_TRUE(backend.ok()) << backend.status();
  (*backend)->batch().Put(mvcc::Bucket::kLease, EncodeLeaseKey(LeaseId(1)), "\x08");
  ASSERT_TRUE((*backend)->Commit({.index = Index(1), .term = Term(1)}, {}).ok());
  EXPECT_EQ(lessor_.Recover(**backend).code(), absl::StatusCode::kDataLoss);
}

// Renewals beside the apply thread and the expiry scan. For the sanitizers.
TEST_F(LessorTest, RenewalsRunBesideEverythingElse) {
  lessor_.Promote(Duration(0));
  std::thread client([this] {
    for (int i = 0; i < 20000; ++i) (void)lessor_.Renew(LeaseId(1 + i % 100), [] {});
  });
  for (int i = 0; i < 2000; ++i) {
    (void)lessor_.Grant(LeaseId(1 + i % 100), 2, batch_);
    clock_.Advance(milliseconds(50));
    for (LeaseId id : TakeExpired()) lessor_.Revoke(id, batch_);
  }
  client.join();
}

// ---- Checkpoints --------------------------------------------------------------------------------

class CheckpointTest : public LessorTest {
 protected:
  CheckpointTest() { lessor_.Promote(Duration(0)); }
  // What is due, put into force as its entry would.
  std::map<int64_t, int64_t> Take() {
    std::map<int64_t, int64_t> taken;
    for (const LeaseRest& rest : lessor_.TakeCheckpoints()) {
      taken[rest.id.value()] = rest.remaining_seconds;
      lessor_.Checkpoint(rest.id, rest.remaining_seconds, batch_);
    }
    return taken;
  }
  std::optional<Lease> Row(int64_t id) {
    return DecodeLease(batch_.rows[EncodeLeaseKey(LeaseId(id))]);
  }

  bool persist_ = true;
  Lessor lessor_{&clock_,
                 {.checkpoints = true, .persist_checkpoints = [this] { return persist_; }}};
  int64_t Grant(int64_t id, int64_t ttl) {
    return lessor_.Grant(LeaseId(id), ttl, batch_).ttl_seconds;
  }
};

using Checkpoints = std::map<int64_t, int64_t>;

TEST_F(CheckpointTest, LeasesThatLastLongerThanFiveMinutesAreCheckpointedThatOften) {
  Grant(1, 800);
  Grant(2, 300);
  Grant(3, 301);
  clock_.Advance(seconds(299));
  EXPECT_EQ(Take(), Checkpoints());
  clock_.Advance(milliseconds(1500));
  EXPECT_EQ(Take(), (Checkpoints{{1, 500}, {3, 1}})) << "rounded up";
  EXPECT_EQ(Take(), Checkpoints());
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 200}}));
  clock_.Advance(seconds(190));
  EXPECT_EQ(Take(), Checkpoints()) << "less than five minutes left";
}

TEST_F(CheckpointTest, PromotionGoesOnFromTheCheckpointAndSchedulesTheNext) {
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 700}}));
  lessor_.Demote();
  EXPECT_EQ(Take(), Checkpoints());
  clock_.Advance(seconds(1000));
  lessor_.Promote(seconds(1));
  EXPECT_EQ(lessor_.Find(LeaseId(1), false)->remaining_seconds, 701);
  EXPECT_THAT(lessor_.TakeExpired(), IsEmpty());
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 401}}));
}

TEST_F(CheckpointTest, RenewalClearsTheCheckpointFirst) {
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 700}}));
  EXPECT_EQ(lessor_.Renew(LeaseId(1), nullptr).outcome, Outcome::kCheckpointed);
  lessor_.Checkpoint(LeaseId(1), 0, batch_);
  EXPECT_EQ(Row(1)->remaining_seconds, 0);
  EXPECT_EQ(lessor_.Renew(LeaseId(1), nullptr).outcome, Outcome::kRenewed);
  EXPECT_EQ(lessor_.Find(LeaseId(1), false)->remaining_seconds, 1000);
}

TEST_F(CheckpointTest, RenewalThatCouldNotClearItLastsForTheRest) {
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  Take();
  clock_.Advance(seconds(100));
  EXPECT_EQ(lessor_.RenewAsIs(LeaseId(1), nullptr).outcome, Outcome::kRenewed);
  EXPECT_EQ(lessor_.Find(LeaseId(1), false)->remaining_seconds, 700);
}

// The original forgets such a lease until it is renewed once more.
TEST_F(CheckpointTest, LeaseRenewedJustThenIsLookedAtAgain) {
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  ASSERT_EQ(lessor_.Renew(LeaseId(1), nullptr).outcome, Outcome::kRenewed);
  EXPECT_EQ(Take(), Checkpoints());
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 700}}));
}

TEST_F(CheckpointTest, CheckpointThatWasLostIsMadeUpFor) {
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  EXPECT_EQ(lessor_.TakeCheckpoints().size(), 1u);  // and not applied
  clock_.Advance(seconds(300));
  EXPECT_EQ(Take(), (Checkpoints{{1, 400}}));
}

TEST_F(CheckpointTest, RowsHaveTheRestOnlyIfTheClusterKnowsIt) {
  Grant(1, 1000);
  persist_ = false;
  lessor_.Checkpoint(LeaseId(1), 700, batch_);
  EXPECT_EQ(Row(1)->remaining_seconds, 0);
  lessor_.Demote();
  lessor_.Promote(Duration(0));
  EXPECT_EQ(lessor_.Find(LeaseId(1), false)->remaining_seconds, 700) << "but memory has it";
  persist_ = true;
  lessor_.Checkpoint(LeaseId(1), 600, batch_);
  EXPECT_EQ(Row(1)->remaining_seconds, 600);
}

TEST_F(CheckpointTest, GoneAndExpiredLeasesAreLeftOut) {
  Grant(1, 1000);
  lessor_.Revoke(LeaseId(1), batch_);
  Grant(2, 301);
  clock_.Advance(seconds(400));
  EXPECT_EQ(Take(), Checkpoints());
}

TEST_F(CheckpointTest, AtMostTheBatchAtATime) {
  for (int id = 1; id <= 2500; ++id) Grant(id, 1000);
  clock_.Advance(seconds(300));
  std::set<int64_t> ids;
  for (const size_t size : {1000u, 1000u, 500u, 0u}) {
    const Checkpoints taken = Take();
    EXPECT_EQ(taken.size(), size);
    for (const auto& [id, rest] : taken) ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 2500u);
}

TEST_F(LessorTest, WithoutTheOptionThereAreNoCheckpoints) {
  lessor_.Promote(Duration(0));
  Grant(1, 1000);
  clock_.Advance(seconds(300));
  EXPECT_THAT(lessor_.TakeCheckpoints(), IsEmpty());
  lessor_.Checkpoint(LeaseId(1), 600, batch_);
  EXPECT_EQ(Renew(1), Outcome::kRenewed);
  EXPECT_EQ(Remaining(1), 600) << "of a checkpoint from before";
}

// ---- Promotion ----------------------------------------------------------------------------------

TEST_F(LessorTest, PromotionHoldsBeforeItIsSettled) {
  Grant(1, 10);
  Grant(2, 10);
  clock_.Advance(seconds(100));
  lessor_.Promote(seconds(1));
  clock_.Advance(seconds(5));
  EXPECT_EQ(Remaining(1), 6);
  lessor_.Checkpoint(LeaseId(1), 3, batch_);
  EXPECT_EQ(Remaining(1), 6) << "counts for the next promotion only";
  EXPECT_THAT(lessor_.Leases(), ElementsAre(LeaseId(1), LeaseId(2)));
  EXPECT_EQ(Renew(2), Outcome::kRenewed);
  clock_.Advance(seconds(6));
  EXPECT_EQ(Renew(1), Outcome::kExpired) << "although nobody has settled it yet";
  EXPECT_THAT(TakeExpired(), ElementsAre(LeaseId(1)));
}

TEST_F(LessorTest, SpreadLeavesRenewedLeasesAlone) {
  Lessor lessor(&clock_, {});
  for (int id = 1; id <= 3000; ++id) (void)lessor.Grant(LeaseId(id), 10, batch_);
  lessor.Promote(Duration(0));
  clock_.Advance(milliseconds(100));
  for (int id = 1; id <= 3000; ++id) {
    ASSERT_EQ(lessor.Renew(LeaseId(id), nullptr).outcome, Outcome::kRenewed);
    if (id == 1500) {
      EXPECT_THAT(lessor.TakeExpired(), IsEmpty());  // settles
    }
  }
  for (int id = 1501; id <= 3000; ++id) {
    EXPECT_EQ(lessor.Find(LeaseId(id), false)->remaining_seconds, 10) << "renewed after";
  }
}

TEST_F(LessorTest, SpreadLeavesLaterGrantsAlone) {
  lessor_.Promote(Duration(0));
  for (int id = 1; id <= 3000; ++id) Grant(id, 10);
  EXPECT_THAT(TakeExpired(), IsEmpty());
  EXPECT_EQ(Remaining(3000), 10);
}

TEST(SpreadTest, ThreeQuartersOfTheRateInEachSecond) {
  const TimePoint start = ManualClock().Now();
  std::vector<ExpiryQueue::Entry> expiries;
  std::map<int64_t, TimePoint> ends;
  for (int64_t id = 1; id <= 5000; ++id) {
    const TimePoint time = start + milliseconds(id % 700);
    expiries.push_back({time, LeaseId(id)});
    ends[id] = time;
  }
  for (const PushedOut& moved : SpreadExpiries(expiries)) {
    EXPECT_EQ(moved.from, ends[moved.id.value()]);
    EXPECT_GE(moved.to, moved.from);
    ends[moved.id.value()] = moved.to;
  }
  std::map<int64_t, int> by_second;
  for (const auto& [id, time] : ends) ++by_second[(time - start) / seconds(1)];
  for (const auto& [second, count] : by_second) EXPECT_LE(count, 751) << second;
  EXPECT_THAT(SpreadExpiries({}), IsEmpty());
}

// ---- Against a model ----------------------------------------------------------------------------

struct ModelLease {
  int64_t ttl = 0;
  int64_t rest = 0;
  TimePoint expiry = kNeverExpires;
  TimePoint handed_over_until = TimePoint::min();
  std::set<std::string> keys;
};

// One lock, one map, no queue: what a lessor is, written as simply as can be.
class LessorPropertyTest : public LessorTest, public ::testing::WithParamInterface<int> {
 protected:
  int64_t Pick(int64_t n) { return static_cast<int64_t>(random_->Uniform(n)); }
  static seconds Left(const ModelLease& lease) {
    return seconds(lease.rest > 0 ? lease.rest : lease.ttl);
  }

  void Change(int64_t id) {
    const auto it = model_.find(id);
    switch (Pick(6)) {
      case 0: {
        const int64_t ttl = Pick(20);
        const LeaseGrantResult granted = lessor_.Grant(LeaseId(id), ttl, batch_);
        ASSERT_EQ(granted.error, it == model_.end() ? Error::kOk : Error::kLeaseExists);
        if (it != model_.end()) return;
        ModelLease& lease = model_[id];
        lease.ttl = std::max<int64_t>(ttl, 2);
        if (primary_) lease.expiry = clock_.Now() + seconds(lease.ttl);
        return;
      }
      case 1: {
        const LeaseRevokeResult revoked = lessor_.Revoke(LeaseId(id), batch_);
        ASSERT_EQ(revoked.error, it == model_.end() ? Error::kLeaseNotFound : Error::kOk);
        if (it == model_.end()) return;
        ASSERT_THAT(revoked.keys, ::testing::ElementsAreArray(it->second.keys));
        model_.erase(it);
        return;
      }
      case 2: {
        const int64_t rest = Pick(15);
        lessor_.Checkpoint(LeaseId(id), rest, batch_);
        if (it != model_.end()) it->second.rest = rest;
        return;
      }
      case 3:
      case 4: {
        const std::string key(1, static_cast<char>('a' + Pick(5)));
        lessor_.Attach(LeaseId(id), key);
        if (it != model_.end()) it->second.keys.insert(key);
        return;
      }
      case 5: {
        const std::string key(1, static_cast<char>('a' + Pick(5)));
        lessor_.Detach(LeaseId(id), key);
        if (it != model_.end()) it->second.keys.erase(key);
        return;
      }
    }
  }

  void Renew(int64_t id) {
    const auto it = model_.find(id);
    Outcome expected = Outcome::kRenewed;
    if (!primary_) {
      expected = Outcome::kNotPrimary;
    } else if (it == model_.end()) {
      expected = Outcome::kNotFound;
    } else if (it->second.expiry <= clock_.Now()) {
      expected = Outcome::kExpired;
    }
    ASSERT_EQ(lessor_.Renew(LeaseId(id), [] {}).outcome, expected);
    if (expected == Outcome::kRenewed) it->second.expiry = clock_.Now() + Left(it->second);
  }

  void ChangeRole() {
    primary_ = !primary_;
    if (primary_) {
      lessor_.Promote(milliseconds(500));
    } else {
      lessor_.Demote();
    }
    for (auto& [id, lease] : model_) {
      lease.expiry = primary_ ? clock_.Now() + Left(lease) + milliseconds(500) : kNeverExpires;
      lease.handed_over_until = TimePoint::min();
    }
  }

  void Take() {
    std::set<std::pair<TimePoint, int64_t>> due;
    for (auto& [id, lease] : model_) {
      if (lease.expiry > clock_.Now() || lease.handed_over_until > clock_.Now()) continue;
      due.emplace(std::max(lease.expiry, lease.handed_over_until), id);
      lease.handed_over_until = clock_.Now() + seconds(7);
    }
    std::vector<int64_t> expected;
    for (const auto& [time, id] : due) expected.push_back(id);
    std::vector<int64_t> taken;
    for (const LeaseId id : TakeExpired()) taken.push_back(id.value());
    ASSERT_THAT(taken, ::testing::UnorderedElementsAreArray(expected));
  }

  void Compare() {
    ASSERT_EQ(lessor_.size(), model_.size());
    ASSERT_EQ(lessor_.Leases().size(), model_.size());
    for (const auto& [id, lease] : model_) {
      const std::optional<LeaseInfo> info = lessor_.Find(LeaseId(id), true);
      ASSERT_TRUE(info.has_value());
      ASSERT_EQ(info->granted_ttl_seconds, lease.ttl);
      ASSERT_EQ(info->primary, primary_);
      ASSERT_THAT(info->keys, ::testing::ElementsAreArray(lease.keys));
      if (!primary_) continue;
      ASSERT_EQ(info->remaining_seconds,
                std::chrono::duration_cast<seconds>(lease.expiry - clock_.Now()).count());
    }
  }

  std::unique_ptr<Random> random_ = NewSeededRandom(GetParam());
  std::map<int64_t, ModelLease> model_;
  bool primary_ = false;
};

TEST_P(LessorPropertyTest, AgreesWithTheModel) {
  for (int step = 0; step < 4000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const int64_t id = 1 + Pick(40);
    const int64_t dice = Pick(100);
    if (dice < 45) {
      Change(id);
    } else if (dice < 70) {
      Renew(id);
    } else if (dice < 85) {
      clock_.Advance(milliseconds(Pick(1500)));
    } else if (dice < 87) {
      ChangeRole();
    } else if (dice < 97) {
      Take();
    } else {
      Compare();
    }
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LessorPropertyTest, ::testing::Range(1, 21));

}  // namespace
}  // namespace kvorum::server
