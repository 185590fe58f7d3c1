#include "server/apply/quota.h"

#include <algorithm>

#include "server/config.h"

namespace kvorum::server {
namespace {

constexpr int64_t kPutOverhead = 256;  // revision, index and row around key and value
constexpr int64_t kLeaseCost = 64;

int64_t CostOf(const etcdserverpb::PutRequest& put) {
  return kPutOverhead + static_cast<int64_t>(put.key().size() + put.value().size());
}

int64_t CostOf(const etcdserverpb::TxnRequest& txn) {
  const auto branch = [](const auto& ops) {
    int64_t cost = 0;
    for (const etcdserverpb::RequestOp& op : ops) {
      if (op.has_request_put()) cost += CostOf(op.request_put());
      if (op.has_request_txn()) cost += CostOf(op.request_txn());
    }
    return cost;
  };
  return std::max(branch(txn.success()), branch(txn.failure()));
}

}  // namespace

int64_t SpaceCost(const etcdserverpb::InternalRaftRequest& request) {
  switch (KindOf(request)) {
    case RequestKind::kPut:
      return CostOf(request.put());
    case RequestKind::kTxn:
      return CostOf(request.txn());
    case RequestKind::kLeaseGrant:
      return kLeaseCost;
    default:
      return 0;
  }
}

Quota::Quota(int64_t quota_bytes, const StoreSlot& store)
    : quota_bytes_(quota_bytes == 0 ? kDefaultQuotaBytes : quota_bytes), store_(store) {}

bool Quota::Fits(const etcdserverpb::InternalRaftRequest& request) const {
  if (quota_bytes_ < 0) return true;
  const int64_t cost = SpaceCost(request);
  return cost == 0 || store_->size_bytes() + cost < quota_bytes_;
}

ApplyResult QuotaApplier::Apply(const etcdserverpb::InternalRaftRequest& request,
                                const ApplyContext& context) {
  const bool fits = quota_.Fits(request);
  ApplyResult result = next_.Apply(request, context);
  if (fits || result.error != Error::kOk) return result;
  result.error = Error::kNoSpace;
  result.raise_no_space = true;
  return result;
}

}  // namespace kvorum::server
