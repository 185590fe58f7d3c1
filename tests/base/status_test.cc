#include "base/status.h"

#include <absl/strings/cord.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/strings.h"
#include "base/types.h"

namespace kvorum {
namespace {

Status Pass(const Status& status) {
  RETURN_IF_ERROR(status);
  return absl::InternalError("went on");
}
Status PassWithContext(const Status& status) {
  RETURN_IF_ERROR(status, StrCat("opening segment ", 7));
  return absl::OkStatus();
}
StatusOr<int> TwiceOf(StatusOr<std::unique_ptr<int>> input) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> value, std::move(input));
  ASSIGN_OR_RETURN(const int again, StatusOr<int>(*value));
  return *value + again;
}

TEST(StatusTest, MacrosReturnErrorsAndLetOkPass) {
  EXPECT_EQ(Pass(absl::NotFoundError("gone")), absl::NotFoundError("gone"));
  EXPECT_EQ(Pass(absl::OkStatus()), absl::InternalError("went on"));
  EXPECT_EQ(PassWithContext(absl::NotFoundError("gone")),
            absl::NotFoundError("opening segment 7: gone"));
  EXPECT_TRUE(PassWithContext(absl::OkStatus()).ok());
}

TEST(StatusTest, AssignMovesTheValueOut) {
  EXPECT_EQ(*TwiceOf(std::make_unique<int>(4)), 8);
  EXPECT_EQ(TwiceOf(absl::AbortedError("no")).status(), absl::AbortedError("no"));
}

TEST(StatusTest, ContextKeepsCodeAndPayloads) {
  Status status = absl::DataLossError("bad crc");
  status.SetPayload("offset", absl::Cord("42"));
  const Status wrapped = WithContext(status, "wal");
  EXPECT_EQ(wrapped.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ToStd(wrapped.message()), "wal: bad crc");
  EXPECT_EQ(wrapped.GetPayload("offset"), absl::Cord("42"));
  EXPECT_TRUE(WithContext(absl::OkStatus(), "wal").ok());
}

TEST(StringsTest, JoinsStringsOfBothKindsAndNumbers) {
  std::string out = StrCat(std::string_view("a"), absl::string_view("b"), std::string("c"),
                           'd' - 'a', absl::Hex(255), "e");
  EXPECT_EQ(out, "abc3ffe");
  StrAppend(&out, std::string_view("f"), uint64_t{18446744073709551615u});
  EXPECT_EQ(out, "abc3ffef18446744073709551615");
  EXPECT_EQ(ToStd(ToAbsl("x")), "x");
}

TEST(TypesTest, IdsCompareCountAndHash) {
  Index index(5);
  EXPECT_EQ((index + 2).value(), 7u);
  EXPECT_EQ((index - 2).value(), 3u);
  EXPECT_EQ(Index(9) - index, 4u);
  EXPECT_EQ((++index).value(), 6u);
  EXPECT_LT(Index(1), Index(2));
  EXPECT_EQ(std::hash<Index>()(Index(3)), std::hash<Index>()(Index(3)));
  EXPECT_EQ(Revision().value(), 0);
  static_assert(!std::is_convertible_v<uint64_t, Term>);
  static_assert(!std::is_constructible_v<Term, Index>);
}

TEST(TypesTest, IdsPrintAsUnpaddedLowerHex) {
  EXPECT_EQ(HexId(MemberId(0x8e9e05c52164694d)), "8e9e05c52164694d");
  EXPECT_EQ(HexId(ClusterId(0xcdf)), "cdf");
  EXPECT_EQ(HexId(uint64_t{0}), "0");
}

}  // namespace
}  // namespace kvorum
