#pragma once
// Model: what a store must be, in the most naive way: every state of every revision, and all rows.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mvcc/mvcc.h"

namespace kvorum::mvcc {

class Model {
 public:
  struct Value {
    int64_t created = 0;
    int64_t modified = 0;
    int64_t version = 0;
    std::string value;
    int64_t lease = 0;
  };
  using State = std::map<std::string, Value>;
  struct ModelRow {
    RowRevision revision;
    bool tombstone = false;
    std::string key;
    std::string bytes;
  };
  struct HashResult {
    uint32_t hash = 0;
    int64_t compacted = -1;
  };

  int64_t current() const { return static_cast<int64_t>(states_.size()) - 1; }
  int64_t compacted() const { return compacted_; }
  const State& At(int64_t revision) const { return states_.at(revision); }
  const State& Now() const { return states_.back(); }
  // Rows that compaction has not taken.
  const std::vector<ModelRow>& rows() const { return rows_; }

  // A transaction: changes, then End. Reads in between see `Draft()`.
  void Put(const std::string& key, const std::string& value, int64_t lease);
  std::vector<std::string> Delete(const KeyRange& range);
  const State& Draft() const { return draft_ ? *draft_ : Now(); }
  int64_t End();

  void Compact(int64_t revision);
  HashResult Hash(int64_t revision, bool of_compaction = false) const;
  // What the last compactions hashed to, by revision.
  const std::map<int64_t, HashResult>& compaction_hashes() const { return compaction_hashes_; }

 private:
  // A key's revisions by generation, as the reference has them: a tombstone ends one, an empty one
  // follows.
  using Generations = std::vector<std::vector<RowRevision>>;
  std::map<std::string, Generations> MakeIndex() const;
  static std::optional<RowRevision> Kept(const Generations& generations, int64_t at,
                                         size_t* generation);
  void AddRow(bool tombstone, const std::string& key, std::string bytes);

  std::vector<State> states_ = {{}, {}};  // revision 0 does not exist, 1 is empty
  std::vector<ModelRow> rows_;
  std::optional<State> draft_;
  std::vector<ModelRow> draft_rows_;
  int64_t compacted_ = -1;
  std::map<int64_t, HashResult> compaction_hashes_;
};

}  // namespace kvorum::mvcc
