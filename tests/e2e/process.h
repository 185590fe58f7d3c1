#pragma once
// Real processes for end-to-end tests: a kvorum member on free loopback ports, and commands whose
// output is captured. Only processes started here are ever signalled, by their pid.

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kvorum::e2e {

struct CommandResult {
  int exit_code = -1;  // 128 + signal if it was killed
  std::string out;
  std::string err;
};

// Runs argv[0] from PATH to its end; `env` ("NAME=value") is added to the caller's environment, and
// ETCD_*/ETCDCTL_* of the caller are not passed on. A command that outlives `timeout` is killed and
// reported with exit code 137.
CommandResult RunCommand(const std::vector<std::string>& argv,
                         const std::vector<std::string>& env = {}, const std::string& input = "",
                         std::chrono::seconds timeout = std::chrono::seconds(60));

// The server under test; $KVORUM_BIN points the suite at another one, such as the reference itself,
// to check that what the tests expect is what it does.
std::string ServerBinary();

// A TCP port of 127.0.0.1 that nobody listens on now.
int FreePort();

// One started command; killed with SIGKILL when destroyed. What it prints is read all the time, so
// it never blocks on a full pipe. Wait() and Signal() belong to one thread.
class Process {
 public:
  Process(const std::vector<std::string>& argv, const std::vector<std::string>& env);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // Exit code, 128 + signal if it was killed.
  int Wait();
  // True if `text` appears in what the process printed (both streams) before `timeout` or its end.
  bool WaitForOutput(const std::string& text,
                     std::chrono::seconds timeout = std::chrono::seconds(30));
  // Everything printed so far.
  std::string output();

 private:
  void ReadOutput();

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool reaped_ = false;
  int exit_code_ = -1;
  std::mutex mutex_;
  std::condition_variable more_;
  std::string output_;  // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_
  std::thread reader_;
};

// A single kvorum member. The data directory outlives it, so a new Member on the same directory and
// ports is a restart.
class Member {
 public:
  struct Options {
    std::string data_dir;
    std::vector<std::string> extra_args;
    int client_port = 0;  // 0: a free one
    int peer_port = 0;
  };

  // Starts the process and waits for "ready to serve client requests"; aborts the test's process
  // with the member's log if that does not come.
  explicit Member(Options options);

  // "127.0.0.1:port".
  std::string endpoint() const;
  // etcdctl (v3 API) against this member.
  CommandResult Etcdctl(const std::vector<std::string>& args, const std::string& input = "") const;
  Process& process() { return *process_; }
  const Options& options() const { return options_; }

 private:
  Options options_;
  std::unique_ptr<Process> process_;
};

// A directory below $TMPDIR that goes when the object goes.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kvorum::e2e
