#include "base/sha256.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

namespace kvorum {
namespace {

// The examples of FIPS 180-2.
TEST(Sha256Test, OfNothingAndOfAShortText) {
  EXPECT_EQ(absl::BytesToHexString(Sha256().Finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 sum;
  sum.Update("abc");
  EXPECT_EQ(absl::BytesToHexString(sum.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesCountAsTheWhole) {
  Sha256 sum;
  for (int i = 0; i < 1000; ++i) sum.Update(std::string(1000, 'a'));
  EXPECT_EQ(absl::BytesToHexString(sum.Finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace kvorum
