#pragma once
// Reads the tokens of one JSON value whose form JsonScanner has found good.
//
// What is left to find wrong is inside strings: bytes that are no UTF-8 and surrogates without
// their other half. Errors carry line and column, as those of Go's protojson, which this follows
// (google.golang.org/protobuf/internal/encoding/json). For one thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace kvorum::api {

struct JsonToken {
  enum class Kind { kEnd, kNull, kBool, kNumber, kString, kName, kOpen, kClose, kList, kListEnd };
  Kind kind = Kind::kEnd;
  size_t at = 0;         // offset in the value
  std::string_view raw;  // as written; of a name without its colon
  std::string text;      // of strings and names, without escapes
};

class JsonReader {
 public:
  // `value` must outlive the reader and its tokens.
  explicit JsonReader(std::string_view value) : value_(value) { SkipFiller(); }

  // False: a string is malformed, see error().
  bool Read(JsonToken* token);
  // The kind of the next token; kName and kString are not told apart.
  JsonToken::Kind Peek() const;
  // "(line 1:2)" of an offset: columns count characters.
  std::string Position(size_t at) const;
  const std::string& error() const { return error_; }

 private:
  void SkipFiller();
  void Take(JsonToken::Kind kind, size_t size, JsonToken* token);
  bool ReadString(JsonToken* token);
  bool ReadEscape(size_t* at, std::string* text);
  bool ReadUnicode(size_t* at, std::string* text);
  bool Fail(const std::string& what);

  const std::string_view value_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace kvorum::api
