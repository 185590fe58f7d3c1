#include <gtest/gtest.h>

#include <string>

#include "base/go_quote.h"
#include "base/utf8.h"

namespace kvorum {
namespace {

TEST(GoQuoteTest, WhatDoesNotPrintIsEscaped) {
  EXPECT_EQ(GoQuote("a\"b\\"), R"("a\"b\\")");
  EXPECT_EQ(GoQuote("\a\b\f\n\r\t\v\x01\x7f"), R"("\a\b\f\n\r\t\v\x01\x7f")");
  EXPECT_EQ(GoQuote("\xc3\xa4\xe2\x82\xac"), "\"\xc3\xa4\xe2\x82\xac\"");
  EXPECT_EQ(GoQuote("\xc2\x80\xc2\xa0\xef\xbb\xbf"), R"("\u0080\u00a0\ufeff")");
  EXPECT_EQ(GoQuote("\xff\xc3"), R"("\xff\xc3")");
}

TEST(GoQuoteTest, BytesAreTakenForCharacters) {
  EXPECT_EQ(GoQuoteByte('a'), "'a'");
  EXPECT_EQ(GoQuoteByte('\''), "'\\''");
  EXPECT_EQ(GoQuoteByte('"'), "'\"'");
  EXPECT_EQ(GoQuoteByte('\\'), "'\\\\'");
  EXPECT_EQ(GoQuoteByte('\n'), "'\\n'");
  EXPECT_EQ(GoQuoteByte(0), "'\\x00'");
  EXPECT_EQ(GoQuoteByte(0x80), "'\\u0080'");
  EXPECT_EQ(GoQuoteByte(0xe4), "'\xc3\xa4'");
}

TEST(Utf8Test, CharactersSurviveTheRoundTrip) {
  for (const uint32_t code :
       {0x0u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu}) {
    std::string text;
    AppendRune(code, &text);
    const Rune rune = TakeRune(text + "x");
    EXPECT_TRUE(rune.valid) << code;
    EXPECT_EQ(rune.code, code);
    EXPECT_EQ(rune.bytes, text.size());
  }
}

TEST(Utf8Test, WhatIsNoCharacterIsOneByte) {
  for (const std::string& text :
       {std::string("\x80"), std::string("\xc3"), std::string("\xc0\x80"),
        std::string("\xe0\x80\x80"), std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"),
        std::string("\xf5\x80\x80\x80"), std::string("\xe2\x82x"), std::string("\xff")}) {
    const Rune rune = TakeRune(text);
    EXPECT_FALSE(rune.valid) << text;
    EXPECT_EQ(rune.bytes, 1u);
  }
}

}  // namespace
}  // namespace kvorum
