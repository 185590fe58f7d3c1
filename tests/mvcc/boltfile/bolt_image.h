#pragma once
// Bolt files in memory: made from rows, read back to rows, and looked at as a File.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "mvcc/boltfile/reader.h"
#include "mvcc/boltfile/writer.h"

namespace kvorum::mvcc::boltfile {

using Rows = std::map<std::string, std::string>;
using Buckets = std::map<std::string, Rows>;

// A file that is only read. Notes the largest read.
class StringFile : public File {
 public:
  explicit StringFile(std::string_view bytes) : bytes_(bytes) {}

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) override {
    longest_read_ = std::max(longest_read_, out.size());
    if (offset >= bytes_.size()) return size_t{0};
    return bytes_.copy(out.data(), out.size(), offset);
  }
  StatusOr<uint64_t> Size() override { return uint64_t{bytes_.size()}; }
  Status WriteAt(uint64_t, std::string_view) override { return ReadOnly(); }
  Status WriteAt(uint64_t, std::span<const std::string_view>) override { return ReadOnly(); }
  Status Truncate(uint64_t) override { return ReadOnly(); }
  Status Preallocate(uint64_t) override { return ReadOnly(); }
  Status SyncData() override { return ReadOnly(); }
  Status Sync() override { return ReadOnly(); }
  Status TryLock() override { return ReadOnly(); }
  Status Unlock() override { return ReadOnly(); }
  Status Close() override { return absl::OkStatus(); }

  size_t longest_read() const { return longest_read_; }

 private:
  static Status ReadOnly() { return absl::UnimplementedError("read only"); }

  const std::string_view bytes_;
  size_t longest_read_ = 0;
};

inline Status Feed(const Buckets& buckets, Writer* writer) {
  for (const auto& [name, rows] : buckets) {
    RETURN_IF_ERROR(writer->StartBucket(name));
    for (const auto& [key, value] : rows) RETURN_IF_ERROR(writer->Add(key, value));
  }
  return absl::OkStatus();
}

inline StatusOr<FileLayout> Size(const Buckets& buckets) {
  Writer writer;
  RETURN_IF_ERROR(Feed(buckets, &writer));
  return writer.Finish();
}

inline StatusOr<std::string> WriteImage(const Buckets& buckets) {
  ASSIGN_OR_RETURN(const FileLayout layout, Size(buckets));
  std::string image;
  Writer writer(layout, [&image](std::string_view bytes) {
    image.append(bytes);
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(Feed(buckets, &writer));
  RETURN_IF_ERROR(writer.Finish().status());
  if (image.size() != layout.bytes()) return absl::InternalError("not as long as announced");
  return image;
}

inline StatusOr<Buckets> ReadImage(File& file) {
  ASSIGN_OR_RETURN(const Reader reader, Reader::Open(file));
  Buckets buckets;
  for (const BucketInfo& info : reader.buckets()) {
    Rows& rows = buckets[info.name];
    Cursor row = reader.NewCursor(info);
    for (row.SeekToFirst(); row.Valid(); row.Next()) {
      rows.emplace_hint(rows.end(), row.key(), row.value());
    }
    RETURN_IF_ERROR(row.status());
  }
  return buckets;
}

inline StatusOr<Buckets> ReadImage(std::string_view image) {
  StringFile file(image);
  return ReadImage(file);
}

// "k000042": as many keys as wanted, in order.
inline std::string NumberedKey(size_t n) {
  std::string digits = std::to_string(n);
  return "k" + std::string(6 - std::min<size_t>(6, digits.size()), '0') + digits;
}

inline Rows NumberedRows(size_t n, std::string_view value) {
  Rows rows;
  for (size_t i = 0; i < n; ++i) rows.emplace_hint(rows.end(), NumberedKey(i), value);
  return rows;
}

// Overwrites a piece of the image.
template <typename T>
void Patch(std::string* image, size_t offset, const T& piece) {
  std::memcpy(image->data() + offset, &piece, sizeof(piece));
}

}  // namespace kvorum::mvcc::boltfile
