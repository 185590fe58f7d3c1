// Go's flag syntax and number forms. The expected texts were taken from Go's own packages.

#include "server/flags/go_flag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/flags/go_value.h"

namespace kvorum::server::flags {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GoFlagTest : public ::testing::Test {
 protected:
  GoFlagTest() {
    set_.Add("n", false, [this](std::string_view text) {
      StatusOr<int64_t> value = ParseGoInt(text);
      if (value.ok()) n_ = *value;
      return value.status();
    });
    set_.Add("s", false, [this](std::string_view text) {
      s_ = text;
      return absl::OkStatus();
    });
    set_.Add("b", true, [this](std::string_view text) {
      StatusOr<bool> value = ParseGoBool(text);
      if (value.ok()) b_ = *value;
      return value.status();
    });
  }
  std::string Error(const std::vector<std::string>& args) { return set_.Parse(args).error; }

  GoFlagSet set_;
  int64_t n_ = 0;
  std::string s_;
  bool b_ = false;
};

TEST_F(GoFlagTest, OneDashIsTwo) {
  EXPECT_EQ(Error({"-n=1", "--s=x", "--b"}), "");
  EXPECT_EQ(n_, 1);
  EXPECT_EQ(s_, "x");
  EXPECT_TRUE(b_);
}

TEST_F(GoFlagTest, ValueMayBeTheNextWordWhateverItLooksLike) {
  EXPECT_EQ(Error({"-n", "-5", "--s", "--b"}), "");
  EXPECT_EQ(n_, -5);
  EXPECT_EQ(s_, "--b");
  EXPECT_FALSE(b_);
}

TEST_F(GoFlagTest, BoolTakesNoWord) {
  const GoFlagSet::Result result = set_.Parse({"-b", "false"});
  EXPECT_TRUE(b_);
  EXPECT_THAT(result.words, ElementsAre("false"));
}

TEST_F(GoFlagTest, LastOneWins) {
  EXPECT_EQ(Error({"-n=1", "-n=2"}), "");
  EXPECT_EQ(n_, 2);
}

TEST_F(GoFlagTest, WordsEndTheFlags) {
  EXPECT_THAT(set_.Parse({"-b", "x", "-n=1"}).words, ElementsAre("x", "-n=1"));
  EXPECT_THAT(set_.Parse({"-b", "--", "-n=1"}).words, ElementsAre("-n=1"));
  EXPECT_THAT(set_.Parse({"-", "x"}).words, ElementsAre("-", "x"));
  EXPECT_THAT(set_.Parse({}).words, IsEmpty());
  EXPECT_EQ(n_, 0);
}

TEST_F(GoFlagTest, EmptyValueAfterEquals) {
  s_ = "old";
  EXPECT_EQ(Error({"-s="}), "");
  EXPECT_EQ(s_, "");
  EXPECT_EQ(Error({"-s=a=b"}), "");
  EXPECT_EQ(s_, "a=b");
}

TEST_F(GoFlagTest, Errors) {
  EXPECT_EQ(Error({"-x"}), "flag provided but not defined: -x");
  EXPECT_EQ(Error({"--x=1"}), "flag provided but not defined: -x");
  EXPECT_EQ(Error({"-n"}), "flag needs an argument: -n");
  EXPECT_EQ(Error({"-=1"}), "bad flag syntax: -=1");
  EXPECT_EQ(Error({"---n"}), "bad flag syntax: ---n");
  EXPECT_EQ(Error({"-n=abc"}), "invalid value \"abc\" for flag -n: parse error");
  EXPECT_EQ(Error({"-b=maybe"}), "invalid boolean value \"maybe\" for -b: parse error");
  EXPECT_EQ(Error({"-n=99999999999999999999"}),
            "invalid value \"99999999999999999999\" for flag -n: value out of range");
}

TEST_F(GoFlagTest, FirstErrorEnds) {
  EXPECT_EQ(Error({"-n=1", "-x", "-n=2"}), "flag provided but not defined: -x");
  EXPECT_EQ(n_, 1);
}

TEST_F(GoFlagTest, HelpUnlessDefined) {
  EXPECT_TRUE(set_.Parse({"-h"}).help);
  EXPECT_TRUE(set_.Parse({"--help=x"}).help);
  EXPECT_FALSE(set_.Parse({"-b", "--", "-h"}).help);
}

TEST(GoValueTest, IntegersOfEveryBase) {
  for (const auto& [text, value] :
       std::vector<std::pair<std::string, int64_t>>{{"0", 0},
                                                    {"-0", 0},
                                                    {"+7", 7},
                                                    {"017", 15},
                                                    {"0x1F", 31},
                                                    {"0b101", 5},
                                                    {"0o17", 15},
                                                    {"1_000", 1000},
                                                    {"0x_1", 1},
                                                    {"0_7", 7},
                                                    {"0X10", 16},
                                                    {"-0x10", -16},
                                                    {"9223372036854775807", INT64_MAX},
                                                    {"-9223372036854775808", INT64_MIN}}) {
    const StatusOr<int64_t> parsed = ParseGoInt(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, value) << text;
  }
}

TEST(GoValueTest, WhatIsNoInteger) {
  for (const char* text : {"", "-", "+", "_1", "1_", "1__0", "0x", "0_x1", "08", "1e3", " 1", "0b2",
                           "1.5", "--1", "0x1_"}) {
    EXPECT_EQ(ParseGoInt(text).status().message(), "parse error") << text;
  }
  for (const char* text :
       {"9223372036854775808", "-9223372036854775809", "99999999999999999999x"}) {
    EXPECT_EQ(ParseGoInt(text).status().message(), "value out of range") << text;
  }
}

TEST(GoValueTest, UnsignedHasNoSign) {
  EXPECT_EQ(*ParseGoUint("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseGoUint("18446744073709551616").status().message(), "value out of range");
  EXPECT_EQ(ParseGoUint("-1").status().message(), "parse error");
  EXPECT_EQ(ParseGoUint32("4294967296").status().message(),
            "strconv.ParseUint: parsing \"4294967296\": value out of range");
  EXPECT_EQ(ParseGoUint32("-1").status().message(),
            "strconv.ParseUint: parsing \"-1\": invalid syntax");
  EXPECT_EQ(*ParseGoUint32("0xffffffff"), UINT32_MAX);
}

TEST(GoValueTest, BoolsAreAFewWords) {
  EXPECT_TRUE(*ParseGoBool("T"));
  EXPECT_FALSE(*ParseGoBool("False"));
  EXPECT_EQ(ParseGoBool("yes").status().message(), "parse error");
  EXPECT_EQ(ParseGoBool("tRUE").status().message(), "parse error");
}

}  // namespace
}  // namespace kvorum::server::flags
