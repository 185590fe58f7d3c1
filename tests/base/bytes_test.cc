#include "base/bytes.h"

#include <gtest/gtest.h>

namespace kvorum {
namespace {

TEST(SharedBytesTest, DefaultAndEmptyAreEqual) {
  EXPECT_TRUE(SharedBytes().empty());
  EXPECT_EQ(SharedBytes(), SharedBytes(std::string()));
  EXPECT_EQ(SharedBytes().view(), "");
}

TEST(SharedBytesTest, CopiesShareTheBytes) {
  const SharedBytes a(std::string("payload\0x", 9));
  const SharedBytes b = a;
  EXPECT_EQ(a.view().data(), b.view().data());
  EXPECT_EQ(b.size(), 9u);
  EXPECT_EQ(b, SharedBytes(std::string("payload\0x", 9)));
  EXPECT_FALSE(b == SharedBytes(std::string("payload")));
}

TEST(FixedWidthTest, BigEndianPutsTheHighByteFirst) {
  std::string out = "x";
  AppendBigEndian64(&out, 0x0102030405060708);
  EXPECT_EQ(out, "x\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(ReadBigEndian64(std::string_view(out).substr(1)), 0x0102030405060708u);
}

TEST(FixedWidthTest, LittleEndianPutsTheLowByteFirst) {
  std::string out;
  AppendLittleEndian64(&out, 0x0102030405060708);
  EXPECT_EQ(out, "\x08\x07\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(ReadLittleEndian64(out), 0x0102030405060708u);
}

}  // namespace
}  // namespace kvorum
