#include "server/peer/task_thread.h"

#include <pthread.h>

#include <utility>
#include <vector>

namespace kvorum::server::peer {

TaskThread::TaskThread(const std::string& name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

TaskThread::~TaskThread() {
  tasks_.Close();
  thread_.join();
}

void TaskThread::Post(std::function<void()> task) { tasks_.Push(std::move(task)); }

void TaskThread::Run() {
  while (true) {
    std::vector<std::function<void()>> tasks = tasks_.PopAll();
    if (tasks.empty() && tasks_.closed()) return;
    for (std::function<void()>& task : tasks) std::exchange(task, nullptr)();
  }
}

}  // namespace kvorum::server::peer
