#include "server/apply/txn.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "server/apply/compare.h"
#include "server/range.h"

namespace kvorum::server {
namespace {

using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

template <typename Predicate>
bool AllOps(const TxnRequest& txn, Predicate predicate) {
  return std::all_of(txn.success().begin(), txn.success().end(), predicate) &&
         std::all_of(txn.failure().begin(), txn.failure().end(), predicate);
}

Error CheckRange(const etcdserverpb::RangeRequest& range, const TxnView& view) {
  if (range.revision() == 0) return Error::kOk;
  if (Revision(range.revision()) > view.revision()) return Error::kFutureRevision;
  if (Revision(range.revision()) < view.compacted_revision()) return Error::kCompacted;
  return Error::kOk;
}

// Carries one txn out along its path. `txn` is null when there is nothing but ranges.
class Execution {
 public:
  Execution(TxnView& view, mvcc::WriteTxn* txn, bool want_ranges)
      : view_(view), txn_(txn), want_ranges_(want_ranges) {}

  Status Run(const TxnRequest& request, const TxnPath& path, TxnResponse* response) {
    response->mutable_header();
    response->set_succeeded(path.succeeded);
    auto nested = path.nested.begin();
    for (const RequestOp& op : path.Taken(request)) {
      const TxnPath* op_path = op.has_request_txn() ? &*nested++ : nullptr;
      RETURN_IF_ERROR(RunOp(op, op_path, response->add_responses()));
    }
    return absl::OkStatus();
  }
  // Of a range, in a txn that only reads.
  Error failure() const { return failure_; }

 private:
  Status RunOp(const RequestOp& op, const TxnPath* path, etcdserverpb::ResponseOp* response) {
    switch (op.request_case()) {
      case RequestOp::kRequestRange:
        return RunRange(op.request_range(), response->mutable_response_range());
      case RequestOp::kRequestPut:
        return DoPut(op.request_put(), *txn_, response->mutable_response_put());
      case RequestOp::kRequestDeleteRange:
        return DoDeleteRange(op.request_delete_range(), *txn_,
                             response->mutable_response_delete_range());
      case RequestOp::kRequestTxn:
        return Run(op.request_txn(), *path, response->mutable_response_txn());
      case RequestOp::REQUEST_NOT_SET:
        break;
    }
    return absl::OkStatus();
  }

  Status RunRange(const etcdserverpb::RangeRequest& request,
                  etcdserverpb::RangeResponse* response) {
    const Revision revision = view_.revision();
    if (want_ranges_) {
      RangeResult result;
      const auto read = [this](const mvcc::KeyRange& range, const mvcc::RangeOptions& options) {
        return view_.Range(range, options);
      };
      ASSIGN_OR_RETURN(const Error error, ExecuteRange(request, read, &result));
      // Only a read-only txn can fail here, when a compaction overtook it.
      CHECK(error == Error::kOk || txn_ == nullptr) << "a checked range of a txn failed";
      if (error != Error::kOk) failure_ = error;
      FillRangeResponse(result, response);
    }
    response->mutable_header()->set_revision(revision.value());
    return absl::OkStatus();
  }

  TxnView& view_;
  mvcc::WriteTxn* const txn_;
  const bool want_ranges_;
  Error failure_ = Error::kOk;
};

}  // namespace

bool IsReadOnly(const TxnRequest& txn) {
  return AllOps(txn, [](const RequestOp& op) { return op.has_request_range(); });
}

bool IsSerializable(const TxnRequest& txn) {
  return AllOps(txn, [](const RequestOp& op) {
    return op.has_request_range() && op.request_range().serializable();
  });
}

StatusOr<TxnPath> ChoosePath(const TxnRequest& txn, TxnView& view) {
  TxnPath path{.succeeded = true};
  for (const etcdserverpb::Compare& compare : txn.compare()) {
    ASSIGN_OR_RETURN(path.succeeded, Holds(compare, view));
    if (!path.succeeded) break;
  }
  for (const RequestOp& op : path.Taken(txn)) {
    if (!op.has_request_txn()) continue;
    ASSIGN_OR_RETURN(TxnPath nested, ChoosePath(op.request_txn(), view));
    path.nested.push_back(std::move(nested));
  }
  return path;
}

StatusOr<Error> CheckPath(const TxnRequest& txn, const TxnPath& path, TxnView& view,
                          const LeaseExists& lease_exists) {
  auto nested = path.nested.begin();
  for (const RequestOp& op : path.Taken(txn)) {
    Error error = Error::kOk;
    if (op.has_request_range()) {
      error = CheckRange(op.request_range(), view);
    } else if (op.has_request_put()) {
      ASSIGN_OR_RETURN(error, CheckPut(op.request_put(), view, lease_exists));
    } else if (op.has_request_txn()) {
      ASSIGN_OR_RETURN(error, CheckPath(op.request_txn(), *nested++, view, lease_exists));
    }
    if (error != Error::kOk) return error;
  }
  return Error::kOk;
}

namespace {

// Walks the path in the order of execution. `deleted_from`: the smallest key from which on
// everything is deleted so far.
bool KeepsDeleted(const TxnRequest& txn, const TxnPath& path,
                  std::optional<std::string_view>* deleted_from) {
  auto nested = path.nested.begin();
  for (const RequestOp& op : path.Taken(txn)) {
    if (op.has_request_txn()) {
      if (KeepsDeleted(op.request_txn(), *nested++, deleted_from)) return true;
    } else if (op.has_request_delete_range()) {
      const auto& request = op.request_delete_range();
      if (request.range_end() != std::string_view("\0", 1)) continue;
      if (!*deleted_from || request.key() < **deleted_from) *deleted_from = request.key();
    } else if (op.has_request_put() && *deleted_from && op.request_put().key() >= **deleted_from) {
      if (op.request_put().ignore_value() || op.request_put().ignore_lease()) return true;
    }
  }
  return false;
}

}  // namespace

bool KeepsWhatItDeletes(const TxnRequest& txn, const TxnPath& path) {
  std::optional<std::string_view> deleted_from;
  return KeepsDeleted(txn, path, &deleted_from);
}

StatusOr<Error> ApplyTxn(const TxnRequest& request, bool want_ranges, const mvcc::Store& store,
                         mvcc::WriteTxn& txn, const LeaseExists& lease_exists,
                         TxnResponse* response) {
  WriteTxnView view(store, txn);
  ASSIGN_OR_RETURN(const TxnPath path, ChoosePath(request, view));
  ASSIGN_OR_RETURN(const Error error, CheckPath(request, path, view, lease_exists));
  if (error != Error::kOk) return error;
  if (KeepsWhatItDeletes(request, path)) return Error::kDuplicateKey;
  RETURN_IF_ERROR(Execution(view, &txn, want_ranges).Run(request, path, response));
  response->mutable_header()->set_revision(txn.revision().value());
  return Error::kOk;
}

namespace {

// To be done again if the view was overtaken.
StatusOr<Error> ReadTxnOnce(const TxnRequest& request, StoreView& view, TxnResponse* response) {
  response->Clear();
  ASSIGN_OR_RETURN(const TxnPath path, ChoosePath(request, view));
  ASSIGN_OR_RETURN(Error error, CheckPath(request, path, view, [](LeaseId) { return true; }));
  if (error == Error::kOk) {
    Execution execution(view, nullptr, /*want_ranges=*/true);
    RETURN_IF_ERROR(execution.Run(request, path, response));
    error = execution.failure();
  }
  response->mutable_header()->set_revision(view.revision().value());
  return error;
}

}  // namespace

StatusOr<Error> ReadTxn(const TxnRequest& request, const mvcc::Store& store,
                        TxnResponse* response) {
  while (true) {
    StoreView view(store);
    StatusOr<Error> error = ReadTxnOnce(request, view, response);
    if (!view.overtaken()) return error;
  }
}

std::optional<Error> ReadTxnInMemory(const TxnRequest& request, const mvcc::Store& store,
                                     TxnResponse* response) {
  MemoryView view(store);
  const StatusOr<Error> error = ReadTxnOnce(request, view, response);
  if (!error.ok() || view.overtaken()) return std::nullopt;
  return *error;
}

}  // namespace kvorum::server
