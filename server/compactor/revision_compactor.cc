#include "server/compactor/revision_compactor.h"

#include <utility>

#include "base/log.h"
#include "server/own_call.h"

namespace kvorum::server {

RevisionCompactor::RevisionCompactor(int64_t retention, Parts parts)
    : AutoCompactor(std::move(parts)), retention_(retention) {}

std::optional<Revision> RevisionCompactor::Choose(TimePoint) {
  const Revision target(parts().revision().value() - retention_);
  if (target <= Revision(0) || target == last_compacted_) return std::nullopt;
  return target;
}

void RevisionCompactor::LogStarting(Revision revision) const {
  LOG_INFO("starting auto revision compaction", {"revision", revision.value()},
           {"revision-compaction-retention", retention_});
}

void RevisionCompactor::OnDone(Revision revision, TimePoint, Duration took) {
  LOG_INFO("completed auto revision compaction", {"revision", revision.value()},
           {"revision-compaction-retention", retention_}, {"took", took});
  last_compacted_ = revision;
}

void RevisionCompactor::LogFailed(Revision revision, Error error) const {
  LOG_WARN("failed auto revision compaction", {"revision", revision.value()},
           {"revision-compaction-retention", retention_}, {"retry-interval", kInterval},
           {"error", TextOf(error)});
}

}  // namespace kvorum::server
