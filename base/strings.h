#pragma once
// absl::StrCat and StrAppend for std::string_view. Debian builds Abseil as C++14, so there
// absl::string_view is a type of its own that neither converts from std::string_view nor to it.

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace kvorum {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
// Also for Status::message().
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

namespace strings_internal {
template <typename T>
decltype(auto) Piece(const T& piece) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return ToAbsl(piece);
  } else {
    return piece;
  }
}
}  // namespace strings_internal

// The pieces one after the other: strings, numbers, absl::Hex(n), absl::Dec(n, absl::kZeroPad6).
template <typename... Pieces>
[[nodiscard]] std::string StrCat(const Pieces&... pieces) {
  return absl::StrCat(strings_internal::Piece(pieces)...);
}
template <typename... Pieces>
void StrAppend(std::string* out, const Pieces&... pieces) {
  absl::StrAppend(out, strings_internal::Piece(pieces)...);
}

}  // namespace kvorum
