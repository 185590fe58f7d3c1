#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/env.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/temp_dir.h"

namespace kvorum::log {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// 2023-11-14T22:13:20.000042Z
constexpr WallTime kTime{std::chrono::microseconds(1700000000000042)};

// Sets the process's zone for one test.
class ZoneGuard {
 public:
  explicit ZoneGuard(const char* zone) {
    if (const char* old = std::getenv("TZ")) old_ = old;
    setenv("TZ", zone, 1);
    tzset();
  }
  ~ZoneGuard() {
    if (old_.has_value()) {
      setenv("TZ", old_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }

 private:
  std::optional<std::string> old_;
};

// The line with these fields, from the first field on.
std::string FieldsOf(Fields fields) {
  const std::string line = Format(Level::kInfo, kTime, "c", "m", fields);
  const size_t end = line.find("\"msg\":\"m\"") + 9;
  return line.substr(end, line.size() - end - 1);
}

TEST(LogFormatTest, KeysComeInZapsOrder) {
  const ZoneGuard utc("UTC");
  EXPECT_EQ(Format(Level::kInfo, kTime, "server/main.cc:12", "saved snapshot to disk",
                   {{"snapshot-index", uint64_t{18446744073709551615u}}, {"took", "1s"}}),
            R"({"level":"info","ts":"2023-11-14T22:13:20.000042Z","caller":"server/main.cc:12",)"
            R"("msg":"saved snapshot to disk","snapshot-index":18446744073709551615,"took":"1s"})");
  EXPECT_EQ(Format(Level::kWarn, kTime, "c", "m", {}, "raft"),
            R"({"level":"warn","ts":"2023-11-14T22:13:20.000042Z","logger":"raft","caller":"c",)"
            R"("msg":"m"})");
}

TEST(LogFormatTest, TimeIsLocalWithItsOffset) {
  // Each on a thread of its own: a thread keeps its last converted second.
  const auto format = [](const char* zone, std::string* out) {
    const ZoneGuard guard(zone);
    std::thread([out] { *out = Format(Level::kInfo, kTime, "c", "m", {}); }).join();
  };
  std::string line;
  format("XXX-2", &line);
  EXPECT_THAT(line, HasSubstr(R"("ts":"2023-11-15T00:13:20.000042+0200")"));
  format("XXX+3:30", &line);
  EXPECT_THAT(line, HasSubstr(R"("ts":"2023-11-14T18:43:20.000042-0330")"));
}

TEST(LogFormatTest, TimesBefore1970RoundDown) {
  const ZoneGuard utc("UTC");
  EXPECT_THAT(Format(Level::kInfo, WallTime(std::chrono::microseconds(-1)), "c", "m", {}),
              HasSubstr(R"("ts":"1969-12-31T23:59:59.999999Z")"));
}

TEST(LogFormatTest, FieldsOfEveryKind) {
  const ZoneGuard utc("UTC");
  const std::string owned = "s";
  const std::vector<std::string> list = {"a", "b\"c"};
  EXPECT_EQ(FieldsOf({{"k", true}, {"k", -5}, {"k", uint8_t{7}}, {"k", int64_t{INT64_MIN}}}),
            R"(,"k":true,"k":-5,"k":7,"k":-9223372036854775808)");
  EXPECT_EQ(FieldsOf({{"k", owned}, {"k", "literal"}, {"k", std::string_view("view")}}),
            R"(,"k":"s","k":"literal","k":"view")");
  EXPECT_EQ(FieldsOf({{"k", Duration(3200000)}, {"k", std::chrono::seconds(90)}}),
            R"(,"k":"3.2ms","k":"1m30s")");
  EXPECT_EQ(FieldsOf({{"k", list}, {"k", std::vector<std::string>()}}),
            R"(,"k":["a","b\"c"],"k":[])");
  EXPECT_EQ(FieldsOf({{"error", absl::NotFoundError("no leader")}}), R"(,"error":"no leader")");
  EXPECT_EQ(FieldsOf({{"k", kTime}}), R"(,"k":"2023-11-14T22:13:20.000042Z")");
}

TEST(LogFormatTest, FloatsAreShortestWithoutExponent) {
  EXPECT_EQ(FieldsOf({{"k", 0.1}, {"k", 2.0}, {"k", 1e21}, {"k", 1.5e-7}}),
            R"(,"k":0.1,"k":2,"k":1000000000000000000000,"k":0.00000015)");
  EXPECT_EQ(FieldsOf({{"k", std::nan("")}, {"k", INFINITY}, {"k", -INFINITY}}),
            R"(,"k":"NaN","k":"+Inf","k":"-Inf")");
  EXPECT_EQ(FieldsOf({{"k", 5e-324}}).size(), 331u);
}

TEST(LogFormatTest, EscapesWhatJsonNeeds) {
  EXPECT_EQ(FieldsOf({{"k", "q\" b\\ n\n r\r t\t"}}), R"(,"k":"q\" b\\ n\n r\r t\t")");
  EXPECT_EQ(FieldsOf({{"k", std::string_view("\0\x01\x1f\x7f", 4)}}),
            ",\"k\":\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(FieldsOf({{"k\"", "<&>/"}}), R"(,"k\"":"<&>/")");
}

TEST(LogFormatTest, KeepsUtf8AndReplacesEachInvalidByte) {
  EXPECT_EQ(FieldsOf({{"k", "\u00e9\u20ac\U0001f600"}}), ",\"k\":\"\u00e9\u20ac\U0001f600\"");
  const char* const invalid[] = {
      "\x80",          // a continuation alone
      "\xc3",          // cut short
      "\xc0\xaf",      // overlong in two bytes
      "\xe0\x9f\xbf",  // overlong in three
      "\xed\xa0\x80",  // a surrogate
      "\xf0\x8f\xbf\xbf",
      "\xf4\x90\x80\x80",
      "\xff",
      "\xe2\x82",
  };
  for (const char* text : invalid) {
    std::string expected = ",\"k\":\"a";
    for (size_t i = 0; i < strlen(text); ++i) expected += "\\ufffd";
    EXPECT_EQ(FieldsOf({{"k", std::string("a") + text + "z"}}), expected + "z\"");
  }
}

TEST(LogFormatTest, CallerIsTheFileWithItsFolder) {
  EXPECT_EQ(Caller("/src/kvorum/server/raft_loop.cc", 7), "server/raft_loop.cc:7");
  EXPECT_EQ(Caller("server/raft_loop.cc", 7), "server/raft_loop.cc:7");
  EXPECT_EQ(Caller("raft_loop.cc", 7), "raft_loop.cc:7");
  EXPECT_EQ(Caller("/raft_loop.cc", 7), "/raft_loop.cc:7");
}

TEST(LogLevelTest, NamesAreZaps) {
  for (const char* name : {"debug", "info", "warn", "error", "dpanic", "panic", "fatal"}) {
    const auto level = ParseLevel(name);
    ASSERT_OK(level);
    EXPECT_THAT(Format(*level, kTime, "c", "m", {}),
                HasSubstr(std::string("{\"level\":\"") + name + "\""));
  }
  EXPECT_EQ(std::string(ParseLevel("loud").status().message()), "unrecognized level: \"loud\"");
}

// Logs into a file and reads it back; the standard error again afterwards.
class LogWriteTest : public ::testing::Test {
 protected:
  ~LogWriteTest() override { EXPECT_OK(Configure({})); }

  void LogToFile(Level level) { ASSERT_OK(Configure({.level = level, .outputs = {path_}})); }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    const auto text = PosixEnv().ReadFile(path_);
    EXPECT_OK(text);
    EXPECT_THAT(*text, EndsWith("\n"));
    for (size_t begin = 0; begin < text->size();) {
      const size_t end = text->find('\n', begin);
      lines.push_back(text->substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  TempDir dir_;
  const std::string path_ = dir_ / "log.json";
};

TEST_F(LogWriteTest, LinesGoOutAtOnceWithTheirCaller) {
  LogToFile(Level::kInfo);
  LOG_INFO("hello {} %s", {"n", 1}, {"name", "x"});
  LOG_WARN("no fields");
  EXPECT_THAT(Lines(),
              ElementsAre(MatchesRegex(
                              R"(\{"level":"info","ts":"[^"]+","caller":"base/log_test.cc:[0-9]+",)"
                              R"("msg":"hello \{\} %s","n":1,"name":"x"\})"),
                          MatchesRegex(R"(.*"level":"warn".*"msg":"no fields"\})")));
}

TEST_F(LogWriteTest, CallerIsTheLineOfTheCall) {
  LogToFile(Level::kInfo);
  LOG_INFO("here");
  const int line = __LINE__ - 1;
  Write(Level::kWarn, "there", {});
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("log_test.cc:" + std::to_string(line) + "\""),
                                   HasSubstr("log_test.cc:" + std::to_string(line + 2) + "\"")));
}

TEST_F(LogWriteTest, LowerLevelsAreNotEvenEvaluated) {
  LogToFile(Level::kWarn);
  int evaluated = 0;
  LOG_DEBUG("d", {"n", ++evaluated});
  LOG_INFO("i", {"n", ++evaluated});
  LOG_WARN("w", {"n", ++evaluated});
  EXPECT_EQ(evaluated, 1);
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(LogWriteTest, NamedLoggerAndAnyLevelByWrite) {
  LogToFile(Level::kDebug);
  WriteNamed("raft", Level::kDebug, "became leader", {{"term", uint64_t{2}}});
  EXPECT_THAT(Lines(),
              ElementsAre(MatchesRegex(
                  R"(.*"logger":"raft","caller":"base/log_test.cc:[0-9]+",.*"term":2\})")));
}

TEST_F(LogWriteTest, StackFollowsFromErrorOnAndIsTheLastField) {
  LogToFile(Level::kInfo);
  LOG_ERROR("bad", {"k", "v"});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  const auto json = nlohmann::ordered_json::parse(lines[0]);
  EXPECT_EQ(std::prev(json.end()).key(), "stacktrace");
  EXPECT_THAT(json["stacktrace"].get<std::string>(), HasSubstr("LogWriteTest"));
}

TEST_F(LogWriteTest, AppendsToAnExistingFile) {
  ASSERT_OK(PosixEnv().WriteFile(path_, "before\n"));
  LogToFile(Level::kInfo);
  LOG_INFO("after");
  EXPECT_THAT(Lines(), ElementsAre("before", HasSubstr("after")));
}

TEST_F(LogWriteTest, NewFileGetsTheDefaultPermissions) {
  LogToFile(Level::kInfo);
  const mode_t mask = umask(0);
  umask(mask);
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

TEST_F(LogWriteTest, EachOutputGetsEveryLine) {
  const std::string second = dir_ / "second.json";
  ASSERT_OK(Configure({.outputs = {path_, second, "/dev/null"}}));
  LOG_INFO("twice");
  EXPECT_EQ(Lines().size(), 1u);
  EXPECT_THAT(*PosixEnv().ReadFile(second), HasSubstr("twice"));
}

TEST_F(LogWriteTest, OutputThatCannotBeOpenedLeavesTheOldOne) {
  LogToFile(Level::kInfo);
  ASSERT_OK(PosixEnv().CreateDir(dir_ / "folder"));
  EXPECT_FALSE(Configure({.level = Level::kError, .outputs = {dir_ / "folder"}}).ok());
  LOG_INFO("still here");
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(LogWriteTest, ThreadsDoNotMixTheirLines) {
  LogToFile(Level::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) LOG_INFO("line " + std::to_string(t * 100 + i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), 400u);
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST_F(LogWriteTest, FloodOfOneMessageIsThinned) {
  LogToFile(Level::kInfo);
  for (int i = 0; i < 1000; ++i) LOG_INFO("flood");
  // 100 and every 100th after, with a further 100 for each full second a slow machine takes.
  EXPECT_GE(Lines().size(), 109u);
  EXPECT_LT(Lines().size(), 1000u);
}

}  // namespace
}  // namespace kvorum::log
