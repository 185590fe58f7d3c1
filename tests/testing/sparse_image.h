#pragma once
// The contents of one file as pages that exist only once something other than a hole was written.
// Copies share pages until one of them writes, so that a 64 MiB preallocated segment costs what is
// in it, and keeping a synced image beside the current one costs what differs.
// Not thread-safe, nor are two images that share pages on two threads.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>

namespace kvorum {

class SparseImage {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  uint64_t size() const { return size_; }
  // Memory held by pages, shared ones included.
  uint64_t allocated_bytes() const { return pages_.size() * kPageBytes; }

  // Copies what lies in [offset, offset + out.size()) and before the end; how many bytes that were.
  size_t Read(uint64_t offset, std::span<char> out) const;
  // Overwrites, extending with zeros where needed.
  void Write(uint64_t offset, std::string_view bytes);
  // Cuts, or extends with zeros.
  void Resize(uint64_t size);
  // Replaces page number `page` by the one of `other`. The size stays.
  void SharePage(uint64_t page, const SparseImage& other);

 private:
  using Page = std::array<char, kPageBytes>;

  // Page number `page`, this image's own from now on.
  Page& WritablePage(uint64_t page);

  uint64_t size_ = 0;
  // Absent pages are zero; so is everything in a page beyond size_.
  std::map<uint64_t, std::shared_ptr<Page>> pages_;
};

}  // namespace kvorum
