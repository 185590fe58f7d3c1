#include "api/http/gateway/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/go_quote.h"
#include "base/utf8.h"

namespace kvorum::api {
namespace {

using Kind = JsonToken::Kind;

bool IsSurrogate(uint32_t c) { return c >= 0xd800 && c < 0xe000; }

// The four hex digits at `at`; false if there are not as many.
bool HexAt(std::string_view text, size_t at, uint32_t* value) {
  if (at + 4 > text.size()) return false;
  const char* const last = text.data() + at + 4;
  const auto [end, error] = std::from_chars(text.data() + at, last, *value, 16);
  return error == std::errc() && end == last;
}

}  // namespace

// Space, and the commas and colons that the scanner has found where they belong.
void JsonReader::SkipFiller() {
  at_ = std::min(value_.find_first_not_of(" \t\r\n,:", at_), value_.size());
}

Kind JsonReader::Peek() const {
  if (at_ == value_.size()) return Kind::kEnd;
  switch (value_[at_]) {
    case '{':
      return Kind::kOpen;
    case '}':
      return Kind::kClose;
    case '[':
      return Kind::kList;
    case ']':
      return Kind::kListEnd;
    case '"':
      return Kind::kString;
    case 'n':
      return Kind::kNull;
    case 't':
    case 'f':
      return Kind::kBool;
    default:
      return Kind::kNumber;
  }
}

bool JsonReader::Read(JsonToken* token) {
  const Kind kind = Peek();
  switch (kind) {
    case Kind::kEnd:
      Take(kind, 0, token);
      return true;
    case Kind::kOpen:
    case Kind::kClose:
    case Kind::kList:
    case Kind::kListEnd:
      Take(kind, 1, token);
      return true;
    case Kind::kString:
      return ReadString(token);
    default: {
      const size_t end = value_.find_first_of(" \t\r\n,:]}", at_);
      Take(kind, std::min(end, value_.size()) - at_, token);
      return true;
    }
  }
}

void JsonReader::Take(Kind kind, size_t size, JsonToken* token) {
  token->kind = kind;
  token->at = at_;
  token->raw = value_.substr(at_, size);
  at_ += size;
  SkipFiller();
}

bool JsonReader::ReadString(JsonToken* token) {
  token->text.clear();
  size_t at = at_ + 1;
  while (value_[at] != '"') {
    if (value_[at] == '\\') {
      if (!ReadEscape(&at, &token->text)) return false;
      continue;
    }
    const Rune rune = TakeRune(value_.substr(at));
    if (!rune.valid) return Fail("invalid UTF-8 in string");
    token->text.append(value_.substr(at, rune.bytes));
    at += rune.bytes;
  }
  const size_t size = at + 1 - at_;
  Take(Kind::kString, size, token);
  const std::string_view between = value_.substr(token->at + size, at_ - token->at - size);
  if (between.find(':') != std::string_view::npos) token->kind = Kind::kName;
  return true;
}

bool JsonReader::ReadEscape(size_t* at, std::string* text) {
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  const size_t letter = kLetters.find(value_[*at + 1]);
  if (letter == std::string_view::npos) return ReadUnicode(at, text);
  *text += kMeant[letter];
  *at += 2;
  return true;
}

// A pair of surrogates is one character. What stands where the second half should be is looked at
// without regard to where the string ends, as the original does.
bool JsonReader::ReadUnicode(size_t* at, std::string* text) {
  uint32_t c = 0;
  HexAt(value_, *at + 2, &c);
  *at += 6;
  if (IsSurrogate(c)) {
    if (value_.size() - *at < 6) {
      error_ = "unexpected EOF";
      return false;
    }
    uint32_t low = 0;
    const bool is_pair = value_.substr(*at, 2) == "\\u" && HexAt(value_, *at + 2, &low) &&
                         c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
    if (!is_pair) {
      return Fail("invalid escape code " + GoQuote(value_.substr(*at, 6)) + " in string");
    }
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    *at += 6;
  }
  AppendRune(c, text);
  return true;
}

// The position is that of the string.
bool JsonReader::Fail(const std::string& what) {
  error_ = "syntax error " + Position(at_) + ": " + what;
  return false;
}

std::string JsonReader::Position(size_t at) const {
  const std::string_view before = value_.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  size_t column = 1;
  for (size_t i = before.rfind('\n') + 1; i < before.size(); ++column) {
    i += TakeRune(before.substr(i)).bytes;
  }
  return "(line " + std::to_string(line) + ":" + std::to_string(column) + ")";
}

}  // namespace kvorum::api
