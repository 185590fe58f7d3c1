#pragma once
// Reader: what is in a bbolt file, bucket by bucket, without believing it.
//
// For etcd's `snap/db`, snapshots saved by etcdctl, and databases that a leader sends. Top-level
// buckets of plain rows are all there may be, as in every file of etcd's; a bucket in a bucket or a
// row beside the buckets is refused. Free pages and whatever follows the last page are ignored, so
// a snapshot with its trailing SHA-256 can be read as it is, and so can the file of a server that
// was killed.
//
// Everything wrong is DataLoss with a text that says where; an error of the disk is passed on. No
// file makes a reader crash, go on for ever, or hold more than kBucketsMax names and, for each
// cursor, one row and a few nodes of its tree (tree_cursor.h). Checked on the way: what the rows
// read depend on, no more; checker.h looks at everything.
//
// Threads: any number of cursors may be used at once, each by one thread.
// Follows go.etcd.io/bbolt (db.go, bucket.go, cursor.go).

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/boltfile/meta.h"
#include "mvcc/boltfile/tree_cursor.h"

namespace kvorum::mvcc::boltfile {

struct BucketInfo {
  std::string name;
  TreeRoot root;
};

// The rows of one bucket in key order.
//
//   for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) Use(cursor.key(), cursor.value());
//   RETURN_IF_ERROR(cursor.status());
class Cursor {
 public:
  void SeekToFirst();
  // False behind the last row and after an error.
  bool Valid() const { return status_.ok() && tree_ && tree_->Valid(); }
  void Next();
  // REQUIRES: Valid(). The views live until Next.
  std::string_view key() const { return tree_->row().key; }
  std::string_view value() const { return tree_->row().value; }
  const Status& status() const { return status_; }

  // What is held at present.
  size_t memory_bytes() const { return tree_ ? tree_->memory_bytes() : 0; }

 private:
  friend class Reader;
  Cursor(File& file, const Meta& meta, BucketInfo bucket, PageObserver observer)
      : file_(file), meta_(meta), bucket_(std::move(bucket)), observer_(std::move(observer)) {}
  void Set(const Status& status);
  void CheckRow();

  File& file_;
  const Meta meta_;
  const BucketInfo bucket_;
  const PageObserver observer_;
  std::optional<TreeCursor> tree_;
  Status status_;
};

class Reader {
 public:
  static constexpr size_t kBucketsMax = 1024;

  // Reads the metas and the names of the buckets. `file` must outlive the reader and its cursors
  // and not be changed. `observer` is told of each page of the tree of buckets.
  static StatusOr<Reader> Open(File& file, const PageObserver& observer = {});

  const Meta& meta() const { return meta_; }
  // In order of their names.
  const std::vector<BucketInfo>& buckets() const { return buckets_; }
  // Null when there is none of that name.
  const BucketInfo* FindBucket(std::string_view name) const;
  // Not positioned yet.
  Cursor NewCursor(const BucketInfo& bucket, PageObserver observer = {}) const {
    return Cursor(*file_, meta_, bucket, std::move(observer));
  }

 private:
  Reader(File& file, const Meta& meta) : file_(&file), meta_(meta) {}
  Status AddBucket(const LeafRow& row);

  File* file_;
  Meta meta_;
  std::vector<BucketInfo> buckets_;
};

}  // namespace kvorum::mvcc::boltfile
