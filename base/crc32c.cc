#include "base/crc32c.h"

#include <cstring>

#include <boost/crc.hpp>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace kvorum {
namespace {

uint32_t ReverseBits(uint32_t v) {
  uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i, v >>= 1) reversed = (reversed << 1) | (v & 1);
  return reversed;
}

// Eight bytes a step, then the rest singly. The instruction leaves out the inversion before and
// after that the checksum's definition asks for.
#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t Crc32cHardware(uint32_t previous,
                                                          std::string_view bytes) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  uint64_t crc = ~previous;
  for (; left >= sizeof(uint64_t); p += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    crc = _mm_crc32_u64(crc, word);
  }
  auto crc32 = static_cast<uint32_t>(crc);
  for (; left > 0; ++p, --left) crc32 = _mm_crc32_u8(crc32, static_cast<uint8_t>(*p));
  return ~crc32;
}

bool HaveHardware() { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__)
__attribute__((target("+crc"))) uint32_t Crc32cHardware(uint32_t previous, std::string_view bytes) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  uint32_t crc = ~previous;
  for (; left >= sizeof(uint64_t); p += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    crc = __crc32cd(crc, word);
  }
  for (; left > 0; ++p, --left) crc = __crc32cb(crc, static_cast<uint8_t>(*p));
  return ~crc;
}

bool HaveHardware() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

#else
uint32_t Crc32cHardware(uint32_t previous, std::string_view bytes) {
  return Crc32cPortable(previous, bytes);
}

bool HaveHardware() { return false; }
#endif

}  // namespace

uint32_t Crc32c(uint32_t previous, std::string_view bytes) {
  static const bool have_hardware = HaveHardware();
  return have_hardware ? Crc32cHardware(previous, bytes) : Crc32cPortable(previous, bytes);
}

uint32_t Crc32cPortable(uint32_t previous, std::string_view bytes) {
  // Boost keeps the register unreflected when it is handed an initial remainder, hence the
  // reversal; plain ~previous would give a wrong sum for every previous that is not a bit
  // palindrome.
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc(
      ReverseBits(~previous));
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

}  // namespace kvorum
