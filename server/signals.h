#pragma once
// SIGINT and SIGTERM as etcd treats them: until the member is ready they end the process at once,
// as if nobody handled them; afterwards the first one asks for an orderly stop and the process then
// ends by that same signal, so that whoever waits for it sees why it ended.

#include <atomic>
#include <csignal>
#include <thread>

namespace kvorum::server {

class StopSignals {
 public:
  // Blocks both signals in the calling thread and all it starts later: construct it in main before
  // any thread. SIGUSR1, SIGUSR2 and SIGPIPE are ignored from here on.
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // From now on a signal is for Wait().
  void SetReady() { ready_.store(true); }
  // Blocks until a signal arrives; returns its number.
  int Wait();
  // Makes Wait return 0: the process stops for another reason.
  void Release();

  // Ends the process by `signal`, as its default action does; with pid 1, which no default action
  // ends, by exit code 0.
  [[noreturn]] static void EndBy(int signal);

 private:
  void Watch();

  std::atomic<bool> ready_{false};
  std::atomic<bool> released_{false};
  std::atomic<int> received_{0};
  std::thread watcher_;
};

}  // namespace kvorum::server
