#pragma once
// Any bytes, taken for a bolt file: read and checked, with what must hold whatever they are.

#include <algorithm>
#include <string>

#include "base/check.h"
#include "mvcc/boltfile/checker.h"
#include "tests/mvcc/boltfile/bolt_image.h"

namespace kvorum::mvcc::boltfile {

// All rows of a bucket. They ascend, and no byte comes twice: else a small file could stand for an
// endless one.
inline Status ReadBucket(const Reader& reader, const BucketInfo& info, size_t image_bytes) {
  size_t bytes = 0;
  std::string last;
  Cursor row = reader.NewCursor(info);
  for (row.SeekToFirst(); row.Valid(); row.Next()) {
    CHECK(row.key() > last);
    last = row.key();
    bytes += row.key().size() + row.value().size();
    CHECK_LE(bytes, image_bytes);
  }
  return row.status();
}

inline Status ReadBuckets(std::string_view image) {
  StringFile file(image);
  ASSIGN_OR_RETURN(const Reader reader, Reader::Open(file));
  for (const BucketInfo& info : reader.buckets()) {
    RETURN_IF_ERROR(ReadBucket(reader, info, image.size()));
  }
  // No read is longer than what there is, the first look for a meta or a node aside.
  CHECK_LE(file.longest_read(), std::max(image.size(), kPageBytes));
  return absl::OkStatus();
}

// What the checker says of the image; the process ends if the reader is not in order.
inline Status UseImage(std::string_view image) {
  StringFile file(image);
  const Status checked = Check(file).status();
  const Status read = ReadBuckets(image);
  CHECK(checked.ok() || absl::IsDataLoss(checked)) << checked;
  CHECK(read.ok() || absl::IsDataLoss(read)) << read;
  CHECK(read.ok() || !checked.ok()) << read;
  return checked;
}

}  // namespace kvorum::mvcc::boltfile
