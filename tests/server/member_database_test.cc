#include "server/member_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>

#include "server/metrics.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

uint64_t SnapshotsCounted() {
  const std::vector<uint64_t> counts = snapshot_seconds.Counts();
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

class MemberDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override { member_.OpenAndWaitReady(); }
  std::unique_ptr<DatabaseExport> Planned() {
    std::unique_ptr<DatabaseExport> database = member_.server->NewDatabaseExport();
    for (bool done = false; !done;) EXPECT_EQ(database->Plan(&done), Error::kOk);
    return database;
  }
  std::string Contents(DatabaseExport& database, size_t piece_bytes) {
    std::string contents, piece;
    do {
      EXPECT_EQ(database.Read(piece_bytes, &piece), Error::kOk);
      contents += piece;
    } while (!piece.empty());
    EXPECT_EQ(contents.size(), database.bytes());
    return contents;
  }

  MemberHarness member_;
};

TEST_F(MemberDatabaseTest, HoldsTheAcknowledgedWritesOfItsMomentAndNoLaterOnes) {
  ASSERT_EQ(member_.Put("a", "acknowledged before"), Error::kOk);
  const auto database = member_.server->NewDatabaseExport();
  ASSERT_EQ(member_.Put("b", "acknowledged later"), Error::kOk);
  for (bool done = false; !done;) ASSERT_EQ(database->Plan(&done), Error::kOk);
  ASSERT_EQ(member_.Put("c", "acknowledged later"), Error::kOk);
  const std::string contents = Contents(*database, 1000);
  EXPECT_THAT(contents, HasSubstr("acknowledged before"));
  EXPECT_THAT(contents, Not(HasSubstr("acknowledged later")));
}

TEST_F(MemberDatabaseTest, IsTheSameInPiecesOfAnySizeAndNamesItsVersion) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(member_.Put("key" + std::to_string(i), std::string(i * 37, 'v')), Error::kOk);
  }
  ASSERT_TRUE(
      member_.StepUntil([&] { return member_.server->status().storage_version == "3.7.0"; }));
  EXPECT_EQ(Planned()->storage_version(), "3.7.0");
  EXPECT_EQ(Contents(*Planned(), 7), Contents(*Planned(), 1 << 20));
}

TEST_F(MemberDatabaseTest, OutlivesTheStopOfItsServer) {
  ASSERT_EQ(member_.Put("a", "acknowledged"), Error::kOk);
  const auto database = Planned();
  member_.server->Stop();
  EXPECT_THAT(Contents(*database, 4096), HasSubstr("acknowledged"));
}

TEST_F(MemberDatabaseTest, CountsAsASnapshotWhenItIsGivenUp) {
  const uint64_t before = SnapshotsCounted();
  auto database = member_.server->NewDatabaseExport();
  EXPECT_EQ(SnapshotsCounted(), before);
  database.reset();
  EXPECT_EQ(SnapshotsCounted(), before + 1);
}

}  // namespace
}  // namespace kvorum::server
