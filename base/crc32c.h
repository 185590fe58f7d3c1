#pragma once
// CRC-32C (Castagnoli), chained as Go's crc32.Update chains it: Crc32c(Crc32c(0, a), b) ==
// Crc32c(0, a + b), and Crc32c(0, "") == 0. Uses the SSE4.2 or ARMv8 instruction where present.

#include <cstdint>
#include <string_view>

namespace kvorum {

uint32_t Crc32c(uint32_t previous, std::string_view bytes);

// The same without special instructions, twenty times slower: what Crc32c falls back to, and what
// the tests compare it with.
uint32_t Crc32cPortable(uint32_t previous, std::string_view bytes);

}  // namespace kvorum
