#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kvorum {
namespace {

TEST(Utf8Test, SequencesOfEveryLength) {
  EXPECT_EQ(TakeRune("ax").bytes, 1u);
  EXPECT_EQ(TakeRune("\xc2\x80x").bytes, 2u);
  EXPECT_EQ(TakeRune("\xe0\xa0\x80x").bytes, 3u);
  EXPECT_EQ(TakeRune("\xf0\x90\x80\x80x").bytes, 4u);
  EXPECT_EQ(TakeRune("\xf4\x8f\xbf\xbf").bytes, 4u);
  EXPECT_EQ(TakeRune(std::string_view("\0", 1)).bytes, 1u);
}

TEST(Utf8Test, WhatIsNone) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2x", "\xe0\x9f\xbf",
                           "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xf0\x90\x80", "\xff"}) {
    EXPECT_FALSE(TakeRune(text).valid) << testing::PrintToString(text);
    EXPECT_FALSE(IsUtf8(std::string("a") + text)) << testing::PrintToString(text);
  }
}

TEST(Utf8Test, WholeTexts) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("3.7 \xc3\xa9 \xe2\x82\xac"));
  EXPECT_FALSE(IsUtf8("\xc3\xa9\xc3"));
}

}  // namespace
}  // namespace kvorum
