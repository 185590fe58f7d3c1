#pragma once
// Expected failures travel as absl::Status / absl::StatusOr and are handed on by these macros.
// Broken invariants are CHECKs (base/check.h); client-visible errors are enums of their module.

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string_view>
#include <utility>

namespace kvorum {

using absl::Status;
using absl::StatusOr;

// `status` with "context: " put before its text; code and payloads stay. OK stays OK.
Status WithContext(const Status& status, std::string_view context);

}  // namespace kvorum

#define KVORUM_CONCAT_INNER(a, b) a##b
#define KVORUM_CONCAT(a, b) KVORUM_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr) or RETURN_IF_ERROR(expr, "opening segment"): leaves the function with the
// status of `expr` unless it is OK.
#define RETURN_IF_ERROR(expr, ...)                                                        \
  do {                                                                                    \
    ::absl::Status kvorum_status_ = (expr);                                               \
    if (!kvorum_status_.ok()) {                                                           \
      return ::kvorum::status_internal::Annotate(std::move(kvorum_status_) __VA_OPT__(, ) \
                                                     __VA_ARGS__);                        \
    }                                                                                     \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): x gets the value of a StatusOr, or the function returns its
// status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  KVORUM_ASSIGN_OR_RETURN_IMPL(KVORUM_CONCAT(kvorum_statusor_, __LINE__), lhs, expr)
#define KVORUM_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return std::move(tmp).status();     \
  lhs = std::move(tmp).value()

namespace kvorum::status_internal {
inline Status Annotate(Status status) { return status; }
inline Status Annotate(const Status& status, std::string_view context) {
  return WithContext(status, context);
}
}  // namespace kvorum::status_internal
