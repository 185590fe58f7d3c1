#pragma once
// Transcripts: stories of a cluster as text, commands and what came of them.
//
//   # Comments lead the file and any block.
//   cluster voters=3
//   campaign 1
//   run
//   ----
//   1 candidate, syncs term 1 vote 1 commit 0
//   1->2 Vote term 1 last 0@0
//
// A block is its comments, its commands, a line of four dashes, and the output up to an empty line.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kvorum::raft::testing {

struct TranscriptBlock {
  std::vector<std::string> comments;  // with their '#'
  std::vector<std::string> commands;
  std::vector<std::string> output;
};

// InvalidArgument, with the line, for text that is not of this form.
StatusOr<std::vector<TranscriptBlock>> ParseTranscript(std::string_view text);
std::string FormatTranscript(const std::vector<TranscriptBlock>& blocks);

}  // namespace kvorum::raft::testing
