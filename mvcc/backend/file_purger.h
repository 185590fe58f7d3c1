#pragma once
// FilePurger: finds files with many dead rows and has them rewritten.

#include <rocksdb/db.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "mvcc/backend/purge_filter.h"

namespace kvorum::mvcc {

// One thread. Both must outlive it.
class FilePurger {
 public:
  FilePurger(rocksdb::DB& db, const PurgeFilterFactory& filter) : db_(db), filter_(filter) {}

  // See Backend::PurgeOneFile.
  StatusOr<bool> PurgeOne(double dead_share);

 private:
  struct Candidate {
    std::vector<std::string> files;
    int output_level = 0;
    int64_t rows = 0;
    int64_t dead = 0;
  };
  StatusOr<Candidate> FindWorst(double dead_share, const RevisionSet& dead) const;

  rocksdb::DB& db_;
  const PurgeFilterFactory& filter_;
};

}  // namespace kvorum::mvcc
