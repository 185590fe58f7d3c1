#include "mvcc/backend/file_purger.h"

#include <algorithm>
#include <map>

#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

int64_t DeadRows(const FileHistory& history, const RevisionSet& dead) {
  const int64_t known = dead.CountBetween(history.first_main, history.last_main);
  const int64_t left_out = history.generation == dead.generation() ? history.left_out : 0;
  return std::clamp(known - left_out, int64_t{0}, history.rows);
}

}  // namespace

StatusOr<FilePurger::Candidate> FilePurger::FindWorst(double dead_share,
                                                      const RevisionSet& dead) const {
  rocksdb::TablePropertiesCollection all;
  RETURN_IF_ERROR(FromRocksDb(db_.GetPropertiesOfAllTables(&all)));
  std::map<std::string, FileHistory> histories;
  for (const auto& [path, properties] : all) {
    if (const auto history = ReadFileHistory(*properties)) histories[BaseName(path)] = *history;
  }
  std::vector<rocksdb::LiveFileMetaData> files;
  db_.GetLiveFilesMetaData(&files);

  Candidate young{.output_level = 1};  // files of level 0 overlap: only together
  Candidate worst;
  const auto share = [](const Candidate& c) {
    return c.rows == 0 ? 0.0 : static_cast<double>(c.dead) / static_cast<double>(c.rows);
  };
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.being_compacted) continue;
    const std::string name = BaseName(file.name);
    const auto history = histories.find(name);
    if (history == histories.end()) continue;
    Candidate one{.files = {name},
                  .output_level = file.level,
                  .rows = history->second.rows,
                  .dead = DeadRows(history->second, dead)};
    if (file.level == 0) {
      young.files.push_back(name);
      young.rows += one.rows;
      young.dead += one.dead;
    } else if (share(one) > share(worst)) {
      worst = std::move(one);
    }
  }
  if (share(young) > share(worst)) worst = std::move(young);
  if (worst.dead == 0 || share(worst) < dead_share) worst.files.clear();
  return worst;
}

StatusOr<bool> FilePurger::PurgeOne(double dead_share) {
  const std::shared_ptr<const RevisionSet> dead = filter_.Get();
  if (dead == nullptr || dead->empty()) return false;
  ASSIGN_OR_RETURN(const Candidate candidate, FindWorst(dead_share, *dead));
  if (candidate.files.empty()) return false;
  const rocksdb::Status status =
      db_.CompactFiles(rocksdb::CompactionOptions(), candidate.files, candidate.output_level);
  // Someone else is rewriting it or has done so, with the same filter.
  if (status.IsAborted() || status.IsInvalidArgument()) return false;
  RETURN_IF_ERROR(FromRocksDb(status), "purging state store");
  return true;
}

}  // namespace kvorum::mvcc
