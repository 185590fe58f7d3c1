#pragma once
// Sizes for people, as humanize.Bytes of Go writes them: "0 B", "999 B", "1.0 kB", "2.1 GB".

#include <cstdint>
#include <string>

namespace kvorum {

// Powers of 1,000; one decimal below ten of a unit.
std::string HumanBytes(uint64_t bytes);

}  // namespace kvorum
