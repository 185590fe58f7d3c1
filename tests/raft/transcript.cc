#include "tests/raft/transcript.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

namespace kvorum::raft::testing {
namespace {

constexpr const char* kRule = "----";

class Parser {
 public:
  Status Line(const std::string& line) {
    ++number_;
    if (line.empty()) return EndOfBlock();
    if (in_output_) {
      block_.output.emplace_back(line);
    } else if (line == kRule) {
      if (block_.commands.empty()) return Wrong("output without a command");
      in_output_ = true;
    } else if (line[0] == '#') {
      if (!block_.commands.empty()) return Wrong("a comment between commands");
      block_.comments.emplace_back(line);
    } else {
      block_.commands.emplace_back(line);
    }
    return absl::OkStatus();
  }

  Status EndOfBlock() {
    if (!in_output_ && !block_.commands.empty()) return Wrong("commands without output");
    if (!block_.comments.empty() || !block_.commands.empty()) blocks_.push_back(block_);
    block_ = {};
    in_output_ = false;
    return absl::OkStatus();
  }

  std::vector<TranscriptBlock> blocks_;

 private:
  Status Wrong(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", number_, ": ", what));
  }

  TranscriptBlock block_;
  bool in_output_ = false;
  int number_ = 0;
};

}  // namespace

StatusOr<std::vector<TranscriptBlock>> ParseTranscript(std::string_view text) {
  Parser parser;
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  for (const std::string& line : lines) RETURN_IF_ERROR(parser.Line(line));
  RETURN_IF_ERROR(parser.EndOfBlock());
  return std::move(parser.blocks_);
}

std::string FormatTranscript(const std::vector<TranscriptBlock>& blocks) {
  std::string out;
  for (const TranscriptBlock& block : blocks) {
    if (!out.empty()) out += "\n";
    for (const std::string& line : block.comments) absl::StrAppend(&out, line, "\n");
    for (const std::string& line : block.commands) absl::StrAppend(&out, line, "\n");
    if (!block.commands.empty()) absl::StrAppend(&out, kRule, "\n");
    for (const std::string& line : block.output) absl::StrAppend(&out, line, "\n");
  }
  return out;
}

}  // namespace kvorum::raft::testing
