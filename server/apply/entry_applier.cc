#include "server/apply/entry_applier.h"

#include <string>
#include <utility>

#include "server/fatal.h"
#include "server/metrics.h"

namespace kvorum::server {
namespace {

template <typename Message>
Message ParseOrDie(const LogEntry& entry) {
  Message message;
  const std::string_view data = entry.data.view();
  if (!message.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    Fatal("cannot apply an entry that does not parse",
          {{"index", entry.index.value()}, {"term", entry.term.value()}});
  }
  return message;
}

}  // namespace

void EntryApplier::Apply(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out) {
  switch (entry.type) {
    case EntryType::kNormal:
      return ApplyNormal(entry, batch, out);
    case EntryType::kConfChange:
      return ApplyConfChange(entry, batch, out);
    case EntryType::kConfChangeV2:
      break;
  }
  Fatal("unknown entry type; must be either EntryNormal or EntryConfChange",
        {{"index", entry.index.value()}, {"type", static_cast<int>(entry.type)}});
}

void EntryApplier::ApplyNormal(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out) {
  if (entry.data.empty()) {
    out->terms_started.push_back(entry.term);
    return;
  }
  const auto request = ParseOrDie<etcdserverpb::InternalRaftRequest>(entry);
  const uint64_t id = request.id() != 0 ? request.id() : request.header().id();
  if (id == 0) Fatal("Apply, could not find a header", {{"index", entry.index.value()}});
  const TimePoint begin = std::chrono::steady_clock::now();
  ApplyResult result = ApplyRequest(entry, request, id, batch);
  ObserveApply(OperationOf(request),
               result.error == Error::kOk || result.error == Error::kCompacted,
               std::chrono::steady_clock::now() - begin);
  if (request.has_compaction() && result.error == Error::kOk) out->compacted = true;
  if (result.raise_no_space) out->raise_no_space.push_back(id);
  out->results.push_back({.id = id, .error = result.error, .response = std::move(result.response)});
}

ApplyResult EntryApplier::ApplyRequest(const LogEntry& entry,
                                       const etcdserverpb::InternalRaftRequest& request,
                                       uint64_t id, mvcc::Batch& batch) {
  switch (KindOf(request)) {
    case RequestKind::kClusterVersionSet:
      membership_.ApplyClusterVersion(request.cluster_version_set().ver(), batch);
      return {};
    case RequestKind::kMemberAttrSet:
      membership_.ApplyAttributes(request.cluster_member_attr_set(), batch);
      return {};
    case RequestKind::kNone:
    case RequestKind::kNotServed:
      Fatal("cannot apply an entry of a kind that this build does not serve",
            {{"kind", FieldNameOf(request)},
             {"index", entry.index.value()},
             {"term", entry.term.value()}});
    default:
      return applier_.Apply(request, {.want_response = wait_list_.Contains(id)});
  }
}

void EntryApplier::ApplyConfChange(const LogEntry& entry, mvcc::Batch& batch, AppliedBatch* out) {
  auto change = ParseOrDie<raftpb::ConfChange>(entry);
  const StatusOr<Error> error = membership_.ApplyConfChange(change, batch);
  if (!error.ok()) {
    Fatal("cannot apply a change of the configuration",
          {{"index", entry.index.value()}, {"error", error.status()}});
  }
  if (*error != Error::kOk) change.set_node_id(0);
  if (change.id() != 0) out->results.push_back({.id = change.id(), .error = *error});
  out->conf_changes.push_back({.index = entry.index, .change = std::move(change)});
}

}  // namespace kvorum::server
