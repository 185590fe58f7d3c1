#include "server/lease/lessor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "base/env.h"
#include "base/random.h"
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
  lessor_.Revoke(LeaseId(1), batch_);
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

// Against a model: no lease early, none forgotten.
TEST_F(LessorTest, ExpiriesAgreeWithAModel) {
  std::unique_ptr<Random> random = NewSeededRandom(3);
  std::map<int64_t, std::pair<int64_t, TimePoint>> model;  // id -> ttl, expiry
  lessor_.Promote(Duration(0));
  for (int step = 0; step < 20000; ++step) {
    const int64_t id = 1 + static_cast<int64_t>(random->Uniform(50));
    switch (random->Uniform(4)) {
      case 0: {
        const int64_t ttl = 2 + static_cast<int64_t>(random->Uniform(20));
        if (lessor_.Grant(LeaseId(id), ttl, batch_).error == Error::kOk) {
          ASSERT_FALSE(model.contains(id));
          model[id] = {ttl, clock_.Now() + seconds(ttl)};
        }
        break;
      }
      case 1: {
        const bool alive = model.contains(id) && model[id].second > clock_.Now();
        ASSERT_EQ(Renew(id) == Outcome::kRenewed, alive);
        if (alive) model[id].second = clock_.Now() + seconds(model[id].first);
        break;
      }
      case 2:
        clock_.Advance(milliseconds(random->Uniform(1500)));
        break;
      case 3: {
        std::set<int64_t> due;
        for (const auto& [due_id, lease] : model) {
          if (lease.second <= clock_.Now()) due.insert(due_id);
        }
        std::set<int64_t> taken;
        for (LeaseId expired : TakeExpired()) {
          taken.insert(expired.value());
          lessor_.Revoke(expired, batch_);
          model.erase(expired.value());
        }
        ASSERT_EQ(taken, due) << "step " << step;
        break;
      }
    }
  }
}

}  // namespace
}  // namespace kvorum::server
