#include "mvcc/key_index.h"

#include <algorithm>

#include "base/check.h"
#include "mvcc/backend/schema.h"

namespace kvorum::mvcc {

void KeyIndex::Put(const IndexPut& put) {
  CHECK(empty() || modified() < put.revision) << "key " << key_ << " at " << put.revision;
  if (entries_.empty()) {
    first_created_ = put.created;
    first_version_ = put.version;
  }
  last_created_ = put.created;
  last_version_ = put.version;
  lease_ = put.lease;
  entries_.push_back({.main = put.revision.main.value(),
                      .sub = static_cast<uint32_t>(put.revision.sub),
                      .tombstone = 0,
                      .row_bytes = put.row_bytes});
}

void KeyIndex::Tombstone(const RowRevision& revision) {
  CHECK(empty() || modified() < revision) << "key " << key_ << " at " << revision;
  lease_ = LeaseId(0);
  entries_.push_back({.main = revision.main.value(),
                      .sub = static_cast<uint32_t>(revision.sub),
                      .tombstone = 1,
                      .row_bytes = 0});
}

size_t KeyIndex::CountUpTo(Revision at) const {
  if (entries_.empty() || entries_.back().main <= at.value()) return entries_.size();
  return std::upper_bound(entries_.begin(), entries_.end(), at.value(),
                          [](int64_t main, const Entry& e) { return main < e.main; }) -
         entries_.begin();
}

// REQUIRES: entry i is a put.
KeyMeta KeyIndex::MetaOf(size_t i) const {
  KeyMeta meta{.modified = entries_[i].revision()};
  size_t first = i;
  while (first > 0 && !entries_[first - 1].tombstone) --first;
  const auto position = static_cast<int64_t>(i - first);
  if (first == 0) {
    meta.created = first_created_;
    meta.version = first_version_ + position;
  } else {
    meta.created = Revision(entries_[first].main);
    meta.version = position + 1;
  }
  return meta;
}

std::optional<KeyMeta> KeyIndex::Find(Revision at) const {
  const size_t n = CountUpTo(at);
  if (n == 0 || entries_[n - 1].tombstone) return std::nullopt;
  if (n == entries_.size()) return Latest();
  return MetaOf(n - 1);
}

std::optional<KeyMeta> KeyIndex::Latest() const {
  if (!live()) return std::nullopt;
  return KeyMeta{
      .modified = modified(), .created = last_created_, .version = last_version_, .lease = lease_};
}

size_t KeyIndex::CountDropped(Revision at) const {
  const size_t n = CountUpTo(at);
  if (n == 0) return 0;
  // A tombstone exactly at `at` ends a generation that is not dropped.
  size_t kept = n - 1;
  for (size_t i = n; i > 0 && entries_[i - 1].main == at.value(); --i) {
    if (entries_[i - 1].tombstone) kept = i - 1;
  }
  // An earlier one, and its generation, are.
  return entries_[kept].tombstone && entries_[kept].main < at.value() ? n : kept;
}

KeyIndex::Entries KeyIndex::DropOldest(size_t n) {
  Entries unneeded;
  if (n == 0) return unneeded;
  if (n < entries_.size() && !entries_[n].tombstone) {
    const KeyMeta meta = MetaOf(n);
    first_created_ = meta.created;
    first_version_ = meta.version;
  }
  const auto rest = entries_.begin() + static_cast<std::ptrdiff_t>(n);
  if (entries_.capacity() > 8 && (entries_.size() - n) * 4 < entries_.capacity()) {
    unneeded = Entries(rest, entries_.end());
    entries_.swap(unneeded);
  } else {
    entries_.erase(entries_.begin(), rest);
  }
  return unneeded;
}

void KeyIndex::Compact(Revision at, const Dropped& dropped) {
  const size_t n = CountDropped(at);
  for (size_t i = 0; i < n; ++i) dropped(entries_[i]);
  DropOldest(n);
}

void KeyIndex::DropAll(const Dropped& dropped) {
  for (const Entry& entry : entries_) dropped(entry);
  entries_.clear();
}

int64_t KeyIndex::RowBytes(const Entry& entry) const {
  if (!entry.tombstone) return LogicalRowBytes(kRowKeyBytes, entry.row_bytes);
  // A KeyValue with only a key: tag, length as a varint, key.
  size_t length_bytes = 1;
  for (size_t n = key_.size(); n >= 0x80; n >>= 7) ++length_bytes;
  return LogicalRowBytes(kTombstoneRowKeyBytes, 1 + length_bytes + key_.size());
}

std::optional<RowRevision> KeyIndex::KeptForHash(Revision at) const {
  const size_t keep = CountDropped(at);
  if (keep == entries_.size() || entries_[keep].main > at.value()) return std::nullopt;
  if (entries_[keep].tombstone) return std::nullopt;
  return entries_[keep].revision();
}

}  // namespace kvorum::mvcc
