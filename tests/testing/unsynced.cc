#include "tests/testing/unsynced.h"

#include <algorithm>

namespace kvorum {

void UnsyncedFile::Write(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  current_.Write(offset, bytes);
  const uint64_t last_page = (offset + bytes.size() - 1) / SparseImage::kPageBytes;
  for (uint64_t page = offset / SparseImage::kPageBytes; page <= last_page; ++page) {
    dirty_pages_.insert(page);
  }
  changes_.push_back({.offset = offset, .bytes = std::string(bytes)});
}

void UnsyncedFile::Resize(uint64_t size) {
  if (size == current_.size()) return;
  if (size < current_.size()) {
    shrunk_to_ = std::min(shrunk_to_, size);
    dirty_pages_.insert(size / SparseImage::kPageBytes);  // keeps its head, loses its tail
  }
  current_.Resize(size);
  changes_.push_back({.resized_to = size});
}

void UnsyncedFile::Sync() {
  if (shrunk_to_ < durable_.size()) durable_.Resize(shrunk_to_);
  for (const uint64_t page : dirty_pages_) durable_.SharePage(page, current_);
  durable_.Resize(current_.size());
  Forget();
}

void UnsyncedFile::FailSync() { Forget(); }

void UnsyncedFile::LosePower(Unsynced unsynced, Random* random) {
  switch (unsynced) {
    case Unsynced::kLost:
      break;
    case Unsynced::kPrefixKept:
      KeepPrefix(random);
      break;
    case Unsynced::kSectorsKept:
      KeepSectors(random);
      break;
  }
  current_ = durable_;
  Forget();
}

std::string UnsyncedFile::DurableContents() const {
  std::string bytes(durable_.size(), '\0');
  durable_.Read(0, std::span<char>(bytes.data(), bytes.size()));
  return bytes;
}

uint64_t UnsyncedFile::allocated_bytes() const {
  uint64_t bytes = std::max(current_.allocated_bytes(), durable_.allocated_bytes());
  for (const Change& change : changes_) bytes += change.bytes.size();
  return bytes;
}

void UnsyncedFile::Forget() {
  changes_.clear();
  dirty_pages_.clear();
  shrunk_to_ = UINT64_MAX;
}

void UnsyncedFile::KeepPrefix(Random* random) {
  const uint64_t whole = random->Uniform(changes_.size() + 1);
  for (uint64_t i = 0; i < whole; ++i) {
    const Change& change = changes_[i];
    if (change.resized_to.has_value()) {
      durable_.Resize(*change.resized_to);
    } else {
      durable_.Write(change.offset, change.bytes);
    }
  }
  if (whole == changes_.size() || changes_[whole].resized_to.has_value()) return;
  const Change& torn = changes_[whole];
  const std::string_view bytes = torn.bytes;
  durable_.Write(torn.offset, bytes.substr(0, random->Uniform(bytes.size() + 1)));
}

void UnsyncedFile::KeepSectors(Random* random) {
  for (const Change& change : changes_) {
    if (change.resized_to.has_value()) {
      if (random->Uniform(2) == 0) durable_.Resize(*change.resized_to);
      continue;
    }
    std::string_view bytes = change.bytes;
    for (uint64_t offset = change.offset; !bytes.empty();) {
      const size_t part = std::min<size_t>(bytes.size(), kSectorBytes - offset % kSectorBytes);
      if (random->Uniform(2) == 0) durable_.Write(offset, bytes.substr(0, part));
      bytes.remove_prefix(part);
      offset += part;
    }
  }
}

}  // namespace kvorum
