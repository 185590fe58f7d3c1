#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace kvorum {
namespace {

std::string RandomBytes(Random* random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random->Next());
  return bytes;
}

TEST(Crc32cTest, KnownValues) {
  EXPECT_EQ(Crc32c(0, ""), 0u);
  EXPECT_EQ(Crc32c(0, "123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(0, std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(Crc32c(0, std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32cTest, ChainingEqualsOneGo) {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view whole = text;
    EXPECT_EQ(Crc32c(Crc32c(0, whole.substr(0, cut)), whole.substr(cut)), Crc32c(0, whole));
  }
}

TEST(Crc32cTest, EmptyInputKeepsTheSum) {
  EXPECT_EQ(Crc32c(0xdeadbeef, ""), 0xdeadbeefu);
  EXPECT_EQ(Crc32cPortable(0xdeadbeef, ""), 0xdeadbeefu);
}

TEST(Crc32cTest, InstructionAndPortableFormAgreeAtEveryLengthAndAlignment) {
  const auto random = NewSeededRandom(1);
  const std::string bytes = RandomBytes(random.get(), 300);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t length = 0; begin + length <= bytes.size(); ++length) {
      const std::string_view part = std::string_view(bytes).substr(begin, length);
      const auto previous = static_cast<uint32_t>(random->Next());
      ASSERT_EQ(Crc32c(previous, part), Crc32cPortable(previous, part)) << begin << " " << length;
    }
  }
}

}  // namespace
}  // namespace kvorum
