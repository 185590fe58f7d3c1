#pragma once
// SHA-256 of bytes that come in pieces, for checksums that etcd's formats ask for.
//
//   Sha256 sum;
//   for (piece) sum.Update(piece);
//   const std::string digest = sum.Finish();  // kSize bytes
//
// Threads: one at a time, any.

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace kvorum {

class Sha256 {
 public:
  static constexpr size_t kSize = 32;

  Sha256();

  void Update(std::string_view bytes);
  // Of everything so far, as raw bytes. Once, and last.
  std::string Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace kvorum
