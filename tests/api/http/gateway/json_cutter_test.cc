#include "api/http/gateway/json_cutter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kvorum::api {
namespace {

constexpr size_t kMost = 1 << 20;

// The values of `body`, and as the last item the error, if any, behind "! ". Fed in pieces of
// `piece` bytes.
std::vector<std::string> Cut(const std::string& body, size_t piece = kMost, size_t most = kMost) {
  using State = JsonCutter::State;
  JsonCutter cutter(most);
  std::vector<std::string> values;
  State state = State::kMore;
  for (size_t at = 0; at < body.size() && state != State::kError; at += piece) {
    std::string_view bytes = std::string_view(body).substr(at, piece);
    while ((state = cutter.Feed(&bytes)) == State::kValue) values.push_back(cutter.TakeValue());
  }
  if (state != State::kError) state = cutter.End();
  if (state == State::kValue) values.push_back(cutter.TakeValue());
  if (state == State::kError)
    values.push_back(cutter.too_large() ? "! large" : "! " + cutter.error());
  return values;
}

using Values = std::vector<std::string>;

TEST(JsonCutterTest, ValuesOneAfterTheOther) {
  EXPECT_EQ(Cut(""), Values());
  EXPECT_EQ(Cut(" \t\r\n"), Values());
  EXPECT_EQ(Cut(" {} "), Values({"{}"}));
  EXPECT_EQ(Cut("{}{}\n[1,2]"), Values({"{}", "{}", "[1,2]"}));
  EXPECT_EQ(Cut(R"({"a":"}\"{"}"x")"), Values({R"({"a":"}\"{"})", "\"x\""}));
  EXPECT_EQ(Cut("1 2.5e-3 -0 true"), Values({"1", "2.5e-3", "-0", "true"}));
  EXPECT_EQ(Cut("truefalse null"), Values({"true", "false", "null"}));
  EXPECT_EQ(Cut("{ \"a\" : [ 1 , { } ] }"), Values({"{ \"a\" : [ 1 , { } ] }"}));
  EXPECT_EQ(Cut("\"\xff\x80\""), Values({"\"\xff\x80\""}));  // UTF-8 is not its business
}

// The texts were taken from etcd's answers.
TEST(JsonCutterTest, ErrorsInGoWords) {
  const std::pair<std::string, std::string> cases[] = {
      {"{", "unexpected EOF"},
      {"{\"a", "unexpected EOF"},
      {"tru", "unexpected EOF"},
      {"-", "unexpected EOF"},
      {"1.", "unexpected EOF"},
      {"1e", "unexpected EOF"},
      {"}", "invalid character '}' looking for beginning of value"},
      {"{,}", "invalid character ',' looking for beginning of object key string"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"{k:1}", "invalid character 'k' looking for beginning of object key string"},
      {"{'k':1}", "invalid character '\\'' looking for beginning of object key string"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 2}", "invalid character '2' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"\"\n\"", "invalid character '\\n' in string literal"},
      {"\"\\x\"", "invalid character 'x' in string escape code"},
      {"\"\\u12g\"", "invalid character 'g' in \\u hexadecimal character escape"},
      {"trux", "invalid character 'x' in literal true (expecting 'e')"},
      {"nil", "invalid character 'i' in literal null (expecting 'u')"},
      {"fa ", "invalid character ' ' in literal false (expecting 'l')"},
      {"-a", "invalid character 'a' in numeric literal"},
      {"{\"a\":01}", "invalid character '1' after object key:value pair"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal"},
      {"1e+x", "invalid character 'x' in exponent of numeric literal"},
      {"\xc3\xa4", "invalid character '\xc3\x83' looking for beginning of value"},
  };
  for (const auto& [body, error] : cases) EXPECT_EQ(Cut(body), Values({"! " + error})) << body;
}

TEST(JsonCutterTest, HowTheBodyIsCutIntoPiecesDoesNotMatter) {
  const std::string bodies[] = {
      "{}{}\n[1,2]", R"( {"a":"}\"{\u12aB"} "x" 1 2.5e-3 -0 true null{"b":[{},[[]]]})",
      "{\"a\":1,}",  "[1 2]",
      "tru",         "12",
      "\"\\ud800\"", "1.5e+7{\"x\":-1.25}"};
  for (const std::string& body : bodies) {
    for (size_t piece = 1; piece <= body.size(); ++piece) {
      EXPECT_EQ(Cut(body, piece), Cut(body)) << body << " in pieces of " << piece;
    }
  }
}

TEST(JsonCutterTest, NestingIsBounded) {
  const std::string deepest = std::string(kJsonMaxNesting, '[') + std::string(kJsonMaxNesting, ']');
  EXPECT_EQ(Cut(deepest), Values({deepest}));
  EXPECT_EQ(Cut("[" + deepest), Values({"! invalid character '[' exceeded max depth"}));
  EXPECT_EQ(Cut(std::string(kMost - 1, '{')),
            Values({"! invalid character '{' looking for beginning of object key string"}));
}

TEST(JsonCutterTest, AValueIsBoundedAndTheSpaceAroundItIsNotKept) {
  EXPECT_EQ(Cut(std::string(1000, ' ') + "[1,2]" + std::string(1000, ' ') + "[3,4]", 7, 5),
            Values({"[1,2]", "[3,4]"}));
  EXPECT_EQ(Cut("[1,2,3]", 7, 5), Values({"! large"}));
  EXPECT_EQ(Cut("[1,2,3]", 1, 5), Values({"! large"}));
}

}  // namespace
}  // namespace kvorum::api
