#include "tests/testing/sparse_image.h"

#include <algorithm>
#include <cstring>

namespace kvorum {
namespace {

// Calls step(page, begin in page, offset in the whole, length) for each page that
// [offset, offset + length) touches.
template <typename Step>
void ForEachPage(uint64_t offset, uint64_t length, Step step) {
  for (uint64_t done = 0; done < length;) {
    const uint64_t begin = (offset + done) % SparseImage::kPageBytes;
    const uint64_t part = std::min(length - done, SparseImage::kPageBytes - begin);
    step((offset + done) / SparseImage::kPageBytes, begin, done, part);
    done += part;
  }
}

}  // namespace

size_t SparseImage::Read(uint64_t offset, std::span<char> out) const {
  if (offset >= size_) return 0;
  const uint64_t length = std::min<uint64_t>(out.size(), size_ - offset);
  ForEachPage(offset, length, [&](uint64_t page, uint64_t begin, uint64_t done, uint64_t part) {
    const auto it = pages_.find(page);
    if (it == pages_.end()) {
      std::memset(out.data() + done, 0, part);
    } else {
      std::memcpy(out.data() + done, it->second->data() + begin, part);
    }
  });
  return length;
}

void SparseImage::Write(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  size_ = std::max<uint64_t>(size_, offset + bytes.size());
  ForEachPage(offset, bytes.size(),
              [&](uint64_t page, uint64_t begin, uint64_t done, uint64_t part) {
                std::memcpy(WritablePage(page).data() + begin, bytes.data() + done, part);
              });
}

void SparseImage::Resize(uint64_t size) {
  if (size < size_) {
    pages_.erase(pages_.lower_bound((size + kPageBytes - 1) / kPageBytes), pages_.end());
    const uint64_t kept = size % kPageBytes;
    if (kept != 0 && pages_.contains(size / kPageBytes)) {
      Page& last = WritablePage(size / kPageBytes);
      std::fill(last.begin() + kept, last.end(), '\0');
    }
  }
  size_ = size;
}

void SparseImage::SharePage(uint64_t page, const SparseImage& other) {
  const auto it = other.pages_.find(page);
  if (it == other.pages_.end()) {
    pages_.erase(page);
  } else {
    pages_[page] = it->second;
  }
}

SparseImage::Page& SparseImage::WritablePage(uint64_t page) {
  std::shared_ptr<Page>& slot = pages_[page];
  if (slot == nullptr) {
    slot = std::make_shared<Page>(Page{});
  } else if (slot.use_count() > 1) {
    slot = std::make_shared<Page>(*slot);
  }
  return *slot;
}

}  // namespace kvorum
