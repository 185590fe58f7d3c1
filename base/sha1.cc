#include "base/sha1.h"

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"

namespace kvorum {

Sha1Digest Sha1(std::string_view bytes) {
  Sha1Digest digest;
  unsigned length = 0;
  CHECK_EQ(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr), 1);
  CHECK_EQ(length, digest.size());
  return digest;
}

uint64_t Sha1Prefix64(std::string_view bytes) {
  const Sha1Digest digest = Sha1(bytes);
  return ReadBigEndian64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace kvorum
