#pragma once
// FilePurger: finds files with many dead rows and has them rewritten.

#include <rocksdb/db.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/backend/backend.h"
#include "mvcc/backend/purge_filter.h"

namespace kvorum::mvcc {

// One thread. All must outlive it.
class FilePurger {
 public:
  FilePurger(rocksdb::DB& db, const PurgeFilterFactory& filter, Env& env, std::string directory)
      : db_(db), filter_(filter), env_(env), directory_(std::move(directory)) {}

  // See Backend::PurgeOneFile.
  StatusOr<PurgeResult> PurgeOne(double dead_share);

 private:
  struct Candidate {
    std::vector<std::string> files;
    int output_level = 0;
    uint64_t bytes = 0;
    int64_t rows = 0;
    int64_t dead = 0;
    bool busy = false;  // one of them is being rewritten

    double share() const {
      return rows == 0 ? 0.0 : static_cast<double>(dead) / static_cast<double>(rows);
    }
  };
  // Brings histories_ up to `files`. False if one of these is gone already.
  StatusOr<bool> ReadHistories(const std::vector<rocksdb::LiveFileMetaData>& files);
  // All candidates, one for level 0.
  std::vector<Candidate> Weigh(const std::vector<rocksdb::LiveFileMetaData>& files,
                               const RevisionSet& dead) const;
  Status CheckRoom(const Candidate& candidate) const;

  rocksdb::DB& db_;
  const PurgeFilterFactory& filter_;
  Env& env_;
  const std::string directory_;
  // Of the files there are, by name; nothing for one without rows of the history.
  std::map<std::string, std::optional<FileHistory>> histories_;
};

}  // namespace kvorum::mvcc
