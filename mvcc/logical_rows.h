#pragma once
// LogicalRows: all rows of etcd's buckets but those that compaction made superfluous and the purge
// has not reached yet; counted.

#include <memory>
#include <optional>
#include <string>

#include "mvcc/backend/backend.h"
#include "mvcc/revision_set.h"

namespace kvorum::mvcc {

class LogicalRows : public Iterator {
 public:
  // `rows` is a Backend::NewFullIterator, `dead` the dead set of the same moment. `settled`: the
  // last compaction, if nothing of it or a later one is under way.
  LogicalRows(std::unique_ptr<Iterator> rows, std::shared_ptr<const RevisionSet> dead,
              std::optional<Revision> settled);

  bool Valid() const override { return rows_->Valid() && rows_->bucket() != Bucket::kLocal; }
  void Next() override;
  // Gives up counting; with "" all rows come once more, and are counted.
  void Seek(std::string_view key) override;
  Bucket bucket() const override { return rows_->bucket(); }
  std::string_view key() const override { return rows_->key(); }
  std::string_view value() const override { return rows_->value(); }
  // After the end DataLoss if there were not as many rows as the commit had that the rows are of: a
  // scan of this RocksDB can end early without an error.
  Status status() const override { return status_.ok() ? rows_->status() : status_; }

 private:
  void SkipDead();
  void Note();
  void CheckCount();
  bool Compacting() const;

  const std::unique_ptr<Iterator> rows_;
  const std::shared_ptr<const RevisionSet> dead_;
  const std::optional<Revision> settled_;
  bool counting_ = true;
  int64_t key_rows_ = 0;
  int64_t skipped_rows_ = 0;
  std::string scheduled_;
  std::string finished_;
  Status status_;
};

}  // namespace kvorum::mvcc
