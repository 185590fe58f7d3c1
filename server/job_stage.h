#pragma once
// JobStage: a stage of things to be done now and then. Two of them make up a server's background:
// `timers`, whose jobs never block, and `maintenance`, whose jobs may.

#include <functional>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "server/stage.h"

namespace kvorum::server {

// For a job with much to do, in pieces: when to go on, having worked on this piece since `began`.
// Half of the time belongs to others, of whom some may have been waiting for the same lock or disk.
TimePoint AfterRest(const Clock& clock, TimePoint began);

class JobStage : public Stage {
 public:
  // Does what there is to do and returns when it wants to run again: `now` for at once,
  // TimePoint::max() for not before RunSoon.
  using Job = std::function<TimePoint(TimePoint now)>;

  // `clock` must outlive the stage.
  explicit JobStage(const Clock& clock) : clock_(clock) {}

  // Before the first Step; due at once. Returns its number.
  size_t Add(Job job);
  // Makes a job due. Thread-safe.
  void RunSoon(size_t job);

  bool Step(Wait wait) override;
  void Wake() override { inbox_.Wake(); }

 private:
  struct Entry {
    Job job;
    TimePoint due;
  };

  TimePoint NextDue() const;

  const Clock& clock_;
  BoundedQueue<size_t> inbox_{1};  // bounded by the number of callers
  std::vector<Entry> jobs_;
};

}  // namespace kvorum::server
