#pragma once
// gtest assertions over Status and StatusOr that print the status when they fail.

#include <gtest/gtest.h>

#include "base/status.h"

namespace kvorum::testing_internal {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const StatusOr<T>& status_or) {
  return status_or.status();
}

template <typename T>
::testing::AssertionResult IsOk(const char* expression, const T& result) {
  if (result.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << expression << ": " << StatusOf(result).ToString();
}

template <typename T>
::testing::AssertionResult HasCode(const char* code_text, const char* expression,
                                   absl::StatusCode code, const T& result) {
  if (StatusOf(result).code() == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << expression << ": " << StatusOf(result).ToString() << ", wanted " << code_text;
}

}  // namespace kvorum::testing_internal

#define EXPECT_OK(expr) EXPECT_PRED_FORMAT1(::kvorum::testing_internal::IsOk, expr)
#define ASSERT_OK(expr) ASSERT_PRED_FORMAT1(::kvorum::testing_internal::IsOk, expr)
// EXPECT_CODE(kNotFound, env.Stat("x"));
#define EXPECT_CODE(code, expr) \
  EXPECT_PRED_FORMAT2(::kvorum::testing_internal::HasCode, ::absl::StatusCode::code, expr)

// ASSERT_OK_AND_ASSIGN(auto file, env.Open(...)): the value, or the test function ends here.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  KVORUM_ASSERT_OK_AND_ASSIGN_IMPL(KVORUM_CONCAT(kvorum_test_statusor_, __LINE__), lhs, expr)
#define KVORUM_ASSERT_OK_AND_ASSIGN_IMPL(tmp, lhs, expr)             \
  auto tmp = (expr);                                                 \
  ASSERT_TRUE(tmp.ok()) << #expr << ": " << tmp.status().ToString(); \
  lhs = std::move(tmp).value()
