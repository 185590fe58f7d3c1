#include "api/grpc/response_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace kvorum::api {
namespace {

using Maker = ResponseBudget::Maker;

class ResponseBudgetTest : public testing::Test {
 protected:
  grpc::Slice Take(Maker& maker, size_t bytes) {
    char* ignored = nullptr;
    return maker.NewSlice(bytes, &ignored);
  }

  ResponseBudget budget_{1000};
};

TEST_F(ResponseBudgetTest, SlicesAreChargedWhileTheyLive) {
  Maker maker(&budget_);
  std::optional<grpc::Slice> slice(Take(maker, 300));
  const grpc::Slice shared = maker.ShareSlice(SharedBytes(std::string(200, 'x')));
  EXPECT_EQ(budget_.held_bytes(), 500);
  EXPECT_EQ(shared.size(), 200u);
  slice.reset();
  EXPECT_EQ(budget_.held_bytes(), 200);
}

TEST_F(ResponseBudgetTest, WithinTheBoundEverybodyIsAdmitted) {
  Maker first(&budget_);
  Maker second(&budget_);
  const grpc::Slice slice = Take(first, 999);
  EXPECT_TRUE(first.Admit());
  EXPECT_TRUE(second.Admit());
}

TEST_F(ResponseBudgetTest, BeyondTheBoundOneListGoesOn) {
  Maker first(&budget_);
  Maker second(&budget_);
  const grpc::Slice of_first = Take(first, 600);
  const grpc::Slice of_second = Take(second, 600);
  EXPECT_TRUE(second.Admit());
  EXPECT_FALSE(first.Admit());
  EXPECT_TRUE(second.Admit()) << "until its end";
}

// Else a chain of lists, each finished beyond the bound, would hold any number of bytes.
TEST_F(ResponseBudgetTest, AListThatEndedBeyondTheBoundKeepsThePlaceUntilItIsSent) {
  Maker waiting(&budget_);
  std::optional<grpc::Slice> held;
  {
    Maker first(&budget_);
    held = Take(first, 1200);
    EXPECT_TRUE(first.Admit());
  }
  EXPECT_FALSE(waiting.Admit());
  held.reset();
  EXPECT_TRUE(waiting.Admit());
  const grpc::Slice again = Take(waiting, 1200);
  EXPECT_TRUE(waiting.Admit()) << "the place is free again";
}

TEST_F(ResponseBudgetTest, APlaceBeyondIsGivenBackByAListThatEndsBelow) {
  {
    Maker first(&budget_);
    const grpc::Slice slice = Take(first, 1200);
    EXPECT_TRUE(first.Admit());
  }
  Maker second(&budget_);
  const grpc::Slice slice = Take(second, 1200);
  EXPECT_TRUE(second.Admit());
}

TEST_F(ResponseBudgetTest, LargeSlicesCanBeWrittenToTheirEnd) {
  Maker maker(&budget_);
  for (const size_t size : {size_t{1}, size_t{128 << 10}, size_t{256 << 10} + 1}) {
    char* bytes = nullptr;
    const grpc::Slice slice = maker.NewSlice(size, &bytes);
    std::fill_n(bytes, size, 'x');
    EXPECT_EQ(slice.end()[-1], 'x');
    EXPECT_EQ(budget_.held_bytes(), static_cast<int64_t>(size));
  }
}

TEST_F(ResponseBudgetTest, SlicesOutliveTheBudget) {
  std::optional<grpc::Slice> slice;
  {
    ResponseBudget budget(10);
    Maker maker(&budget);
    slice = Take(maker, 100);
  }
  slice.reset();
}

}  // namespace
}  // namespace kvorum::api
