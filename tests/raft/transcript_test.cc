// Plays every file under transcripts/ and compares what comes of it. KVORUM_REWRITE_TRANSCRIPTS=1
// writes the outputs anew instead; the difference is for a reviewer to judge.

#include "tests/raft/transcript.h"

#include <absl/strings/str_join.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/raft/story.h"

#ifndef KVORUM_TRANSCRIPTS
#error "the directory of the transcripts is given by CMake"
#endif

namespace kvorum::raft::testing {
namespace {

std::vector<std::filesystem::path> Transcripts() {
  std::vector<std::filesystem::path> out;
  std::error_code ignored;  // a missing directory holds none, which fails below
  for (const auto& file : std::filesystem::directory_iterator(KVORUM_TRANSCRIPTS, ignored)) {
    if (file.path().extension() == ".txt") out.push_back(file.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Plays all of `blocks` in one story.
Status Play(std::vector<TranscriptBlock>* blocks) {
  Story story;
  for (TranscriptBlock& block : *blocks) {
    for (const std::string& command : block.commands) RETURN_IF_ERROR(story.Run(command));
    block.output = story.TakeOutput();
    if (block.output.empty() && !block.commands.empty()) block.output.push_back("ok");
  }
  return absl::OkStatus();
}

class TranscriptTest : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TranscriptTest);

INSTANTIATE_TEST_SUITE_P(Stories, TranscriptTest, ::testing::ValuesIn(Transcripts()),
                         [](const auto& info) { return info.param.stem().string(); });

TEST_P(TranscriptTest, ComesOutAsWritten) {
  const std::string text = Read(GetParam());
  auto blocks = ParseTranscript(text);
  ASSERT_TRUE(blocks.ok()) << blocks.status();
  ASSERT_FALSE(blocks->empty());
  ASSERT_FALSE(blocks->front().comments.empty()) << "a story begins with what it is about";
  const std::vector<TranscriptBlock> written = *blocks;
  const Status played = Play(&*blocks);
  ASSERT_TRUE(played.ok()) << played;
  if (std::getenv("KVORUM_REWRITE_TRANSCRIPTS") != nullptr) {
    std::ofstream(GetParam()) << FormatTranscript(*blocks);
    return;
  }
  for (size_t i = 0; i < written.size(); ++i) {
    EXPECT_EQ(absl::StrJoin(blocks->at(i).output, "\n"), absl::StrJoin(written[i].output, "\n"))
        << absl::StrJoin(written[i].commands, "\n");
  }
  EXPECT_EQ(FormatTranscript(written), text) << "not in the form the rewriting gives it";
}

TEST(TranscriptDirectoryTest, HoldsStories) {
  EXPECT_FALSE(Transcripts().empty()) << "none in " << KVORUM_TRANSCRIPTS;
}

TEST(TranscriptFormatTest, ComesBackAsItWas) {
  const std::string text = "# about\n\n# first\ncluster\nrun\n----\nok\n\nstate\n----\na\nb\n";
  const auto blocks = ParseTranscript(text);
  ASSERT_TRUE(blocks.ok());
  ASSERT_EQ(blocks->size(), 3u);
  EXPECT_EQ((*blocks)[1].commands, (std::vector<std::string>{"cluster", "run"}));
  EXPECT_EQ(FormatTranscript(*blocks), text);
}

TEST(TranscriptFormatTest, WhatIsNoTranscriptIsRefused) {
  EXPECT_FALSE(ParseTranscript("run\n").ok());
  EXPECT_FALSE(ParseTranscript("----\nok\n").ok());
  EXPECT_FALSE(ParseTranscript("run\n# late\n----\n").ok());
}

TEST(StoryTest, WhatIsNoCommandIsRefused) {
  Story story;
  EXPECT_FALSE(story.Run("run").ok());
  ASSERT_TRUE(story.Run("cluster voters=3").ok());
  EXPECT_FALSE(story.Run("dance 1").ok());
  EXPECT_FALSE(story.Run("campaign 9").ok());
  EXPECT_FALSE(story.Run("cluster colour=3").ok());
  EXPECT_FALSE(story.Run("step 1->2 AppResp term").ok());
  EXPECT_FALSE(story.Run("step 1->2 NoSuch term 1").ok());
}

}  // namespace
}  // namespace kvorum::raft::testing
