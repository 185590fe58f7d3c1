#pragma once
// RevisionCompactor: keeps the last revisions. See auto_compactor.h.

#include "server/compactor/auto_compactor.h"

namespace kvorum::server {

class RevisionCompactor : public AutoCompactor {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(5);

  // REQUIRES: retention > 0.
  RevisionCompactor(int64_t retention, Parts parts);

 protected:
  TimePoint BeginWait(TimePoint now) override { return now + kInterval; }
  std::optional<Revision> Choose(TimePoint now) override;
  void LogStarting(Revision revision) const override;
  void OnDone(Revision revision, TimePoint now, Duration took) override;
  void LogFailed(Revision revision, Error error) const override;

 private:
  const int64_t retention_;
  Revision last_compacted_{0};
};

}  // namespace kvorum::server
