#include "server/signals.h"

#include <unistd.h>

#include <cstdlib>

namespace kvorum::server {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  for (const int ignored : {SIGUSR1, SIGUSR2, SIGPIPE}) signal(ignored, SIG_IGN);
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ = std::thread([this] { Watch(); });
}

StopSignals::~StopSignals() {
  Release();
  watcher_.join();
}

void StopSignals::Watch() {
  const sigset_t set = StopSet();
  int signal = 0;
  sigwait(&set, &signal);
  if (!released_.load() && !ready_.load()) EndBy(signal);
  received_.store(released_.load() ? 0 : signal);
  released_.store(true);
  released_.notify_all();
}

int StopSignals::Wait() {
  released_.wait(false);
  return received_.load();
}

void StopSignals::Release() {
  if (released_.exchange(true)) return;
  released_.notify_all();
  pthread_kill(watcher_.native_handle(), SIGTERM);  // ends its sigwait; it looks at released_ first
}

void StopSignals::EndBy(int signal) {
  if (getpid() == 1) _exit(0);
  struct sigaction defaults = {};
  defaults.sa_handler = SIG_DFL;
  sigaction(signal, &defaults, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  kill(getpid(), signal);
  // Blocked in every other thread, so it is delivered to this one.
  for (;;) pause();
}

}  // namespace kvorum::server
