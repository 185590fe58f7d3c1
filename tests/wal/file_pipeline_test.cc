#include "wal/file_pipeline.h"

#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FilePipelineTest : public WalTest {
 protected:
  FilePipelineTest() { EXPECT_OK(env_.CreateDirs(dir_)); }
  FilePipeline pipeline_{env_, dir_, 4096};
};

TEST_F(FilePipelineTest, PreparesOneFileAheadUnderTwoNamesInTurn) {
  ASSERT_OK(pipeline_.Prepare());
  ASSERT_OK(pipeline_.Prepare());
  EXPECT_THAT(FileNames(), ElementsAre("0.tmp"));
  const auto first = pipeline_.Take().value();
  EXPECT_EQ(first.path, PathOf("0.tmp"));
  EXPECT_EQ(*first.file->Size(), 4096u);
  EXPECT_EQ(pipeline_.Take().value().path, PathOf("1.tmp"));
  ASSERT_OK(first.file->Close());
  EXPECT_EQ(pipeline_.Take().value().path, PathOf("0.tmp"));
}

TEST_F(FilePipelineTest, LeftoverContentIsDropped) {
  SetBytes("0.tmp", std::string(10'000, 'x'));
  ASSERT_OK(pipeline_.Prepare());
  EXPECT_EQ(Bytes("0.tmp"), std::string(4096, '\0'));
}

TEST_F(FilePipelineTest, FailureLeavesNothingAndCanBeTriedAgain) {
  env_.FailNthCall(FaultEnv::Op::kWrite, 1, absl::ResourceExhaustedError("disk full"));
  EXPECT_TRUE(absl::IsResourceExhausted(pipeline_.Prepare()));
  EXPECT_THAT(FileNames(), IsEmpty());
  ASSERT_OK(pipeline_.Prepare());
  EXPECT_THAT(FileNames(), ElementsAre("0.tmp"));
}

TEST_F(FilePipelineTest, DiscardRemovesThePreparedFile) {
  ASSERT_OK(pipeline_.Discard());
  ASSERT_OK(pipeline_.Prepare());
  ASSERT_OK(pipeline_.Discard());
  EXPECT_THAT(FileNames(), IsEmpty());
}

// Preparing is no part of the log: a full disk is noticed before it hurts.
TEST_F(FilePipelineTest, LogGoesOnAfterAFailedPreparation) {
  ASSERT_OK(env_.RemoveAll(dir_));
  auto wal = Create();
  env_.FailNthCall(FaultEnv::Op::kWrite, 1, absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(wal->PrepareNext().ok());
  ASSERT_OK(wal->Save(State(1, 1, 0), Entries(1, 1, 1)));
  ASSERT_OK(wal->PrepareNext());
}

}  // namespace
}  // namespace kvorum::wal
