#include "mvcc/store_txn.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

WriteTxn::WriteTxn(Store& store) : store_(&store), base_(store.current_revision()) {}

RowRevision WriteTxn::NextRevision() const {
  return {.main = base_ + 1, .sub = static_cast<int64_t>(changes_.size())};
}

const WriteTxn::Change* WriteTxn::FindChange(std::string_view key) const {
  // Most transactions change one key: the map is not worth making for them.
  if (latest_.empty()) {
    return !changes_.empty() && changes_.front().key == key ? &changes_.front() : nullptr;
  }
  const auto it = latest_.find(key);
  return it == latest_.end() ? nullptr : &changes_[it->second];
}

void WriteTxn::Remember(Change change) {
  changes_.push_back(std::move(change));
  if (changes_.size() == 2) latest_.insert_or_assign(changes_.front().key, 0);
  if (changes_.size() >= 2) latest_.insert_or_assign(changes_.back().key, changes_.size() - 1);
}

std::optional<KeyMeta> WriteTxn::Find(std::string_view key) {
  ++counts_.ranges;
  return Lookup(key);
}

std::optional<KeyMeta> WriteTxn::Lookup(std::string_view key) const {
  if (const Change* change = FindChange(key)) {
    if (change->tombstone) return std::nullopt;
    return KeyMeta{.modified = change->revision,
                   .created = change->created,
                   .version = change->version,
                   .lease = change->lease};
  }
  absl::ReaderMutexLock lock(&store_->mutex_);
  const KeyIndex* found = store_->index_.Find(key);
  return found == nullptr ? std::nullopt : found->Latest();
}

StatusOr<std::optional<Row>> WriteTxn::Get(std::string_view key) {
  ASSIGN_OR_RETURN(RangeResult result, Range({.key = key}, {}));
  if (result.rows.empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(result.rows.front()));
}

StatusOr<RangeResult> WriteTxn::Range(const KeyRange& range, const RangeOptions& options) {
  ++counts_.ranges;
  return Read(range, options);
}

StatusOr<RangeResult> WriteTxn::Read(const KeyRange& range, const RangeOptions& options) const {
  const bool own = changed() && (options.revision.value() <= 0 || options.revision == revision());
  if (!own) {
    ASSIGN_OR_RETURN(RangeResult result, store_->Range(range, options));
    result.current = revision();
    return result;
  }
  // The base with enough rows to lose one for each own change, then the changes on top.
  RangeOptions base = options;
  base.revision = base_;
  base.count_only = false;
  if (base.limit > 0) base.limit += static_cast<int64_t>(changes_.size());
  if (options.count_only) base.keys_only = true;
  ASSIGN_OR_RETURN(RangeResult result, store_->Range(range, base));
  MergeOwnChanges(range, options, &result);
  result.current = revision();
  return result;
}

void WriteTxn::MergeOwnChanges(const KeyRange& range, const RangeOptions& options,
                               RangeResult* result) const {
  std::map<std::string, Row, std::less<>> rows;
  for (Row& row : result->rows) {
    const std::optional<KeyValueView> kv = KeyValueView::Parse(row.bytes.view());
    CHECK(kv) << "row " << row.revision;
    rows.insert_or_assign(std::string(kv->key), std::move(row));
  }
  for (const Change& change : changes_) {
    // Live before this change, as far as this transaction has come.
    if (!range.Contains(change.key)) continue;
    const bool existed = change.previous.has_value();
    result->count += (change.tombstone ? 0 : 1) - (existed ? 1 : 0);
    if (change.tombstone) {
      rows.erase(change.key);
      continue;
    }
    SharedBytes bytes = change.row;
    if (options.keys_only) {
      std::optional<KeyValueView> kv = KeyValueView::Parse(bytes.view());
      CHECK(kv);
      kv->value = {};
      kv->lease = LeaseId(0);
      bytes = SharedBytes(kv->Encode());
    }
    rows.insert_or_assign(change.key, Row{change.revision, std::move(bytes)});
  }
  result->rows.clear();
  if (options.count_only) return;
  for (auto& [key, row] : rows) {
    if (options.limit > 0 && static_cast<int64_t>(result->rows.size()) >= options.limit) break;
    result->rows.push_back(std::move(row));
  }
}

void WriteTxn::Put(std::string_view key, std::string_view value, LeaseId lease) {
  ++counts_.puts;
  counts_.put_bytes += static_cast<int64_t>(key.size() + value.size());
  std::optional<KeyMeta> previous = Lookup(key);
  const RowRevision revision = NextRevision();
  const Revision created = previous ? previous->created : revision.main;
  const int64_t version = previous ? previous->version + 1 : 1;
  const KeyValueView kv{.key = key,
                        .create_revision = created,
                        .mod_revision = revision.main,
                        .version = version,
                        .value = value,
                        .lease = lease};
  Remember({.revision = revision,
            .key = std::string(key),
            .row = SharedBytes(kv.Encode()),
            .created = created,
            .version = version,
            .lease = lease,
            .previous = std::move(previous)});
}

void WriteTxn::Delete(std::string_view key, const KeyMeta& previous) {
  Remember({.revision = NextRevision(),
            .tombstone = true,
            .key = std::string(key),
            .row = SharedBytes(KeyValueView{.key = key}.Encode()),
            .previous = previous});
}

StatusOr<int64_t> WriteTxn::DeleteRange(const KeyRange& range, std::vector<Row>* previous) {
  ++counts_.deletes;
  if (previous != nullptr) ++counts_.ranges;
  ASSIGN_OR_RETURN(RangeResult found, Read(range, {.keys_only = previous == nullptr}));
  for (const Row& row : found.rows) {
    const std::optional<KeyValueView> kv = KeyValueView::Parse(row.bytes.view());
    if (!kv) return absl::DataLossError("row " + RevisionText(row.revision) + " is no KeyValue");
    const std::optional<KeyMeta> meta = Lookup(kv->key);
    CHECK(meta) << kv->key;
    Delete(kv->key, *meta);
  }
  const auto deleted = static_cast<int64_t>(found.rows.size());
  if (previous != nullptr) {
    std::move(found.rows.begin(), found.rows.end(), std::back_inserter(*previous));
  }
  return deleted;
}

Revision WriteTxn::End() {
  const Revision end = revision();
  if (changed()) store_->Publish(*this);
  changes_.clear();
  latest_.clear();
  counts_.AddToTotals();
  base_ = end;
  return end;
}

}  // namespace kvorum::mvcc
