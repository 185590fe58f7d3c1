#pragma once
// What a line scanner may look at: a source file, and the same text with everything blanked that is
// not code. Offsets and line numbers agree between the two.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kvorum::tidy {

struct SourceFile {
  std::string path;  // relative to the root, with '/'
  std::string text;
};

// One breach of a rule. `line` counts from 1; 0 where the finding is about the file as a whole.
struct Finding {
  std::string path;
  size_t line;
  std::string what;
};

using Findings = std::vector<Finding>;

// "path:line: what", one finding a line.
std::string ToString(const Findings& findings);

// `text` with comments and the content of string and character literals replaced by blanks.
// Newlines stay, also inside comments and raw strings.
std::string CodeView(std::string_view text);

// The other way round: only the comments are left.
std::string CommentView(std::string_view text);

// Number of the line that holds `offset`, from 1.
size_t LineOf(std::string_view text, size_t offset);

// The lines of `text` without their newlines.
std::vector<std::string_view> Lines(std::string_view text);

// True if text[offset, offset + word.size()) is `word` and no identifier goes on at either end.
bool IsWordAt(std::string_view text, size_t offset, std::string_view word);

// Offsets of all occurrences of `word` as a whole identifier.
std::vector<size_t> FindWord(std::string_view text, std::string_view word);

bool IsIdentifierChar(char c);

}  // namespace kvorum::tidy
