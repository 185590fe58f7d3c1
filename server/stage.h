#pragma once
// Stage: an input queue, a step, an output; the unit of which a server is made.
//
// A stage owns its mutable state alone and is told everything through its queue. Whoever drains it
// must be the only one doing so at that time: in production a StageThread, in tests and simulation
// one loop that steps all stages of a server in turn on a clock it controls.
//
//   while (raft_loop.Step(Wait::kNo) | wal_stage.Step(Wait::kNo) | apply_stage.Step(Wait::kNo)) {}
//
// Shutdown: StageThread::Stop() lets the stage finish what is queued, then joins.

#include <atomic>
#include <string>
#include <thread>

namespace kvorum::server {

enum class Wait : bool { kNo, kYes };

class Stage {
 public:
  virtual ~Stage() = default;
  // Does everything that is queued or due; false if there was nothing. With kYes it first blocks
  // until there is something, or until Wake(). One thread at a time.
  virtual bool Step(Wait wait) = 0;
  // Ends a blocking Step, also the next one. Thread-safe.
  virtual void Wake() = 0;
};

// The thin shell: a thread that steps one stage until told to stop.
class StageThread {
 public:
  // `name` is what debuggers and top show, at most 15 characters. `stage` must outlive this.
  StageThread(Stage& stage, std::string name);
  ~StageThread();  // Stop()
  StageThread(const StageThread&) = delete;
  StageThread& operator=(const StageThread&) = delete;

  // The stage drains its queue, then the thread ends. Idempotent; not for the stage's own thread.
  void Stop();

 private:
  void Run(const std::string& name);

  Stage& stage_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace kvorum::server
