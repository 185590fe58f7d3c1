#include "api/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kvorum::api {

using etcdserverpb::RequestOp;
using google::protobuf::RepeatedPtrField;
using server::Error;

Error CheckRange(const etcdserverpb::RangeRequest& request) {
  if (request.key().empty()) return Error::kEmptyKey;
  if (!etcdserverpb::RangeRequest::SortOrder_IsValid(request.sort_order()) ||
      !etcdserverpb::RangeRequest::SortTarget_IsValid(request.sort_target())) {
    return Error::kInvalidSortOption;
  }
  return Error::kOk;
}

Error CheckPut(const etcdserverpb::PutRequest& request) {
  if (request.key().empty()) return Error::kEmptyKey;
  if (request.ignore_value() && !request.value().empty()) return Error::kValueProvided;
  if (request.ignore_lease() && request.lease() != 0) return Error::kLeaseProvided;
  return Error::kOk;
}

Error CheckDeleteRange(const etcdserverpb::DeleteRangeRequest& request) {
  return request.key().empty() ? Error::kEmptyKey : Error::kOk;
}

namespace {

Error CheckTxnShape(const etcdserverpb::TxnRequest& request, int64_t max_ops);

Error CheckOp(const RequestOp& op, int64_t max_ops) {
  switch (op.request_case()) {
    case RequestOp::kRequestRange:
      return CheckRange(op.request_range());
    case RequestOp::kRequestPut:
      return CheckPut(op.request_put());
    case RequestOp::kRequestDeleteRange:
      return CheckDeleteRange(op.request_delete_range());
    case RequestOp::kRequestTxn:
      return CheckTxnShape(op.request_txn(), max_ops);
    case RequestOp::REQUEST_NOT_SET:
      break;
  }
  return Error::kKeyNotFound;
}

Error CheckOps(const RepeatedPtrField<RequestOp>& ops, int64_t max_ops) {
  for (const RequestOp& op : ops) {
    if (const Error error = CheckOp(op, max_ops); error != Error::kOk) return error;
  }
  return Error::kOk;
}

Error CheckTxnShape(const etcdserverpb::TxnRequest& request, int64_t max_ops) {
  const int64_t longest =
      std::max({request.compare_size(), request.success_size(), request.failure_size()});
  if (longest > max_ops) return Error::kTooManyOps;
  for (const auto& compare : request.compare()) {
    if (compare.key().empty()) return Error::kEmptyKey;
  }
  const Error error = CheckOps(request.success(), max_ops - longest);
  return error != Error::kOk ? error : CheckOps(request.failure(), max_ops - longest);
}

// A set of keys given as half-open intervals, kept disjoint.
class KeyIntervals {
 public:
  // REQUIRES: begin < end.
  void Add(std::string begin, std::string end) {
    auto it = ends_.upper_bound(begin);
    if (it != ends_.begin() && std::prev(it)->second >= begin) --it;
    while (it != ends_.end() && it->first <= end) {
      begin = std::min(begin, it->first);
      end = std::max(end, it->second);
      it = ends_.erase(it);
    }
    ends_.emplace(std::move(begin), std::move(end));
  }
  void Add(const KeyIntervals& other) {
    for (const auto& [begin, end] : other.ends_) Add(begin, end);
  }
  bool Contains(std::string_view key) const {
    auto it = ends_.upper_bound(key);
    return it != ends_.begin() && key < std::prev(it)->second;
  }

 private:
  std::map<std::string, std::string, std::less<>> ends_;  // begin -> end
};

// The keys a list of operations would change, its nested txns included.
struct ChangedKeys {
  std::set<std::string_view> puts;
  KeyIntervals deletes;
};

// The end of an interval is read as the bytes it is, as the original does: range_end "\0", by which
// everything from `key` on is deleted, ends below any key, and like every empty interval forbids no
// put at all. What then cannot be applied is refused by server/apply/txn.
void CollectDeletes(const RepeatedPtrField<RequestOp>& ops, ChangedKeys* changed) {
  for (const RequestOp& op : ops) {
    if (!op.has_request_delete_range()) continue;
    const std::string& key = op.request_delete_range().key();
    const std::string& range_end = op.request_delete_range().range_end();
    std::string end = range_end.empty() ? key + '\0' : range_end;
    if (key < end) changed->deletes.Add(key, std::move(end));
  }
}

bool CollectChanges(const RepeatedPtrField<RequestOp>& ops, ChangedKeys* changed);

// Adds both branches of a nested txn. They exclude each other, so a key may be put in both. False
// on a conflict with what is already in `changed`.
bool CollectNested(const etcdserverpb::TxnRequest& txn, ChangedKeys* changed) {
  ChangedKeys success;
  ChangedKeys failure;
  if (!CollectChanges(txn.success(), &success) || !CollectChanges(txn.failure(), &failure)) {
    return false;
  }
  for (const ChangedKeys* branch : {&success, &failure}) {
    for (const std::string_view key : branch->puts) {
      const bool other_branch = branch == &failure && success.puts.contains(key);
      if ((changed->puts.contains(key) && !other_branch) || changed->deletes.Contains(key)) {
        return false;
      }
      changed->puts.insert(key);
    }
  }
  changed->deletes.Add(success.deletes);
  changed->deletes.Add(failure.deletes);
  return true;
}

// Deletes first, then nested txns in order, then this list's own puts: each may conflict with what
// came before. False on a conflict.
bool CollectChanges(const RepeatedPtrField<RequestOp>& ops, ChangedKeys* changed) {
  CollectDeletes(ops, changed);
  for (const RequestOp& op : ops) {
    if (op.has_request_txn() && !CollectNested(op.request_txn(), changed)) return false;
  }
  for (const RequestOp& op : ops) {
    if (!op.has_request_put()) continue;
    const std::string_view key = op.request_put().key();
    if (changed->deletes.Contains(key) || !changed->puts.insert(key).second) return false;
  }
  return true;
}

bool AllRanges(const RepeatedPtrField<RequestOp>& ops) {
  return std::all_of(ops.begin(), ops.end(),
                     [](const RequestOp& op) { return op.has_request_range(); });
}

bool AllSerializable(const RepeatedPtrField<RequestOp>& ops) {
  return std::all_of(ops.begin(), ops.end(), [](const RequestOp& op) {
    return !op.has_request_range() || op.request_range().serializable();
  });
}

}  // namespace

Error CheckTxn(const etcdserverpb::TxnRequest& request, int64_t max_ops) {
  if (const Error error = CheckTxnShape(request, max_ops); error != Error::kOk) return error;
  for (const auto* ops : {&request.success(), &request.failure()}) {
    ChangedKeys changed;
    if (!CollectChanges(*ops, &changed)) return Error::kDuplicateKey;
  }
  return Error::kOk;
}

bool IsReadOnly(const etcdserverpb::TxnRequest& request) {
  return AllRanges(request.success()) && AllRanges(request.failure());
}

bool IsSerializable(const etcdserverpb::TxnRequest& request) {
  return AllSerializable(request.success()) && AllSerializable(request.failure());
}

}  // namespace kvorum::api
