#include "tests/e2e/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

extern char** environ;

namespace kvorum::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << why << std::endl;
  std::abort();
}

std::vector<std::string> ChildEnvironment(const std::vector<std::string>& added) {
  std::vector<std::string> env;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry(*e);
    if (entry.starts_with("ETCD_") || entry.starts_with("ETCDCTL_")) continue;
    env.emplace_back(entry);
  }
  env.insert(env.end(), added.begin(), added.end());
  return env;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  Pipe() {
    if (pipe2(fds, O_CLOEXEC) != 0) Die(std::string("pipe2: ") + std::strerror(errno));
  }
  int fds[2];
};

// Spawned, not forked: a test that runs gRPC clients has threads.
pid_t Spawn(const std::vector<std::string>& argv, const std::vector<std::string>& env, int in,
            int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  // A child that does not read its input must not end us, and must not inherit that we ignore it.
  signal(SIGPIPE, SIG_IGN);
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const std::vector<std::string> child_env = ChildEnvironment(env);
  pid_t pid = -1;
  const int rc = posix_spawnp(&pid, argv[0].c_str(), &actions, &attributes, Pointers(argv).data(),
                              Pointers(child_env).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) Die("cannot start " + argv[0] + ": " + std::strerror(rc));
  return pid;
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Appends what is readable; false at the end of the stream.
bool Drain(int fd, std::string* out) {
  char buffer[16384];
  const ssize_t n = read(fd, buffer, sizeof(buffer));
  if (n > 0) out->append(buffer, static_cast<size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& argv, const std::vector<std::string>& env,
                         const std::string& input, std::chrono::seconds timeout) {
  Pipe in, out, err;
  const pid_t pid = Spawn(argv, env, in.fds[0], out.fds[1], err.fds[1]);
  close(in.fds[0]);
  close(out.fds[1]);
  close(err.fds[1]);
  std::thread writer([fd = in.fds[1], &input] {
    size_t done = 0;
    while (done < input.size()) {
      const ssize_t n = write(fd, input.data() + done, input.size() - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    close(fd);
  });

  CommandResult result;
  const auto deadline = steady_clock::now() + timeout;
  bool killed = false;
  pollfd fds[2] = {{out.fds[0], POLLIN, 0}, {err.fds[0], POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0 && !killed) {
      kill(pid, SIGKILL);
      killed = true;
    }
    poll(fds, 2, killed ? 1000 : static_cast<int>(left.count()));
    if (fds[0].revents != 0 && !Drain(fds[0].fd, &result.out)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !Drain(fds[1].fd, &result.err)) fds[1].fd = -1;
  }
  writer.join();
  close(out.fds[0]);
  close(err.fds[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  result.exit_code = ExitCode(status);
  return result;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Die(std::string("no free port: ") + std::strerror(errno));
  }
  close(fd);
  return ntohs(address.sin_port);
}

Process::Process(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  Pipe out;
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = Spawn(argv, env, null, out.fds[1], out.fds[1]);
  close(null);
  close(out.fds[1]);
  pipe_ = out.fds[0];
  reader_ = std::thread([this] { ReadOutput(); });
}

Process::~Process() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    Wait();
  }
  reader_.join();
  close(pipe_);
}

void Process::ReadOutput() {
  std::string piece;
  while (Drain(pipe_, &piece)) {
    std::lock_guard lock(mutex_);
    output_ += piece;
    piece.clear();
    more_.notify_all();
  }
  std::lock_guard lock(mutex_);
  ended_ = true;
  more_.notify_all();
}

void Process::Signal(int signal) {
  if (!reaped_) kill(pid_, signal);
}

int Process::Wait() {
  if (reaped_) return exit_code_;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  exit_code_ = ExitCode(status);
  std::unique_lock lock(mutex_);
  more_.wait(lock, [&] { return ended_; });
  return exit_code_;
}

bool Process::WaitForOutput(const std::string& text, std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  const auto found = [&] { return output_.find(text) != std::string::npos; };
  more_.wait_for(lock, timeout, [&] { return found() || ended_; });
  return found();
}

std::string Process::output() {
  std::lock_guard lock(mutex_);
  return output_;
}

std::string ServerBinary() {
  const char* other = std::getenv("KVORUM_BIN");
  return other != nullptr ? other : KVORUM_DEFAULT_BIN;
}

Member::Member(Options options) : options_(std::move(options)) {
  if (options_.client_port == 0) options_.client_port = FreePort();
  if (options_.peer_port == 0) options_.peer_port = FreePort();
  const std::string client = "http://" + endpoint();
  const std::string peer = "http://127.0.0.1:" + std::to_string(options_.peer_port);
  std::vector<std::string> argv = {ServerBinary(),
                                   "--name=m1",
                                   "--data-dir=" + options_.data_dir,
                                   "--listen-client-urls=" + client,
                                   "--advertise-client-urls=" + client,
                                   "--listen-peer-urls=" + peer,
                                   "--initial-advertise-peer-urls=" + peer,
                                   "--initial-cluster=m1=" + peer};
  argv.insert(argv.end(), options_.extra_args.begin(), options_.extra_args.end());
  process_ = std::make_unique<Process>(argv, std::vector<std::string>{});
  if (!process_->WaitForOutput("ready to serve client requests")) {
    Die("the member did not become ready:\n" + process_->output());
  }
}

std::string Member::endpoint() const { return "127.0.0.1:" + std::to_string(options_.client_port); }

CommandResult Member::Etcdctl(const std::vector<std::string>& args,
                              const std::string& input) const {
  std::vector<std::string> argv = {"etcdctl", "--endpoints=" + endpoint()};
  argv.insert(argv.end(), args.begin(), args.end());
  return RunCommand(argv, {"ETCDCTL_API=3"}, input);
}

ScratchDir::ScratchDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "kvorum-e2e-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) Die(std::string("mkdtemp: ") + std::strerror(errno));
  path_ = pattern;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kvorum::e2e
