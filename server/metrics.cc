#include "server/metrics.h"

#include <array>
#include <atomic>
#include <string>

#include "mvcc/metrics.h"
#include "server/apply/applier.h"

namespace kvorum::server {
namespace {

constexpr size_t kOperations = static_cast<size_t>(Operation::kOther) + 1;
constexpr std::array<const char*, kOperations> kNames = {
    "Put",        "DeleteRange",       "Txn",
    "Range",      "ReadonlyTxn",       "Compaction",
    "LeaseGrant", "LeaseRevoke",       "LeaseCheckpoint",
    "Alarm",      "ClusterVersionSet", "ClusterMemberAttrSet",
    "unknown"};

// Histograms of one name by operation and outcome, each made when it is first needed.
class ByOperation {
 public:
  using Make = metrics::Histogram& (*)(const char* operation, const char* success);
  explicit constexpr ByOperation(Make make) : make_(make) {}

  void Observe(Operation operation, bool success, Duration took) {
    auto& slot = slots_[static_cast<size_t>(operation)][success ? 1 : 0];
    metrics::Histogram* histogram = slot.load(std::memory_order_acquire);
    if (histogram == nullptr) {
      histogram = &make_(kNames[static_cast<size_t>(operation)], success ? "true" : "false");
      slot.store(histogram, std::memory_order_release);
    }
    histogram->Observe(took);
  }

 private:
  const Make make_;
  std::array<std::array<std::atomic<metrics::Histogram*>, 2>, kOperations> slots_{};
};

constinit ByOperation requests([](const char* operation, const char* success) -> auto& {
  return metrics::Default().AddHistogram("etcd_server_request_duration_seconds",
                                         "Response latency distribution in seconds for each type.",
                                         metrics::ExponentialBounds(.001, 2, 14),
                                         {{"type", operation}, {"success", success}});
});

constinit ByOperation applies([](const char* operation, const char* success) -> auto& {
  return metrics::Default().AddHistogram(
      "etcd_server_apply_duration_seconds",
      "The latency distributions of v2 apply called by backend.",
      metrics::ExponentialBounds(.0001, 2, 20),
      {{"version", "v3"}, {"op", operation}, {"success", success}});
});

constinit ByOperation ranges([](const char*, const char* success) -> auto& {
  return metrics::Default().AddHistogram(
      "etcd_server_range_duration_seconds", "The latency distributions of txn.Range",
      metrics::ExponentialBounds(.0001, 2, 20), {{"success", success}});
});

}  // namespace

Operation OperationOf(const etcdserverpb::InternalRaftRequest& request) {
  switch (KindOf(request)) {
    case RequestKind::kPut:
      return Operation::kPut;
    case RequestKind::kDeleteRange:
      return Operation::kDeleteRange;
    case RequestKind::kTxn:
      return Operation::kTxn;
    case RequestKind::kRange:
      return Operation::kRange;
    case RequestKind::kCompaction:
      return Operation::kCompaction;
    case RequestKind::kLeaseGrant:
      return Operation::kLeaseGrant;
    case RequestKind::kLeaseRevoke:
      return Operation::kLeaseRevoke;
    case RequestKind::kLeaseCheckpoint:
      return Operation::kLeaseCheckpoint;
    case RequestKind::kAlarm:
      return Operation::kAlarm;
    case RequestKind::kClusterVersionSet:
      return Operation::kClusterVersionSet;
    case RequestKind::kMemberAttrSet:
      return Operation::kClusterMemberAttrSet;
    default:
      return Operation::kOther;
  }
}

void ObserveRequest(Operation operation, bool success, Duration took) {
  requests.Observe(operation, success, took);
}

void ObserveApply(Operation operation, bool success, Duration took) {
  applies.Observe(operation, success, took);
}

void CountRange(bool success, Duration took) {
  mvcc::range_total.Add();
  ranges.Observe(Operation::kRange, success, took);
}

}  // namespace kvorum::server
