#include "tests/tidy/code_view.h"

#include <algorithm>
#include <cctype>

namespace kvorum::tidy {
namespace {

// Blanks one literal or comment after the other; each Skip function starts at the first character
// of its subject and returns the offset behind it.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text), code_(text), comments_(text) {}

  void Run() {
    size_t i = 0;
    size_t comments_end = 0;
    const auto keep_comment = [&](size_t first, size_t last) {
      Blank(comments_end, first, &comments_);
      comments_end = last;
      return Blank(first, last, &code_);
    };
    while (i < text_.size()) {
      if (StartsWith(i, "//")) {
        i = keep_comment(i, std::min(text_.find('\n', i), text_.size()));
      } else if (StartsWith(i, "/*")) {
        i = keep_comment(i, End("*/", i + 2));
      } else if (StartsWith(i, "R\"") && (i == 0 || !IsIdentifierChar(text_[i - 1]))) {
        i = SkipRawString(i);
      } else if (text_[i] == '"') {
        i = SkipQuoted(i, '"');
      } else if (text_[i] == '\'' && !(i > 0 && std::isalnum(Byte(text_[i - 1])))) {
        i = SkipQuoted(i, '\'');  // one that follows a digit separates digits
      } else {
        ++i;
      }
    }
    Blank(comments_end, text_.size(), &comments_);
  }

  const std::string& code() const { return code_; }
  const std::string& comments() const { return comments_; }

 private:
  static unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

  bool StartsWith(size_t i, std::string_view what) const {
    return text_.substr(i, what.size()) == what;
  }

  // Offset behind the next `what` at or after `from`.
  size_t End(std::string_view what, size_t from) const {
    const size_t at = text_.find(what, from);
    return at == std::string_view::npos ? text_.size() : at + what.size();
  }

  static size_t Blank(size_t first, size_t last, std::string* out) {
    for (size_t i = first; i < last; ++i) {
      if ((*out)[i] != '\n') (*out)[i] = ' ';
    }
    return last;
  }

  size_t SkipQuoted(size_t i, char quote) {
    size_t end = i + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    end = std::min(end, text_.size());
    Blank(i + 1, end, &code_);
    return std::min(end + 1, text_.size());
  }

  size_t SkipRawString(size_t i) {
    const size_t open = text_.find('(', i);
    if (open == std::string_view::npos) return i + 1;
    const std::string close = ")" + std::string(text_.substr(i + 2, open - i - 2)) + "\"";
    const size_t end = End(close, open);
    Blank(i + 2, end - 1, &code_);
    return end;
  }

  const std::string_view text_;
  std::string code_;
  std::string comments_;
};

}  // namespace

std::string ToString(const Findings& findings) {
  std::string all;
  for (const Finding& f : findings) {
    all += f.path + ":" + std::to_string(f.line) + ": " + f.what + "\n";
  }
  return all;
}

std::string CodeView(std::string_view text) {
  Blanker blanker(text);
  blanker.Run();
  return blanker.code();
}

std::string CommentView(std::string_view text) {
  Blanker blanker(text);
  blanker.Run();
  return blanker.comments();
}

size_t LineOf(std::string_view text, size_t offset) {
  return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + offset, '\n'));
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool IsIdentifierChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool IsWordAt(std::string_view text, size_t offset, std::string_view word) {
  if (text.substr(offset, word.size()) != word) return false;
  const size_t end = offset + word.size();
  return (offset == 0 || !IsIdentifierChar(text[offset - 1])) &&
         (end == text.size() || !IsIdentifierChar(text[end]));
}

std::vector<size_t> FindWord(std::string_view text, std::string_view word) {
  std::vector<size_t> found;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if (IsWordAt(text, at, word)) found.push_back(at);
  }
  return found;
}

}  // namespace kvorum::tidy
