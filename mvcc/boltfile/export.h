#pragma once
// DatabaseExport: the state as etcd's database file, for whoever wants a snapshot: etcdctl, a
// follower that fell behind, a restore.
//
//   DatabaseExport database(store.NewLogicalIterator());
//   while (!*database.Plan()) {}                        // then bytes() and position() are known
//   while (!(piece = *database.Read(32 << 10)).empty()) Send(piece);
//
// The file is that of one moment, when the iterator was made: its rows, index, term and ConfState
// are of one commit, and logically dead rows are left out. All ten buckets are there. Writers do
// not wait for any of it; what the iterator pins takes disk space until the export is destroyed.
// For equal rows the file is equal.
//
// Every call does a bounded piece of work, so it can be given up between any two. Memory: a few
// times what Read was asked for and one row, and what the writer holds (writer.h).
//
// Errors: DataLoss when rows are missing or damaged, before the last byte was handed out;
// InvalidArgument when a row does not fit etcd's file (a key of more than 32,768 bytes). After an
// error the export must be given up. Threads: one at a time, any.
// Follows etcd server/storage/backend/backend.go (Snapshot).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "mvcc/backend/backend.h"
#include "mvcc/boltfile/writer.h"

namespace kvorum::mvcc::boltfile {

class DatabaseExport {
 public:
  // What one call of Plan may cover: some milliseconds.
  static constexpr int64_t kPlanRows = 4096;
  static constexpr int64_t kPlanBytes = 4 << 20;

  // `rows` as of Store::NewLogicalIterator, at its beginning.
  explicit DatabaseExport(std::unique_ptr<Iterator> rows);
  DatabaseExport(const DatabaseExport&) = delete;
  DatabaseExport& operator=(const DatabaseExport&) = delete;

  // A part of the sizing; true when it is done. REQUIRES: not done before.
  StatusOr<bool> Plan();

  // The rest REQUIRES that the planning is done.
  uint64_t bytes() const { return layout_->bytes(); }
  // Of the rows; the ConfState is there once a member's configuration ever changed. Index 0 for a
  // store without commits.
  const CommitPosition& position() const { return position_; }

  // The file's next bytes: `size` (above 0) of them, fewer at its end, none behind it.
  StatusOr<std::string> Read(size_t size);

  // What is held at present beside the iterator.
  size_t memory_bytes() const { return writer_->memory_bytes() + ready_.capacity(); }

 private:
  // Gives the next row, or the beginning of the next bucket, to the writer; false when there is
  // nothing left.
  StatusOr<bool> Step();
  Status NotePosition();
  Status BeginWriting();

  const std::unique_ptr<Iterator> rows_;
  std::unique_ptr<Writer> writer_;
  size_t buckets_ = 0;  // how many of kEtcdBuckets were started
  CommitPosition position_;
  std::optional<FileLayout> layout_;  // once sized
  bool writing_ = false;
  bool finished_ = false;
  std::string ready_;  // written, but not read yet from `taken_` on
  size_t taken_ = 0;
};

}  // namespace kvorum::mvcc::boltfile
