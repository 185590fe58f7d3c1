#pragma once
// Writer: a bbolt file from rows in order, in one stream and little memory.
//
// The metas come first in the file and know where it ends, so the rows are gone through twice: once
// to size the file, once to write it. Where a page lies depends on the lengths of keys and values
// alone, and both passes must bring equal ones:
//
//   Writer sizing;
//   ... sizing.StartBucket(...), sizing.Add(...) for all rows ...
//   const FileLayout layout = *sizing.Finish();
//   Announce(layout.bytes());
//   Writer writer(layout, sink);
//   ... the same rows ...
//   RETURN_IF_ERROR(writer.Finish().status());
//
// The file is as bbolt would have it after a compaction: nodes full, small buckets inline, no free
// page, an empty freelist (so that bbolt need not walk the trees to open it). It is the same for
// the same rows. Memory: what is open of two trees (tree_writer.h) and a page; a row larger than
// that goes to the sink as it is.
//
// Errors: InvalidArgument for rows that bbolt could not hold (an empty or too long key or name, too
// long a value, wrong order); Internal when the passes differ, with not more bytes written than
// announced; the sink's. After an error the writer must not be used. Threads: one.
// Follows go.etcd.io/bbolt (tx.go, bucket.go), `etcdutl defrag`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "mvcc/boltfile/page_output.h"
#include "mvcc/boltfile/tree_writer.h"

namespace kvorum::mvcc::boltfile {

struct FileLayout {
  uint64_t pages = 0;
  PageId root = 0;

  uint64_t bytes() const { return pages * kPageBytes; }
  friend bool operator==(const FileLayout&, const FileLayout&) = default;
};

class Writer {
 public:
  // Sizes.
  Writer();
  // Writes.
  Writer(const FileLayout& layout, Sink sink);

  // Ends the bucket before; names ascend.
  Status StartBucket(std::string_view name);
  // A row of the bucket. REQUIRES: StartBucket.
  Status Add(std::string_view key, std::string_view value);
  StatusOr<FileLayout> Finish();

  // What is held at present, the buffer of a page aside.
  size_t memory_bytes() const;

 private:
  Status WriteHead();
  Status FinishBucket();

  const std::optional<FileLayout> layout_;
  PageOutput output_;
  TreeWriter root_;  // the tree of buckets
  std::string bucket_name_;
  std::optional<TreeWriter> bucket_;
};

}  // namespace kvorum::mvcc::boltfile
