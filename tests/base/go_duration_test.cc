#include "base/go_duration.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "tests/testing/expect_ok.h"

namespace kvorum {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kMin = Duration(std::numeric_limits<int64_t>::min());
constexpr Duration kMax = Duration(std::numeric_limits<int64_t>::max());

TEST(GoDurationTest, Formats) {
  const struct {
    Duration duration;
    const char* text;
  } cases[] = {
      {Duration(0), "0s"},
      {Duration(1), "1ns"},
      {Duration(1100), "1.1µs"},
      {microseconds(2200), "2.2ms"},
      {milliseconds(3300), "3.3s"},
      {minutes(4) + seconds(5), "4m5s"},
      {minutes(4) + milliseconds(5001), "4m5.001s"},
      {hours(5) + minutes(6) + milliseconds(7001), "5h6m7.001s"},
      {minutes(8) + Duration(1), "8m0.000000001s"},
      {hours(1), "1h0m0s"},
      {minutes(1), "1m0s"},
      {milliseconds(100), "100ms"},
      {-seconds(1) - milliseconds(500), "-1.5s"},
      {kMax, "2562047h47m16.854775807s"},
      {kMin, "-2562047h47m16.854775808s"},
  };
  for (const auto& c : cases) EXPECT_EQ(FormatGoDuration(c.duration), c.text);
}

TEST(GoDurationTest, Parses) {
  const struct {
    const char* text;
    Duration duration;
  } cases[] = {
      {"0", Duration(0)},
      {"-0", Duration(0)},
      {"+0", Duration(0)},
      {"5s", seconds(5)},
      {"30s", seconds(30)},
      {"1478s", seconds(1478)},
      {"-5s", -seconds(5)},
      {"+5s", seconds(5)},
      {"5.0s", seconds(5)},
      {"5.6s", milliseconds(5600)},
      {"5.s", seconds(5)},
      {".5s", milliseconds(500)},
      {"1.0040s", milliseconds(1004)},
      {"100.00100s", milliseconds(100001)},
      {"10ns", Duration(10)},
      {"11us", microseconds(11)},
      {"12\u00b5s", microseconds(12)},
      {"12\u03bcs", microseconds(12)},
      {"13ms", milliseconds(13)},
      {"15m", minutes(15)},
      {"16h", hours(16)},
      {"3h30m", hours(3) + minutes(30)},
      {"10.5s4m", minutes(4) + milliseconds(10500)},
      {"-2m3.4s", -(minutes(2) + milliseconds(3400))},
      {"1h2m3s4ms5us6ns",
       hours(1) + minutes(2) + seconds(3) + milliseconds(4) + microseconds(5) + Duration(6)},
      {"39h9m14.425s", hours(39) + minutes(9) + milliseconds(14425)},
      {"52763797000ns", Duration(52763797000)},
      {"0.3333333333333333333h", minutes(20)},
      {"9007199254740993ns", Duration(9007199254740993)},
      {"9223372036854775807ns", kMax},
      {"9223372036854775.807us", kMax},
      {"9223372036s854ms775us807ns", kMax},
      {"-9223372036854775808ns", kMin},
      {"-2562047h47m16.854775808s", kMin},
      {"0.100000000000000000000h", minutes(6)},
      {"0.830103483285477580700h", minutes(49) + seconds(48) + Duration(372539827)},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseGoDuration(c.text);
    ASSERT_OK(parsed) << c.text;
    EXPECT_EQ(parsed->count(), c.duration.count()) << c.text;
  }
}

TEST(GoDurationTest, RefusesInGosWords) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"", R"(time: invalid duration "")"},
      {"3", R"(time: missing unit in duration "3")"},
      {"3.5", R"(time: missing unit in duration "3.5")"},
      {"-", R"(time: invalid duration "-")"},
      {"s", R"(time: invalid duration "s")"},
      {".", R"(time: invalid duration ".")"},
      {"-.", R"(time: invalid duration "-.")"},
      {".s", R"(time: invalid duration ".s")"},
      {"+.s", R"(time: invalid duration "+.s")"},
      {"1d", R"(time: unknown unit "d" in duration "1d")"},
      {"5x", R"(time: unknown unit "x" in duration "5x")"},
      {"1 s", R"(time: unknown unit " s" in duration "1 s")"},
      {"--1s", R"(time: invalid duration "--1s")"},
      {"1s2", R"(time: missing unit in duration "1s2")"},
      {"\x85\x85", R"(time: invalid duration "\x85\x85")"},
      {"3000h\xff", R"(time: unknown unit "h\xff" in duration "3000h\xff")"},
      {"hello \"\\ world", R"(time: invalid duration "hello \"\\ world")"},
      {"9223372036854775810ns", R"(time: invalid duration "9223372036854775810ns")"},
      {"9223372036854775808ns", R"(time: invalid duration "9223372036854775808ns")"},
      {"-9223372036854775809ns", R"(time: invalid duration "-9223372036854775809ns")"},
      {"9223372036854776us", R"(time: invalid duration "9223372036854776us")"},
      {"3000000h", R"(time: invalid duration "3000000h")"},
      {"9223372036854ms775us808ns", R"(time: invalid duration "9223372036854ms775us808ns")"},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseGoDuration(c.text);
    ASSERT_FALSE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(parsed.status().message()), c.error);
  }
}

TEST(GoDurationTest, ParsingUndoesFormatting) {
  const auto random = NewSeededRandom(3);
  for (int i = 0; i < 20000; ++i) {
    // All magnitudes alike: a random number of low bits.
    const auto ns = static_cast<int64_t>(random->Next()) >> random->Uniform(63);
    const std::string text = FormatGoDuration(Duration(ns));
    const auto parsed = ParseGoDuration(text);
    ASSERT_OK(parsed) << text;
    ASSERT_EQ(parsed->count(), ns) << text;
  }
}

}  // namespace
}  // namespace kvorum
