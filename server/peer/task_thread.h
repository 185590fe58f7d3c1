#pragma once
// TaskThread: a thread that may block and runs one task after the other.

#include <functional>
#include <string>
#include <thread>

#include "base/bounded_queue.h"

namespace kvorum::server::peer {

class TaskThread {
 public:
  // `name`: at most 15 characters.
  explicit TaskThread(const std::string& name);
  ~TaskThread();  // runs what is queued, joins; not on the thread itself
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // Any thread. The caller bounds how many there are.
  void Post(std::function<void()> task);

 private:
  void Run();

  BoundedQueue<std::function<void()>> tasks_{1};
  std::thread thread_;
};

}  // namespace kvorum::server::peer
