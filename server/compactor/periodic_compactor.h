#pragma once
// PeriodicCompactor: keeps the history of the last period. See auto_compactor.h.

#include <deque>

#include "server/compactor/auto_compactor.h"

namespace kvorum::server {

class PeriodicCompactor : public AutoCompactor {
 public:
  // REQUIRES: period > 0.
  PeriodicCompactor(Duration period, Parts parts);

 protected:
  TimePoint BeginWait(TimePoint now) override;
  std::optional<Revision> Choose(TimePoint now) override;
  void LogStarting(Revision revision) const override;
  void OnDone(Revision revision, TimePoint now, Duration took) override;
  void LogFailed(Revision revision, Error error) const override;

 private:
  const Duration period_;
  const Duration interval_;  // between two compactions
  const Duration step_;      // between two samples
  const size_t window_;      // samples

  std::deque<Revision> samples_;
  Revision last_compacted_{0};
  std::optional<TimePoint> last_success_;  // at first: the start
  Duration quiet_time_;                    // that has to pass since then
};

}  // namespace kvorum::server
