#pragma once
// SHA-1, for the ids of members and clusters only: they are defined by it. Nothing here is secret.

#include <array>
#include <cstdint>
#include <string_view>

namespace kvorum {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest Sha1(std::string_view bytes);

// The first eight bytes of the digest as a big-endian number.
uint64_t Sha1Prefix64(std::string_view bytes);

}  // namespace kvorum
