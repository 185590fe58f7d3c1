#include "tests/mvcc/model.h"

#include "base/crc32c.h"

namespace kvorum::mvcc {

void Model::AddRow(bool tombstone, const std::string& key, std::string bytes) {
  draft_rows_.push_back(
      {.revision = {Revision(current() + 1), static_cast<int64_t>(draft_rows_.size())},
       .tombstone = tombstone,
       .key = key,
       .bytes = std::move(bytes)});
}

void Model::Put(const std::string& key, const std::string& value, int64_t lease) {
  if (!draft_) draft_ = Now();
  const int64_t revision = current() + 1;
  Value& v = (*draft_)[key];
  if (v.created == 0) v.created = revision;
  v.modified = revision;
  ++v.version;
  v.value = value;
  v.lease = lease;
  AddRow(false, key,
         KeyValueView{.key = key,
                      .create_revision = Revision(v.created),
                      .mod_revision = Revision(v.modified),
                      .version = v.version,
                      .value = value,
                      .lease = LeaseId(lease)}
             .Encode());
}

std::vector<std::string> Model::Delete(const KeyRange& range) {
  std::vector<std::string> deleted;
  for (const auto& [key, value] : Draft()) {
    if (range.Contains(key)) deleted.push_back(key);
  }
  if (!deleted.empty() && !draft_) draft_ = Now();
  for (const std::string& key : deleted) {
    draft_->erase(key);
    AddRow(true, key, KeyValueView{.key = key}.Encode());
  }
  return deleted;
}

int64_t Model::End() {
  if (draft_) {
    states_.push_back(*std::move(draft_));
    rows_.insert(rows_.end(), draft_rows_.begin(), draft_rows_.end());
  }
  draft_.reset();
  draft_rows_.clear();
  return current();
}

std::map<std::string, Model::Generations> Model::MakeIndex() const {
  std::map<std::string, Generations> index;
  for (const ModelRow& row : rows_) {
    Generations& generations = index[row.key];
    if (generations.empty()) generations.emplace_back();
    generations.back().push_back(row.revision);
    if (row.tombstone) generations.emplace_back();
  }
  return index;
}

// In the first generation that reaches `at` (or the last), the newest revision <= at.
std::optional<RowRevision> Model::Kept(const Generations& generations, int64_t at,
                                       size_t* generation) {
  size_t g = 0;
  while (g + 1 < generations.size() && generations[g].back().main.value() < at) ++g;
  *generation = g;
  for (auto it = generations[g].rbegin(); it != generations[g].rend(); ++it) {
    if (it->main.value() <= at) return *it;
  }
  return std::nullopt;
}

void Model::Compact(int64_t revision) {
  compaction_hashes_[revision] = Hash(revision, /*of_compaction=*/true);
  while (compaction_hashes_.size() > 10) compaction_hashes_.erase(compaction_hashes_.begin());
  std::set<RowRevision> keep;
  for (const auto& [key, generations] : MakeIndex()) {
    size_t generation;
    if (const auto kept = Kept(generations, revision, &generation)) keep.insert(*kept);
  }
  std::erase_if(rows_, [&](const ModelRow& row) {
    return row.revision.main.value() <= revision && !keep.contains(row.revision);
  });
  compacted_ = revision;
}

Model::HashResult Model::Hash(int64_t revision, bool of_compaction) const {
  std::set<RowRevision> keep;
  for (const auto& [key, generations] : MakeIndex()) {
    size_t generation;
    const auto kept = Kept(generations, revision, &generation);
    if (!kept) continue;
    const bool closes =
        generation + 1 != generations.size() && *kept == generations[generation].back();
    if (!closes || of_compaction) keep.insert(*kept);
  }
  uint32_t crc = Crc32c(0, "key");
  for (const ModelRow& row : rows_) {
    const int64_t main = row.revision.main.value();
    if (main > revision) continue;
    if (main <= compacted_ && !keep.empty() && !keep.contains(row.revision)) continue;
    if (main == compacted_ && row.tombstone) continue;
    crc = Crc32c(Crc32c(crc, EncodeRowKey(row.revision, row.tombstone)), row.bytes);
  }
  return {crc, compacted_};
}

}  // namespace kvorum::mvcc
