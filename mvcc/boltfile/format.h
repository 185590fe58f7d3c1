#pragma once
// The pieces of a bbolt file as they lie in it. Grammar and an example: format.md.
//
// Follows go.etcd.io/bbolt internal/common (page.go, meta.go, bucket.go).

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"  // asserts the byte order that Load and Store rely on

namespace kvorum::mvcc::boltfile {

// Times the page size: an offset in the file. Pages 0 and 1 are the two metas.
using PageId = uint64_t;
inline constexpr PageId kFirstDataPage = 2;
// In Meta::freelist: whoever opens the file finds the free pages by walking the trees.
inline constexpr PageId kNoFreelist = ~PageId{0};

enum PageFlags : uint16_t {
  kBranchPage = 0x01,
  kLeafPage = 0x02,
  kMetaPage = 0x04,
  kFreelistPage = 0x10,
};

struct PageHeader {
  uint64_t id = 0;
  uint16_t flags = 0;
  uint16_t count = 0;     // elements; ids in a freelist page
  uint32_t overflow = 0;  // pages that follow and belong to this one
};
inline constexpr size_t kPageHeaderBytes = 16;
static_assert(sizeof(PageHeader) == kPageHeaderBytes);

// `pos` counts from the beginning of the element itself; the value follows the key.
struct LeafElement {
  uint32_t flags = 0;
  uint32_t pos = 0;
  uint32_t key_bytes = 0;
  uint32_t value_bytes = 0;
};
struct BranchElement {
  uint32_t pos = 0;
  uint32_t key_bytes = 0;
  uint64_t child = 0;
};
inline constexpr size_t kElementBytes = 16;
static_assert(sizeof(LeafElement) == kElementBytes && sizeof(BranchElement) == kElementBytes);

// LeafElement::flags: the value is a bucket.
inline constexpr uint32_t kBucketElement = 0x01;

// A bucket's value. With root 0 the bucket is inline: a leaf node, header and all, follows.
struct BucketHeader {
  uint64_t root = 0;
  uint64_t sequence = 0;
};
inline constexpr size_t kBucketHeaderBytes = 16;
static_assert(sizeof(BucketHeader) == kBucketHeaderBytes);

inline constexpr size_t kPageBytesMin = 1 << 10;
inline constexpr size_t kPageBytesMax = 16 << 20;
// bbolt's limit.
inline constexpr size_t kKeyBytesMax = 32768;
// Ours, for what one row may take in memory; bbolt's is 2 GiB, a request is far smaller.
inline constexpr size_t kValueBytesMax = size_t{1} << 30;

// A piece at the front of `bytes`, which must be as long.
template <typename T>
T Load(std::string_view bytes) {
  T piece;
  std::memcpy(&piece, bytes.data(), sizeof(piece));
  return piece;
}
template <typename T>
void Append(std::string* out, const T& piece) {
  out->append(reinterpret_cast<const char*>(&piece), sizeof(piece));
}

}  // namespace kvorum::mvcc::boltfile
