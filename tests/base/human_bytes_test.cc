#include "base/human_bytes.h"

#include <gtest/gtest.h>

namespace kvorum {
namespace {

// Values as Go's humanize.Bytes gives them.
TEST(HumanBytesTest, WritesWhatGoWrites) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(9), "9 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1000), "1.0 kB");
  EXPECT_EQ(HumanBytes(1049), "1.0 kB");
  EXPECT_EQ(HumanBytes(20480), "20 kB");
  EXPECT_EQ(HumanBytes(9960), "10 kB");
  EXPECT_EQ(HumanBytes(999'999), "1000 kB");
  EXPECT_EQ(HumanBytes(2147483648), "2.1 GB");
  EXPECT_EQ(HumanBytes(~uint64_t{0}), "18 EB");
}

}  // namespace
}  // namespace kvorum
