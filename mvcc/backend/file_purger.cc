#include "mvcc/backend/file_purger.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

// Files of level 0 overlap and are rewritten together, the oldest first, up to about this much.
constexpr uint64_t kYoungBytes = 32 << 20;
// What is left to the raft log and to flushes while a file is copied.
constexpr uint64_t kReserveBytes = 16 << 20;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

int64_t DeadRows(const FileHistory& history, const RevisionSet& dead) {
  const int64_t known = dead.CountBetween(history.first_main, history.last_main);
  const int64_t left_out = history.generation == dead.generation() ? history.left_out : 0;
  return std::clamp(known - left_out, int64_t{0}, history.rows);
}

}  // namespace

StatusOr<bool> FilePurger::ReadHistories(const std::vector<rocksdb::LiveFileMetaData>& files) {
  const auto known = [this](const rocksdb::LiveFileMetaData& file) {
    return histories_.contains(BaseName(file.name));
  };
  if (!std::all_of(files.begin(), files.end(), known)) {
    rocksdb::TablePropertiesCollection all;
    RETURN_IF_ERROR(FromRocksDb(db_.GetPropertiesOfAllTables(&all)));
    histories_.clear();
    for (const auto& [path, properties] : all) {
      histories_.emplace(BaseName(path), ReadFileHistory(*properties));
    }
  }
  return std::all_of(files.begin(), files.end(), known);
}

std::vector<FilePurger::Candidate> FilePurger::Weigh(
    const std::vector<rocksdb::LiveFileMetaData>& files, const RevisionSet& dead) const {
  std::vector<Candidate> candidates;
  Candidate young{.output_level = 1};
  std::vector<const rocksdb::LiveFileMetaData*> level0;
  for (const rocksdb::LiveFileMetaData& file : files) {
    const std::string name = BaseName(file.name);
    const std::optional<FileHistory>& history = histories_.at(name);
    const int64_t rows = history ? history->rows : 0;
    const int64_t dead_rows = history ? DeadRows(*history, dead) : 0;
    if (file.level == 0) {
      level0.push_back(&file);
      young.rows += rows;
      young.dead += dead_rows;
      young.busy |= file.being_compacted;
    } else {
      candidates.push_back({.files = {name},
                            .output_level = file.level,
                            .bytes = file.size,
                            .rows = rows,
                            .dead = dead_rows,
                            .busy = file.being_compacted});
    }
  }
  std::sort(level0.begin(), level0.end(),
            [](auto* a, auto* b) { return a->smallest_seqno < b->smallest_seqno; });
  for (const rocksdb::LiveFileMetaData* file : level0) {
    if (young.bytes >= kYoungBytes) break;
    young.files.push_back(BaseName(file->name));
    young.bytes += file->size;
  }
  candidates.push_back(std::move(young));
  return candidates;
}

Status FilePurger::CheckRoom(const Candidate& candidate) const {
  ASSIGN_OR_RETURN(const uint64_t free, env_.FreeBytes(directory_));
  const uint64_t needed = candidate.bytes + kReserveBytes;
  if (free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      StrCat("rewriting a file of the state store needs ", needed, " bytes, free are ", free));
}

StatusOr<PurgeResult> FilePurger::PurgeOne(double dead_share) {
  const std::shared_ptr<const RevisionSet> dead = filter_.Get();
  if (dead == nullptr || dead->empty()) return PurgeResult::kNothing;
  std::vector<rocksdb::LiveFileMetaData> files;
  db_.GetLiveFilesMetaData(&files);
  ASSIGN_OR_RETURN(const bool complete, ReadHistories(files));
  if (!complete) return PurgeResult::kBusy;

  std::vector<Candidate> candidates = Weigh(files, *dead);
  std::erase_if(candidates,
                [&](const Candidate& c) { return c.dead == 0 || c.share() < dead_share; });
  if (candidates.empty()) return PurgeResult::kNothing;
  std::erase_if(candidates, [](const Candidate& c) { return c.busy; });
  if (candidates.empty()) return PurgeResult::kBusy;
  const Candidate& worst = *std::max_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.share() < b.share(); });
  RETURN_IF_ERROR(CheckRoom(worst));
  const rocksdb::Status status =
      db_.CompactFiles(rocksdb::CompactionOptions(), worst.files, worst.output_level);
  // Someone else is rewriting it or has done so.
  if (status.IsAborted() || status.IsInvalidArgument()) return PurgeResult::kBusy;
  RETURN_IF_ERROR(FromRocksDb(status), "purging state store");
  return PurgeResult::kRewrote;
}

}  // namespace kvorum::mvcc
