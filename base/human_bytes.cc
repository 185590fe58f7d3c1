#include "base/human_bytes.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/strings.h"

namespace kvorum {

std::string HumanBytes(uint64_t bytes) {
  static constexpr std::array<const char*, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 10) return StrCat(bytes, " B");
  size_t unit = 0;
  double scale = 1;
  while (static_cast<double>(bytes) >= scale * 1000 && unit + 1 < kUnits.size()) {
    scale *= 1000;
    ++unit;
  }
  const double value = std::floor(static_cast<double>(bytes) / scale * 10 + 0.5) / 10;
  char text[32];
  std::snprintf(text, sizeof(text), value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return text;
}

}  // namespace kvorum
